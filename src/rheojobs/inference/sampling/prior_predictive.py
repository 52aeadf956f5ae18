"""Prior predictive checks: draws from the priors of a sampling, and predictions from them.

Imports no JAX until it runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.sampling.task import SampleTask

if TYPE_CHECKING:
    from xarray import DataTree

    from rheojobs.inference.posterior.posterior import Posterior

__all__ = ["prior_concerns", "prior_predictive"]

CENTRAL = 0.95
MAX_OUTSIDE = 0.2
"""The fraction of the data outside the central part above which a warning is given."""

MAX_DECADES = 3.0
"""The distance of typical predictions from the data, in decades, above which it warns."""

MIN_DRAWS = 20


def prior_predictive(
    data: object,
    model: str | Model,
    *,
    num_samples: int = 500,
    warm_start: Mapping[str, float] | None = None,
    **options: Any,
) -> DataTree:
    """Draw from the priors, and simulate data from these draws, in this process.

    Parameters
    ----------
    data : object
        A `Dataset`, RheoJAX's `RheoData`, a pair ``(x, y)``, or a mapping with x and y.
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    num_samples : int
        How many draws.
    warm_start : mapping, optional
        As `SampleTask` has it.
    **options
        As `SampleOptions` has them: the priors are those of that sampling.

    Returns
    -------
    DataTree
        With the groups prior, prior_predictive, observed_data and constant_data, as ArviZ
        takes them; for very many data the predictions are of every k-th draw. A draw without a
        finite prediction has NaN. The attribute `not_finite` counts these among `evaluated`,
        and `priors` describes the priors.

    Raises
    ------
    InputError
        In one line, what is wrong with the input.
    """
    task = SampleTask(
        model, data, num_samples=num_samples, warm_start=warm_start, checkpoint="", **options
    )
    dataset = task.checked_data()
    configure_jax()

    from rheojobs.inference.posterior.posterior import Posterior
    from rheojobs.inference.sampling.starts import start_values

    problem = Problem.of(model, dataset, task.model_config, task.bounds)
    values = start_values(problem, warm_start or {}, task.fixed)
    scatter = (task.likelihood, task.default_priors)
    posterior = Posterior.of(problem, task.priors, values, *scatter, task.fixed, task.bounds)
    # Not the seed itself, of which the noise is drawn: each would follow the other.
    (own,) = np.random.SeedSequence(task.seed).spawn(1)
    drawn = posterior.draw(num_samples, np.random.default_rng(own))
    sites = np.stack([drawn[name] for name in posterior.sites], axis=-1)
    every, predicted = _predict(posterior, sites, task.seed)
    return _as_tree(posterior, drawn, every, predicted)


def _predict(
    posterior: Posterior, sites: NDArray[np.float64], seed: int
) -> tuple[int, NDArray[np.float64]]:
    """Return k, and data simulated from each k-th draw, shape (draws, c, n)."""
    from rheojobs.inference.sampling.predicted_curves import (
        draws_in_a_call,
        in_blocks,
        thinning,
    )
    from rheojobs.inference.sampling.programs import programs_of

    seen = posterior.problem.observations
    _, x, _, mask, _ = posterior.data
    every = thinning(seen, sites.shape[0])

    def evaluate(part: NDArray[np.float64]) -> tuple[Any, ...]:
        predicted, penalty = programs_of(posterior).predict(part, x, mask)
        return predicted[..., : seen.n], penalty

    predicted, penalty = in_blocks(evaluate, sites[::every], draws_in_a_call(posterior.problem))
    picked = np.arange(0, sites.shape[0], every)
    with np.errstate(all="ignore"):  # what overflows is counted
        made = posterior.predictions(picked, predicted[None], sites[None, ::every], seed)
        made = made.predictive()[0]
    made[(penalty != 0) | ~np.isfinite(made).all(axis=(1, 2))] = np.nan
    return every, made


def _as_tree(
    posterior: Posterior,
    drawn: Mapping[str, NDArray[np.float64]],
    every: int,
    predicted: NDArray[np.float64],
) -> DataTree:
    from arviz_base import from_dict

    from rheojobs.inference.sampling.collect import component_names, data_groups

    problem = posterior.problem
    names = component_names(problem)
    dims = {name: ["point"] for name in (*names, "x")}
    prior = {name: values[None, :] for name, values in drawn.items()}
    tree = from_dict({"prior": prior, **data_groups(problem)}, dims=dims)
    predictive = {name: predicted[None, :, column] for column, name in enumerate(names)}
    count = next(iter(drawn.values())).size
    tree["prior_predictive"] = from_dict(
        {"prior_predictive": predictive}, dims=dims, coords={"draw": np.arange(0, count, every)}
    )["prior_predictive"]
    tree.attrs |= {
        "model": problem.model.name,
        "test_mode": problem.test_mode,
        "evaluated": int(predicted.shape[0]),
        "not_finite": int(np.isnan(predicted[:, 0, 0]).sum()),
        "priors": [
            f"{name}: {prior.words}"
            for name, prior in zip(posterior.sites, posterior.priors, strict=True)
        ],
    }
    return tree


def prior_concerns(tree: DataTree) -> list[str]:
    """Return warnings in plain words if the priors do not match the data.

    Parameters
    ----------
    tree : DataTree
        Of `prior_predictive`.
    """
    for group in ("prior_predictive", "observed_data"):
        if group not in tree.children:
            raise InputError(f"this tree has no group {group!r}: give one of prior_predictive()")
    found = []
    evaluated, not_finite = int(tree.attrs["evaluated"]), int(tree.attrs["not_finite"])
    if not_finite:
        found.append(
            f"{100 * not_finite / evaluated:.3g} % of the prior's draws give no finite prediction"
        )
    if evaluated - not_finite < MIN_DRAWS:
        found.append(
            f"{evaluated - not_finite} draws with a prediction are too few to hold against the data"
        )
        return found
    for name, observed in tree["observed_data"].data_vars.items():
        made = np.asarray(tree["prior_predictive"][str(name)])[0]
        made = made[np.isfinite(made).all(axis=1)]
        words = _off(str(name), made, np.asarray(observed))
        if words:
            found.append(words)
    return found


def _off(name: str, made: NDArray[np.float64], observed: NDArray[np.float64]) -> str:
    """Return how predictions, shape (draws, n), miss the data, shape (n,); empty if they do not."""
    label = "data" if name == "y" else f"data ({name.replace('_', ' ')})"
    low, high = np.quantile(made, [0.5 - CENTRAL / 2, 0.5 + CENTRAL / 2], axis=0)
    above, below = float(np.mean(observed > high)), float(np.mean(observed < low))
    if above + below > MAX_OUTSIDE:
        side = "above" if above > below else "below"
        worst = int(np.argmax(observed - high if above > below else low - observed))
        return (
            f"the {label} lie outside the central {100 * CENTRAL:.0f} % of what the priors allow: "
            f"{100 * (above + below):.0f} % of them, most of these {side} it, such as "
            f"{observed[worst]:.3g}, while they allow {low[worst]:.3g} to {high[worst]:.3g}"
        )
    typical, size = float(np.median(np.abs(made))), float(np.median(np.abs(observed)))
    if typical > 0 and size > 0 and abs(math.log10(typical / size)) > MAX_DECADES:
        return (
            f"the priors' predictions are far from the {label}: typically {typical:.2g}, while "
            f"these are {size:.2g}"
        )
    return ""
