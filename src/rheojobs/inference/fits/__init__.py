"""Least squares: the task, its starts, the optimizer, and statistics of the estimates.

`task` and `options` need no JAX, so that a window or a plan can make and check a fit.

Other rooms use:

- `task`: `FitTask`, `fit`
- `options`: `FitOptions`, `StartOptions`
- `run`: `FitRun`
- `objective`: `Objective`
- `statistics`: `r_squared`
- `start_points`: `candidates`
- `least_squares.damping`: `FIRST_GROWTH`, `damped_anew`
"""
