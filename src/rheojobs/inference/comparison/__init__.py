"""Several models on the same data: all fitted, ranked, and the best of them sampled and scored.

Submits its fits and samplings as jobs of an engine.

Other rooms use:

- `run`: `compare`, `ComparisonRun`, `available_workers`
- `options`: `CompareOptions`
- `ranking`: `Comparison`, `ComparedModel`
- `candidates`: `Candidate`
- `figure`: `comparison_figure`
"""
