"""A model of your own, with bounds and units, fitted and sampled.

Run it with `python own_model.py`. The model is a plain function of JAX; the data are made up.
"""

import jax.numpy as jnp
import numpy as np

from rheojobs import Dataset, Model, Parameter, fit, sample


def stretched(t, p):
    """Relax as a stretched exponential (Kohlrausch 1854)."""
    G0, tau, beta = p
    return G0 * jnp.exp(-((t / tau) ** beta))


MODEL = Model.from_function(
    stretched,
    [
        Parameter("G0", 1e4, (1.0, 1e9), "Pa", "plateau modulus"),
        Parameter("tau", 1.0, (1e-6, 1e6), "s", "relaxation time"),
        Parameter("beta", 0.7, (0.1, 1.0), "dimensionless", "exponent"),
    ],
    test_modes="relaxation",
)


def made_up() -> Dataset:
    t = np.logspace(-2, 1, 60)
    noise = 1 + 0.02 * np.random.default_rng(0).standard_normal(t.size)
    return Dataset(t, 1e4 * np.exp(-((t / 3.0) ** 0.6)) * noise, "relaxation")


def main() -> None:
    data = made_up()
    result = fit(data, MODEL)
    posterior = sample(data, MODEL, fit=result, num_samples=500)
    for name, value in result.parameters.items():
        low, high = posterior.credible_intervals[name]
        unit = result.units[name]
        print(f"{name} = {value:.4g} ± {result.uncertainties[name]:.2g} {unit}")
        print(f"    95 % of the posterior: {low:.4g} to {high:.4g}")


if __name__ == "__main__":
    main()
