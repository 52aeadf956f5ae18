"""Run one sampling: its start, its chains, its checkpoint and its result."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.engine.policy.eta import TimeRemaining
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError
from rheojobs.inference.posterior.likelihood_names import weights_of_likelihood
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.devices import on_device
from rheojobs.inference.programs.pace import Pace
from rheojobs.inference.results import diagnostics
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.evidence import Evidence
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.chains import Chain, ChainSet, Snapshot
from rheojobs.inference.sampling.collect import Collector
from rheojobs.inference.sampling.continuation import Keeper, Restored, packed
from rheojobs.inference.sampling.first_states import first_states, is_nearly_gaussian
from rheojobs.inference.sampling.importance.evidence import evidence_of
from rheojobs.inference.sampling.importance.modes import Modes
from rheojobs.inference.sampling.importance.preview import preview_of
from rheojobs.inference.sampling.live_diagnostics import LiveDiagnostics
from rheojobs.inference.sampling.nuts import Settings
from rheojobs.inference.sampling.predicted_curves import prepare
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.settings import SampleSettings
from rheojobs.inference.sampling.starts import (
    Starts,
    curve_of,
    find_starts,
    start_values,
)

__all__ = ["Sampling"]

SURE, CAREFUL = 0.85, 0.95
"""Target acceptance where a posterior is nearly Gaussian, and elsewhere, where steps must be short.

The first gives 1.0 to 1.3 times the effective draws a second (benchmarks/posteriors.py). A chain
that diverges in its warm-up goes over to the second: not all posteriors that need it are seen.
"""

FIRST_LOOK = 100
LOOK_GROWTH = 1.5
"""With a target ESS: draws of each chain at the first check, and their growth from check to check.

