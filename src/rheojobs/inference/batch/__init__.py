"""Many files fitted and sampled by one plan, written down in YAML, and the table of their results.

Submits its fits and samplings as jobs of an engine, and skips what it finds done.

Other rooms use:

- `plan`: `BatchPlan`
- `run`: `BatchRun`, `BatchEntry`
- `results_table`: `rows_of`, `write_csv`, `write_parquet`
"""
