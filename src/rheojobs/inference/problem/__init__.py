"""A model and a dataset brought together and checked, ready to be fitted or sampled.

Also how data are padded for compiled programs, and how much each of them weighs.

Other rooms use:

- `problem`: `Problem`, `prepare_data`
- `options`: `ProblemOptions`
- `observations`: `Observations`, `PADDED_MODES`
- `weights`: `Weights`, `weights_of`, `default_weights`, `check_weights`
"""