Counts, not times, so that the same seed stops at the same draw.
"""


class Sampling:
    """Runs a sampling through its stages.

    Parameters
    ----------
    settings : SampleSettings
        The settings of the sampling.
    problem : Problem
        The model and the data.
    context : TaskContext
        Receives progress, and checks for pause and cancellation.
    """

    def __init__(self, settings: SampleSettings, problem: Problem, context: TaskContext) -> None:
        self._settings = settings
        self._problem = problem
        self._context = context
        self._started = time.perf_counter()
        self._chains: list[Chain] = []
        self._starts: Starts | None = None
        self._posterior: Posterior | None = None
        self._preview: dict[str, Any] = {}
        self._note = ""
        self._remaining = TimeRemaining()

    def run(self) -> BayesianResult:
        """Sample; if it is cancelled, keep the draws so far."""
        context = self._context
        keeper = Keeper(self._settings, self._problem, context)
        restored, self._note = keeper.restore()
        context.check()
        context.progress(0, 0, self._note or "compiling", stage="compile")
        with context.unstoppable():
            collector, advance, pace = self._set_up(keeper, restored)
        live = LiveDiagnostics(collector)

        def tick() -> None:
            live.update(self._chains)
            self._report(live)
            keeper.tick(self._chains, context.paused)

        def look() -> BayesianResult | None:
            return collector.result(self._snapshots(), self._seconds(), None)

        context.on_inspect(look)
        try:
            chain_set = ChainSet(
                self._chains,
                advance,
                pace,
                context.check,
                tick,
                context.token.is_cancelled,
            )
            self._run_chains(chain_set, collector)
            context.progress(0, 0, "summarizing", stage="summary")
            result = collector.result(self._snapshots(), self._seconds(), context.check)
        except CancellationError:
            self._keep(keeper, look)
            raise
        assert result is not None
        keeper.done(self._chains, context.is_tidied)
        self._add_note(result)
        return result

    def segment(self) -> Segment:
        """Return the state and the draws of each chain, once all is drawn."""
        assert self._starts is not None
        return packed(self._starts, self._snapshots())

    def evidence(self) -> Evidence:
        """Return the evidence of the model, once all is drawn."""
        assert self._posterior is not None
        assert self._starts is not None
        return evidence_of(
            self._posterior,
            self._starts,
            self._snapshots(),
            self._settings.seed,
            self._context.check,
        )

    def _keep(self, keeper: Keeper, look: Callable[[], BayesianResult | None]) -> None:
        """Store the draws on disk, and hand over a partial result, at the same time."""
        saving = threading.Thread(target=keeper.save, args=(self._chains,))
        saving.start()
        partial = look()
        saving.join()
        if partial is not None:
            partial.checkpoint = keeper.folder
            self._add_note(partial)
            self._context.partial(partial)

    def _snapshots(self) -> list[Snapshot]:
        return [chain.snapshot() for chain in self._chains]

    def _seconds(self) -> float:
        return time.perf_counter() - self._started

    def _add_note(self, result: BayesianResult) -> None:
        notes = [self._note, self._few_values()]
        result.diagnostics["warnings"] += [note for note in notes if note]

    def _few_values(self) -> str:
        """Return a warning if there are fewer values than sampled parameters; else nothing."""
        assert self._starts is not None
        values, sites = self._problem.values, self._starts.geometries[0].center.size
        if values >= sites:
            return ""
        return (
            f"{values} values for {sites} sampled parameters: the priors decide what the data "
            "leave open"
        )

    def _set_up(self, keeper: Keeper, restored: Restored | None) -> tuple[Collector, Any, Pace]:
        """Choose the start, or restore the chains from a checkpoint; compile the programs."""
        settings = self._settings
        posterior, starts, residuals = self._place(restored)
        self._posterior, self._starts = posterior, starts
        keeper.describe(starts)
        collector = Collector(settings, posterior, starts, residuals)
        if restored is None:
            self._report_preview(collector)
        first = settings.num_samples if settings.until_ess is None else FIRST_LOOK
        total = settings.num_warmup + min(first, settings.most_draws)
        if restored is not None:
            self._chains = [
                Chain.of(kept, settings.num_warmup, total, number)
                for number, kept in enumerate(restored.snapshots)
            ]
        else:
            states = first_states(posterior, starts, settings.num_chains, settings.seed)
            self._chains = [
                Chain(state, settings.num_warmup, total, number=number)
                for number, state in enumerate(states)
            ]
        advance = self._stepper(posterior, starts)
        pace = programs_of(posterior).pace(posterior.priors, self._problem.observations.y)
        if not pace.is_known:
            # Compiled before all chains need it at once, and before a cancellation must be quick.
            self._context.check()
            advance(self._chains[0], 0, 0)
            self._context.check()
            collector.constrain([np.zeros((1, len(posterior.sites)))])
            prepare(posterior)
        return collector, advance, pace

    def _report_preview(self, collector: Collector) -> None:
        """Report a preview, if anybody is listening and there is a maximum."""
        posterior, starts = self._posterior, self._starts
        assert posterior is not None
        assert starts is not None
        if not self._context.is_heard or not starts.report.get("arrived", True):
            return

        def named(sites: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
            draws = collector.named(posterior.with_sorted_modes(sites), (1, len(sites)))
            return {name: values[0] for name, values in draws.items()}

        modes = Modes.of(posterior, starts)
        self._preview = preview_of(modes, named, self._settings.seed, self._context.check)
        if self._preview:
            self._context.progress(0, 0, "compiling", stage="compile", **self._preview)

    def _place(self, restored: Restored | None) -> tuple[Posterior, Starts, dict[str, float]]:
        """Return the posterior, where the chains start, and the residuals' size at the start."""
        settings, problem = self._settings, self._problem
        parameters = start_values(problem, settings.warm_start, settings.fixed)
        posterior = Posterior.of(
            problem,
            settings.priors,
            parameters,
            settings.likelihood,
            settings.default_priors,
            settings.fixed,
            settings.bounds,
        )
        y, predicted = curve_of(problem, parameters)
        residuals = posterior.likelihood.residual_scale(problem, y, predicted)
        if restored is not None:
            return posterior, restored.starts, residuals
        others = [start_values(problem, place, settings.fixed) for place in settings.other_starts]
        chains, check = settings.num_chains, self._context.check
        starts = find_starts(
            posterior, parameters, others, chains, settings.seed, check, self._fitted
        )
        with_target = starts.report | {"target_accept": self._target_accept(posterior, starts)}
        return posterior, replace(starts, report=with_target), residuals

    def _target_accept(self, posterior: Posterior, starts: Starts) -> float:
        """Return the given target, or the one that suits the shape of the posterior."""
        if self._settings.target_accept is not None:
            return self._settings.target_accept
        return SURE if is_nearly_gaussian(posterior, starts, self._settings.seed) else CAREFUL

    def _fitted(self) -> dict[str, float]:
        """Return the parameters of a fit with the noise of the sampling; empty if it is refused."""
        from rheojobs.inference.fits.options import FitOptions
        from rheojobs.inference.fits.run import FitRun

        settings = self._settings
        assert settings.likelihood is not None  # the task has chosen one
        given = {
            "weights": weights_of_likelihood(settings.likelihood),
            "fixed": settings.fixed,
            "bounds": settings.bounds,
        }
        try:
            with local_context(token=self._context.token) as quiet:
                return FitRun(self._problem, FitOptions.of(given), {}, quiet).run().parameters
        except InputError:  # fewer data than parameters
            return {}

    def _stepper(self, posterior: Posterior, starts: Starts) -> Any:
        given, target = self._settings, starts.report.get("target_accept", CAREFUL)
        careful = CAREFUL if given.target_accept is None else None
        plans = [
            Settings.of(given.num_warmup, target, given.max_tree_depth, each.is_round, careful)
            for each in starts.geometries
        ]
        places = on_device(list(zip(plans, starts.geometries, strict=True)))
        kernels, data = programs_of(posterior), posterior.data

        def advance(chain: Chain, steps: int, leapfrogs: int) -> tuple[Any, Any]:
            settings, geometry = places[chain.number % len(places)]
            result = kernels.advance(chain.state, steps, leapfrogs, settings, geometry, *data)
            return jax.block_until_ready(result)  # type: ignore[no-any-return]

        return advance

    def _run_chains(self, chain_set: ChainSet, collector: Collector) -> None:
        """Advance the chains to the end; with a target ESS, until the draws are good enough."""
        settings, chains = self._settings, self._chains
        if settings.until_ess is None:
            chain_set.run()
            return
        most = settings.most_draws
        wanted = min(FIRST_LOOK, most)
        while True:
            for chain in chains:
                chain.total = settings.num_warmup + wanted
            chain_set.run()
            if wanted >= most or self._good_enough(collector, wanted):
                return
            wanted = min(most, max(wanted + 1, int(wanted * LOOK_GROWTH)))

    def _good_enough(self, collector: Collector, count: int) -> bool:
        assert self._settings.until_ess is not None
        rows = [np.concatenate([part.z for part in chain.parts])[:count] for chain in self._chains]
        constrained = np.concatenate(collector.constrain(rows))
        draws = collector.named(constrained, (len(rows), count))
        summary = diagnostics.summarize(draws, self._context.check)
        return diagnostics.is_good(summary, self._settings.until_ess)

    def _report(self, live: LiveDiagnostics) -> None:
        settings, chains = self._settings, self._chains
        done = [chain.done for chain in chains]
        warming = any(count < settings.num_warmup for count in done)
        if warming:
            stage, total = "warmup", settings.num_warmup
            in_stage = [min(count, settings.num_warmup) for count in done]
        else:
            stage, total = "sampling", self._expected_draws(live)
            in_stage = [count - settings.num_warmup for count in done]
        divergences = sum(chain.divergences for chain in chains)
        here = Progress(sum(in_stage), total * len(chains), stage=stage)
        self._context.progress(
            here.current,
            here.total,
            f"{'warm-up' if warming else 'sampling'}, {divergences} divergences{live.words}",
            stage=stage,
            chains=done,
            num_warmup=settings.num_warmup,
            num_samples=self._expected_draws(live),
            divergences=divergences,
            time_remaining=self._remaining.update(here, time.monotonic()),
            **_sampler_metrics(chains),
            **(live.metrics or self._preview),
            **live.traces,
        )

    def _expected_draws(self, live: LiveDiagnostics) -> int:
        """Return how many draws of each chain there will be; with a wanted ESS, as it grows."""
        settings = self._settings
        planned = max(chain.total for chain in self._chains) - settings.num_warmup
        if settings.until_ess is None:
            return max(settings.num_samples, planned)
        drawn = min(chain.done for chain in self._chains) - settings.num_warmup
        ess = min(live.metrics.get("ess_bulk", {}).values(), default=0.0)
        if drawn > 0 and ess > 0:  # not NaN
            needed = math.ceil(drawn * settings.until_ess / ess)
            planned = max(planned, min(settings.most_draws, needed))
        return planned


def _sampler_metrics(chains: list[Chain]) -> dict[str, list[float]]:
    """Return step size, acceptance and tree depth of each chain's last draws."""
    metrics: dict[str, list[float]] = {"step_size": [], "acceptance": [], "tree_depth": []}
    for chain in chains:
        latest = chain.latest
        if latest is None or len(latest.energy) == 0:
            return {}
        leapfrogs: NDArray[Any] = np.maximum(latest.leapfrogs, 1)
        metrics["step_size"].append(float(latest.step_size[-1]))
        metrics["acceptance"].append(float(latest.accept.mean()))
        metrics["tree_depth"].append(float(np.mean(np.floor(np.log2(leapfrogs)) + 1)))
    return metrics
