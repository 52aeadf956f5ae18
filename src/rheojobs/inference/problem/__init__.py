"""Combine a model and a dataset, checked, into a problem to be fitted or sampled.

Also pads data for compiled programs, and chooses the weights of a fit.

Other rooms use:

- `problem`: `Problem`, `check_model`, `prepare_data`
- `curve_task`: `CurveTask`, `thinned`
- `options`: `ProblemOptions`
- `observations`: `Observations`, `PADDED_MODES`, `is_in_pieces`, `shown_indices`
- `weights`: `Weights`, `weights_of`, `default_weights`, `check_weights`
"""
