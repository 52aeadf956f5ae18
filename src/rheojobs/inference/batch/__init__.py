"""Fit and sample many files by one plan in YAML, and tabulate the results.

Fits and samplings are submitted as jobs of an engine; finished ones are skipped.

Other rooms use:

- `plan`: `BatchPlan`
- `run`: `BatchRun`, `BatchEntry`
- `results_table`: `rows_of`, `doubt_of`, `write_csv`, `write_parquet`
"""
