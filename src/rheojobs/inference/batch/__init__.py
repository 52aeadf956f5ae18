"""Fit and sample many files by one plan in YAML, and tabulate the results.

Fits and samplings are submitted as jobs of an engine; finished ones are skipped.

Other rooms use:

- `plan`: `BatchPlan`
- `run`: `BatchRun`, `BatchEntry`
- `results_table`: `rows_of`, `doubt_of`, `warnings_of`, `TableEntry`, `write_csv`, `write_parquet`
- `trend`: `Measured`, `Trend`, `TrendPoint`, `trend_of`, `start_from_neighbours`, `better_of`
"""
