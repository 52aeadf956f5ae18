"""Sample with NUTS: the task, whitening, warm-up, chains, checkpoints, and the result.

`task` needs no JAX until it runs; the programs of a posterior are compiled in `programs`.

Other rooms use:

- `task`: `SampleTask`
- `options`: `SampleOptions`
- `sample`: `sample`, `sample_task`, `resume`, `extend`
- `run`: `Sampling`
- `checkpoints`: `Leftover`
- `prior_predictive`: `prior_predictive`, `prior_concerns`
"""
