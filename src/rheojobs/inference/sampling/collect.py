"""Make the `BayesianResult` of the chains' draws: parameters, predictions, summary, warnings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import parts_of
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results import diagnostics
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.concerns import concerns
from rheojobs.inference.results.inference_arrays import InferenceArrays
from rheojobs.inference.results.predictions import Predictions
from rheojobs.inference.sampling import posterior_checks
from rheojobs.inference.sampling.chains import Snapshot, joined
from rheojobs.inference.sampling.predicted_curves import (
    in_blocks,
    predicted_band,
    predictions_at,
)
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.settings import SampleSettings
from rheojobs.inference.sampling.starts import Starts
from rheojobs.inference.sampling.warmup.whitening import Geometry

__all__ = ["Collector", "component_names", "data_groups"]

CONSTRAIN_BLOCK = 1000

MAX_SUMMARIZED = 500
"""Draws of each chain that the summary of a cancelled sampling uses."""


def component_names(problem: Problem) -> tuple[str, ...]:
    """Name the observed quantities."""
    return ("storage_modulus", "loss_modulus") if problem.is_complex else ("y",)


def data_groups(problem: Problem) -> dict[str, dict[str, Any]]:
    """Return ArviZ's groups of the observations."""
    names, data = component_names(problem), problem.dataset
    return {
        "observed_data": dict(zip(names, parts_of(data.y), strict=True)),
        "constant_data": {"x": data.x},
    }


def inference_arrays(
    problem: Problem,
    draws: Mapping[str, NDArray[np.float64]],
    stats: Mapping[str, NDArray[Any]],
    predictions: Predictions | None,
) -> InferenceArrays:
    """Collect the arrays from which ArviZ's tree of a sampling is built."""
    attrs = {"model": problem.model.name, "test_mode": problem.test_mode}
    names, data = component_names(problem), data_groups(problem)
    return InferenceArrays(dict(draws), dict(stats), data, names, predictions, attrs)


