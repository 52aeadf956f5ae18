"""Run one sampling: its start, its chains, its checkpoint and its result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.events import Progress
from rheojobs.engine.policy.eta import TimeRemaining
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results import diagnostics
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.chains import Chain, ChainSet, Snapshot
from rheojobs.inference.sampling.chunk_length import Pace
from rheojobs.inference.sampling.collect import Collector
from rheojobs.inference.sampling.continuation import Keeper, Restored, packed
from rheojobs.inference.sampling.live_diagnostics import LiveDiagnostics
from rheojobs.inference.sampling.nuts import MAX_TREE_DEPTH, Settings
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.settings import SampleSettings
from rheojobs.inference.sampling.whitening import Geometry, climb

__all__ = ["Sampling", "start_values"]

SPREADS = (1.0, 0.5, 0.1, 0.0)
"""Distances of a chain's start from the center, in posterior standard deviations, to be tried."""

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
        self._geometry: Geometry | None = None
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
        assert self._geometry is not None
        return packed(self._geometry, self._snapshots())

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
        assert self._geometry is not None
        values, sites = self._problem.values, self._geometry.center.size
        if values >= sites:
            return ""
        return (
            f"{values} values for {sites} sampled parameters: the priors decide what the data "
            "leave open"
        )

    def _set_up(self, keeper: Keeper, restored: Restored | None) -> tuple[Collector, Any, Pace]:
        """Choose the start, or restore the chains from a checkpoint; compile the programs."""
        settings = self._settings
        posterior, geometry, residuals = self._place(restored)
        self._geometry = geometry
        keeper.describe(geometry)
        total = settings.num_warmup + settings.num_samples
        if restored is not None:
            self._chains = [
                Chain.of(kept, settings.num_warmup, total) for kept in restored.snapshots
            ]
        else:
            states = self._begin(posterior, geometry)
            self._chains = [Chain(state, settings.num_warmup, total) for state in states]
        collector = Collector(settings, posterior, geometry, residuals)
        advance = self._stepper(posterior, geometry)
        pace = programs_of(posterior).pace(posterior.priors, self._problem.observations.y)
        if not pace.is_known:
            # Compiled before all chains need it at once, and before a cancellation must be quick.
            self._context.check()
            advance(self._chains[0].state, 0, 0)
            self._context.check()
            collector.constrain(np.zeros((1, geometry.center.size)))
        return collector, advance, pace

    def _place(self, restored: Restored | None) -> tuple[Posterior, Geometry, dict[str, float]]:
        """Return the posterior, the chains' coordinates, and the residuals' size at the start."""
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
        y, predicted = self._predict(parameters)
        residuals = posterior.likelihood.residual_scale(problem, y, predicted)
        if restored is not None:
            return posterior, restored.geometry, residuals
        start = posterior.within_priors(parameters)
        if start != parameters:
            y, predicted = self._predict(start)
        noise = posterior.within_priors(posterior.likelihood.start(problem, y, predicted))
        center = posterior.unconstrain(posterior.site_values(start, noise))
        top = climb(posterior, center, self._context.check)
        return posterior, Geometry.at(top, posterior, self._context.check), residuals

    def _stepper(self, posterior: Posterior, geometry: Geometry) -> Any:
        settings = Settings.of(
            self._settings.num_warmup, self._settings.target_accept, MAX_TREE_DEPTH
        )
        kernels, data = programs_of(posterior), posterior.data

        def advance(state: Any, steps: int, leapfrogs: int) -> tuple[Any, Any]:
            result = kernels.advance(state, steps, leapfrogs, settings, geometry, *data)
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
        rows = np.stack(
            [np.concatenate([part.z for part in chain.parts])[:count] for chain in self._chains]
        )
        constrained = collector.constrain(rows.reshape(-1, rows.shape[-1]))
        draws = collector.named(constrained, rows.shape[:2])
        summary = diagnostics.summarize(draws, self._context.check)
        return diagnostics.is_good(summary, self._settings.until_ess)

    def _predict(
        self, parameters: Mapping[str, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the data and the model's prediction, shape (c, n) each."""
        problem = self._problem
        params = np.array([parameters[name] for name in problem.model.names])
        seen = problem.coarse_observations
        predicted = np.asarray(Objective.of(problem).predict(params, seen.x))[:, : seen.n]
        if not np.isfinite(predicted).all():
            start = ", ".join(f"{name} = {value:g}" for name, value in parameters.items())
            raise InputError(
                f"{problem.model.name} gives no finite values at {start}: start elsewhere "
                "(warm_start=)"
            )
        return seen.y[:, : seen.n], predicted

    def _begin(self, posterior: Posterior, geometry: Geometry) -> list[Any]:
        root, spreads = jax.random.PRNGKey(self._settings.seed), np.array(SPREADS)
        begun = [
            programs_of(posterior).begin(root, chain, spreads, geometry, *posterior.data)
            for chain in range(self._settings.num_chains)
        ]
        states = []
        for state, good in begun:
            if not bool(good):
                raise InputError(
                    f"{self._problem.model.name}: the start has no likelihood: give other start "
                    "values (warm_start=), or wider priors"
                )
            if not np.isfinite(state.gradient).all():
                raise InputError(
                    f"{self._problem.model.name} cannot be sampled: it has values at the start, "
                    "but its derivatives are not finite (look at jnp.where, sqrt and abs)"
                )
            states.append(state)
        return states

    def _report(self, live: LiveDiagnostics) -> None:
        settings, chains = self._settings, self._chains
        done = [chain.done for chain in chains]
        warming = any(count < settings.num_warmup for count in done)
        if warming:
            stage, total = "warmup", settings.num_warmup
            in_stage = [min(count, settings.num_warmup) for count in done]
        else:
            drawn = [chain.total - settings.num_warmup for chain in chains]
            stage, total = "sampling", max(settings.num_samples, *drawn)
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
            num_samples=total if not warming else settings.num_samples,
            divergences=divergences,
            time_remaining=self._remaining.update(here, time.monotonic()),
            **_sampler_metrics(chains),
            **live.metrics,
            **live.traces,
        )


def start_values(
    problem: Problem, given: Mapping[str, float], fixed: Mapping[str, float]
) -> dict[str, float]:
    """Return a full set of parameters: the given ones, and estimates of the others.

    Parameters
    ----------
    problem : Problem
        The model and the data.
    given : mapping
        Values of parameters and alternatives, such as a fit's.
    fixed : mapping
        Parameters with a fixed value; these take precedence.
    """
    kept = problem.fixed_values(fixed)
    free = {name: value for name, value in given.items() if name not in kept}
    own = problem.model.resolve_values(free, kept) | kept
    if all(name in own for name in problem.model.names):
        return own
    return Objective.of(problem).estimate(problem, own)


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
