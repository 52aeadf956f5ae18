"""The statistical model: priors, likelihood, and their unconstrained coordinates.

Nothing here is compiled or sampled; names and syntax are checked without JAX.

Other rooms use:

- `posterior`: `Posterior`
- `priors`: `prior_of`
- `prior_syntax`: `check_prior`, `parse_prior`, `PRIOR_TYPES`
- `likelihood_names`: `LIKELIHOODS`, `check_likelihood`, `likelihood_of`, `suited_likelihood`
- `densities`: `density`, `extent`, `share_within`
"""
