"""Compare models on the same data: fit and rank all, sample and score the best.

Fits and samplings are submitted as jobs of an engine.

Other rooms use:

- `run`: `compare`, `ComparisonRun`, `available_workers`
- `options`: `CompareOptions`
- `ranking`: `Comparison`, `ComparedModel`
- `candidates`: `Candidate`
- `figure`: `comparison_figure`
"""
