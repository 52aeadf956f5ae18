"""Results of fits and samplings: numbers and arrays that are stored, compared and plotted.

Depends on neither problems nor models, so that a window or a report opens a result without JAX.

Other rooms use:

- `fit_result`: `FitResult`, `bound_reached`
- `bayesian_result`: `BayesianResult`
- `segments`: `Segment`
- `predictions`: `Predictions`, `Noise`
- `inference_arrays`: `InferenceArrays`
- `diagnostics`: `summarize`, `is_good`
- `convergence`: `Convergence`, `FEWEST_DRAWS`
- `pareto_smoothing`: `smoothed`, `largest_good_k`
- `evidence`: `Evidence`, `UNKNOWN`, `probabilities`
- `thresholds`: `MAX_R_HAT`, `MIN_ESS`, `MIN_BFMI`, `verdict`
- `concerns`: `concerns`
- `records`: `pack`, `pack_arrays`, `unpack`, `unpack_arrays`
- `json_format`: `to_json`, `plain`
- `fit_report`: `facts`, `remark`
- `html_view`: `fit_table`, `draws_table`
- `bands`: `Band`, `predictive_bands`
- `curves`: `Curve`, `components`
- `residuals`: `Residuals`, `residuals_of`
- `oscillation_views`: `VIEWS`, `OscillationView`
"""