class Collector:
    """Makes results of one sampling.

    Parameters
    ----------
    settings : SampleSettings
        The settings of the sampling.
    posterior : Posterior
        What is sampled.
    starts : Starts
        The coordinates of the chains, and where they started.
    residuals : mapping
        Their size at the start, by the name of the noise scale.
    """

    def __init__(
        self,
        settings: SampleSettings,
        posterior: Posterior,
        starts: Starts,
        residuals: Mapping[str, float],
    ) -> None:
        self._settings = settings
        self._posterior = posterior
        self._problem = posterior.problem
        self._residuals = residuals
        self._starts = starts

    def constrain(self, rows: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Map the sampler's coordinates of each chain, shape (k, d), to the sites' values."""
        geometries = self._starts.geometries
        found: dict[int, NDArray[np.float64]] = {}
        for geometry in {id(each): each for each in geometries}.values():
            # In one call for all that have the same coordinates.
            own = [k for k in range(len(rows)) if geometries[k % len(geometries)] is geometry]
            if own:
                values = self._constrained(np.concatenate([rows[k] for k in own]), geometry)
                ends = np.cumsum([len(rows[k]) for k in own])[:-1]
                found |= dict(zip(own, np.split(values, ends), strict=True))
        return [found[k] for k in range(len(rows))]

    def _constrained(self, rows: NDArray[np.float64], geometry: Geometry) -> NDArray[np.float64]:
        posterior = self._posterior
        if not len(rows):
            return rows
        (values,) = in_blocks(
            lambda part: (programs_of(posterior).constrain(part, geometry, posterior.priors),),
            rows,
            CONSTRAIN_BLOCK,
        )
        return posterior.with_sorted_modes(values)

    def named(
        self, constrained: NDArray[np.float64], shape: tuple[int, int]
    ) -> dict[str, NDArray[np.float64]]:
        """Return draws of the parameters, then of the other sites, shape (chains, draws)."""
        sites = {name: constrained[:, column] for column, name in enumerate(self._posterior.sites)}
        self._posterior.add_replaced(sites)
        order = [name for name in self._problem.model.names if name in sites]
        order += [name for name in sites if name not in order]
        return {name: sites[name].reshape(shape) for name in order}

    def result(
        self,
        snapshots: Sequence[Snapshot],
        seconds: float,
        check: Callable[[], None] | None,
    ) -> BayesianResult | None:
        """Make the result; None if a chain has no draw yet.

        Parameters
        ----------
        snapshots : sequence of Snapshot
            The chains. Longer ones are cut to the length of the shortest.
        seconds : float
            The time that the sampling took.
        check : callable or None
            Called between two steps of the work; None makes a partial result, quickly: without
            predictions, with the band of curves if one call gives it, and with a summary of some
            draws if there are very many.
        """
        is_partial = check is None
        counts = [sum(len(part.energy) for part in snapshot.parts) for snapshot in snapshots]
        count, chains = min(counts), len(snapshots)
        if count < 1:
            return None
        all_draws = [joined(snapshot.parts) for snapshot in snapshots]

        def column(name: str) -> NDArray[Any]:
            return np.stack([getattr(draws, name)[:count] for draws in all_draws])

        w = column("z")
        constrained = np.concatenate(self.constrain(list(w)))
        draws = self.named(constrained, (chains, count))
        stats = {
            "diverging": column("diverging"),
            "energy": column("energy"),
            "acceptance_rate": column("accept"),
            "n_steps": column("leapfrogs"),
            "tree_depth": np.floor(np.log2(np.maximum(column("leapfrogs"), 1))).astype(int) + 1,
            "reached_max_treedepth": column("cut_short").astype(bool),
            "step_size": column("step_size"),
            "lp": -column("potential"),
        }
        # A cancellation waits for this: some of very many draws are enough.
        every = math.ceil(count / MAX_SUMMARIZED) if is_partial else 1
        some = {name: values[:, ::every] for name, values in draws.items()}
        with ThreadPoolExecutor(1) as beside:  # the model, while NumPy summarizes
            sites = constrained.reshape(chains, count, -1)
            predicting = beside.submit(self._predict, sites, check)
            summary = diagnostics.summarize(some, check)
            intervals = diagnostics.credible_intervals(some)
            predictions, band = predicting.result()
        return BayesianResult(
            model_name=self._problem.model.name,
            posterior_samples={name: values.reshape(-1) for name, values in draws.items()},
            summary=summary,
            diagnostics=self._report(summary, stats, draws, predictions, is_partial),
            num_samples=count,
            num_chains=chains,
            sampling_time=seconds,
            timestamp=datetime.now(UTC),
            credible_intervals=intervals,
            num_warmup=self._settings.num_warmup,
            inference_data=inference_arrays(self._problem, draws, stats, predictions),
            curve_band=band,
            is_partial=is_partial,
            test_mode=self._problem.test_mode,
            units=self._units(draws),
            seed=self._settings.seed,
        )

    def _report(
        self,
        summary: Mapping[str, Mapping[str, float]],
        stats: Mapping[str, NDArray[Any]],
        draws: Mapping[str, NDArray[np.float64]],
        predictions: Predictions | None,
        is_partial: bool,
    ) -> dict[str, Any]:
        posterior = self._posterior
        report: dict[str, Any] = {
            key: {name: row[key] for name, row in summary.items()}
            for key in ("r_hat", "ess_bulk", "ess_tail")
        }
        report |= {
            "divergences": int(stats["diverging"].sum()),
            "bfmi": diagnostics.bfmi(stats["energy"]),
            "acceptance": float(stats["acceptance_rate"].mean()),
            "leapfrogs": int(stats["n_steps"].sum()),
            "step_size": [float(value) for value in stats["step_size"][:, -1]],
            "cut_short": int(stats["reached_max_treedepth"].sum()),
            "stuck": diagnostics.stuck_chains(draws),
            "still": diagnostics.still(draws),
            "not_finite": diagnostics.not_finite(draws),
            "outside": posterior_checks.outside(posterior, draws),
            "noise_ratio": posterior_checks.noise_ratios(posterior, draws, self._residuals),
            "noise_share": posterior_checks.noise_shares(posterior, draws, self._residuals),
            "undetermined": []
            if is_partial
            else posterior_checks.undetermined(posterior, summary, draws),
            "likelihood": posterior.likelihood.name,
            "priors": {
                name: prior.words
                for name, prior in zip(posterior.sites, posterior.priors, strict=True)
            },
            "fixed": dict(posterior.fixed),
            "starts": self._starts.report,
            "modes": self._starts.report.get("modes", 1),
        }
        if posterior.likelihood.is_known and predictions is not None:
            report["misfit"] = posterior_checks.misfit(predictions)
        known = {} if is_partial else posterior_checks.at_bounds(posterior, summary)
        lost = report["undetermined"]
        report["at_bounds"] = {name: words for name, words in known.items() if name not in lost}
        report["warnings"] = [
            *self._problem.model.concerns(self._problem.test_mode),
            *concerns(report, stats["energy"].size),
        ]
        return report

    def _units(self, draws: Mapping[str, Any]) -> dict[str, str]:
        model, data = self._problem.model, self._problem.dataset
        units = {parameter.name: parameter.unit for parameter in model.parameters}
        units |= {other.name: other.unit for other in model.alternatives}
        noise = "" if self._posterior.likelihood.relative else data.y_unit
        return {name: units.get(name, noise) for name in draws}

    def _predict(
        self, sites: NDArray[np.float64], check: Callable[[], None] | None
    ) -> tuple[Predictions | None, dict[str, NDArray[Any]] | None]:
        """Return the predictions at the draws and the band of their curves, as far as wanted."""
        predictions = None
        if check is not None and self._settings.keep_predictions:
            predictions = predictions_at(self._posterior, sites, self._settings.seed, check)
        return predictions, predicted_band(self._posterior, sites, predictions, check)
