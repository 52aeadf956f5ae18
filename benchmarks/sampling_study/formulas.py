"""The models as who writes them by hand would, in JAX alone, and the statistics around them.

For the processes of NumPyro and nutpie, which import neither RheoJAX nor this project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

__all__ = ["numpyro_model", "observations", "start_values"]

type Predict = Callable[[Any, Mapping[str, Any]], Any]


def _maxwell(t: Any, p: Mapping[str, Any]) -> Any:
    return (p["G0"] * jnp.exp(-t * p["G0"] / p["eta"]))[None]


def _fractional_maxwell_liquid(omega: Any, p: Mapping[str, Any]) -> Any:
    size = (omega * p["tau_alpha"]) ** p["alpha"]
    angle = jnp.pi * p["alpha"] / 2
    term = size * (jnp.cos(angle) + 1j * jnp.sin(angle))
    modulus = p["Gm"] * term / (1 + term)
    return jnp.stack([modulus.real, modulus.imag])


def _carreau(rate: Any, p: Mapping[str, Any]) -> Any:
    factor = (1 + (p["lambda_"] * rate) ** 2) ** ((p["n"] - 1) / 2)
    return (p["eta_inf"] + (p["eta0"] - p["eta_inf"]) * factor)[None]


def _generalized_maxwell(omega: Any, p: Mapping[str, Any]) -> Any:
    count = sum(name.startswith("tau_") for name in p)
    moduli = jnp.stack([p[f"G_{k + 1}"] for k in range(count)])
    phase = omega[:, None] * jnp.stack([p[f"tau_{k + 1}"] for k in range(count)])
    loss = moduli * phase / (1 + phase**2)
    return jnp.stack([p["G_inf"] + (loss * phase).sum(1), loss.sum(1)])


_FORMULAS: dict[str, Predict] = {
    "maxwell": _maxwell,
    "fractional_maxwell_liquid": _fractional_maxwell_liquid,
    "carreau": _carreau,
    "generalized_maxwell": _generalized_maxwell,
}


def _distribution(prior: Mapping[str, Any]) -> Any:
    arguments = {key: value for key, value in prior.items() if key != "type"}
    names = {"uniform": "Uniform", "beta": "Beta", "lognormal": "LogNormal"}
    return getattr(dist, names[prior["type"]])(**arguments)


def numpyro_model(job: Mapping[str, Any]) -> Callable[..., None]:
    """Make the statistical model of a job; its arguments are x, shape (n,), and y, (c, n)."""
    predict = _FORMULAS[job["model"]]
    priors = {name: _distribution(prior) for name, prior in job["priors"].items()}

    def model(x: Any, y: Any, noise_scales: Any) -> None:
        values = {name: numpyro.sample(name, prior) for name, prior in priors.items()}
        predicted = predict(x, values)
        for row, name in enumerate(job["noise"]):
            noise = numpyro.sample(name, dist.Exponential(1 / noise_scales[row]))
            numpyro.sample(f"observed_{row}", dist.Normal(predicted[row], noise), obs=y[row])

    return model


def observations(job: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Give the model's arguments: x, y, and the scales of the noise's priors."""
    scales = list(job["noise"].values())
    return jnp.asarray(job["x"]), jnp.asarray(job["y"]), jnp.asarray(scales)


def start_values(job: Mapping[str, Any]) -> dict[str, float]:
    """Give a value for every site: the fit's, and noise of the size of its residuals."""
    x, y, _ = observations(job)
    residuals = np.asarray(y - _FORMULAS[job["model"]](x, job["start"]))
    sizes = np.sqrt(np.mean(residuals**2, axis=1))
    return {**job["start"], **dict(zip(job["noise"], sizes.tolist(), strict=True))}
