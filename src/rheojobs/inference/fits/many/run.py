"""Fit many datasets inside a worker: in groups where that is possible, else one by one."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.local_context import local_context
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError, RheojobsError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.many.group import End, fit_group
from rheojobs.inference.fits.many.results import FitResults, Made, Maker
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.fits.run import FitRun
from rheojobs.inference.fits.setup import FitSetup
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.observations import PADDED_MODES
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.machine import processors

__all__ = ["FitManyRun"]

FEWEST = 16
"""Fewer datasets of a kind are fitted one by one: a group's programs take seconds to compile."""

PORTION = 256
"""How many a thread fits between two reports at most."""

LONGEST = 1024
"""Longer datasets are fitted one by one: then the calls cost next to nothing."""


class FitManyRun:
    """Runs the fits of one model to many datasets.

    Parameters
    ----------
    model : str or Model
        The model.
    datasets : sequence of Dataset
        Checked.
    initial : sequence of mapping
        The given initial values of each.
    options : FitOptions
        Of all.
    context : TaskContext
        Receives progress, and checks for pause and cancellation.
    """

    def __init__(
        self,
        model: str | Model,
        datasets: Sequence[Dataset],
        initial: Sequence[Mapping[str, float]],
        options: FitOptions,
        context: TaskContext,
    ) -> None:
        self._initial, self._options, self._context = initial, options, context
        self._setups: list[FitSetup] = []
        kinds: dict[Hashable, FitSetup] = {}
        with context.unstoppable():
            for number, (dataset, given) in enumerate(zip(datasets, initial, strict=True), 1):
                try:
                    problem = Problem.of(model, dataset, options.model_config, options.bounds)
                    kind = (problem.key, id(given))
                    if (known := kinds.get(kind)) is not None:
                        setup = known.of_like(problem)
                    else:
                        setup = kinds[kind] = FitSetup.of(problem, options, given)
                except InputError as error:
                    raise error.within(f"dataset {number} of {len(datasets)}") from None
                self._setups.append(setup)
        self._makers: dict[int, Maker] = {}

    def run(self) -> FitResults:
        """Fit all; if cancelled, hand over those that are done: the others are without success."""
        try:
            for place in self._fit_groups():
                self._context.check()
                self._makers[place] = self._fit_alone(place)
                self._tell()
        except CancellationError:
            self._context.partial(self._results())
            raise
        return self._results()

    def _results(self) -> FitResults:
        """Return the results, and for fits that were not made what says so."""
        makers = [
            self._makers.get(place) or Made(_failed(setup.problem, "cancelled before its fit"))
            for place, setup in enumerate(self._setups)
        ]
        return FitResults(makers)

    def _fit_groups(self) -> list[int]:
        """Fit what can be fitted side by side; return the places of the others."""
        alone: list[int] = []
        portions: list[list[int]] = []
        for places in self._groups().values():
            if len(places) < FEWEST:
                alone += places
                continue
            # So that all processors have some, but none very few.
            size = min(PORTION, max(FEWEST, -(-len(places) // processors())))
            portions += [places[k : k + size] for k in range(0, len(places), size)]
        with ThreadPoolExecutor(processors()) as pool:
            futures = [pool.submit(self._fit_portion, portion) for portion in portions]
            try:
                for done in as_completed(futures):
                    alone += done.result()
                    self._tell()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return sorted(alone)

    def _groups(self) -> dict[Hashable, list[int]]:
        """Return the places of the datasets that programs take together; of others each alone."""
        groups: dict[Hashable, list[int]] = {}
        options = self._options
        is_plain = (
            options.multi_start == 1
            and options.loss == "linear"
            and options.intervals is None
            and options.method == FitOptions().method
        )
        for place, setup in enumerate(self._setups):
            problem, length = setup.problem, setup.problem.coarse_observations.x.size
            is_together = (
                is_plain
                and problem.test_mode in PADDED_MODES
                and not problem.model.forward_mode
                and length <= LONGEST
            )
            key = (id(setup.objective), length, setup.is_given) if is_together else place
            groups.setdefault(key, []).append(place)
        return groups

    def _fit_portion(self, places: Sequence[int]) -> list[int]:
        """Fit some side by side; return the places of those that have to be fitted alone."""
        began = time.perf_counter()
        setups = [self._setups[place] for place in places]
        ends = fit_group(setups, self._context.check)
        seconds = (time.perf_counter() - began) / len(places)
        for place, setup, end in zip(places, setups, ends, strict=True):
            if end is not None:
                found = _Found(setup, end, seconds)
                # Where somebody listens, a cancelled task must hand them over at once.
                self._makers[place] = Made(found()) if self._context.is_heard else found
        return [place for place, end in zip(places, ends, strict=True) if end is None]

    def _fit_alone(self, place: int) -> Made:
        """Fit one as a fit of its own; one that fails does not harm the others."""
        problem = self._setups[place].problem
        try:
            with local_context(None, self._context.token) as quiet:
                result = FitRun(problem, self._options, self._initial[place], quiet).run()
        except RheojobsError as error:
            result = _failed(problem, str(error))
        return Made(result)

    def _tell(self) -> None:
        done, total = len(self._makers), len(self._setups)
        self._context.progress(done, total, f"{done} of {total} fits", stage="fit")


@dataclass(frozen=True, eq=False)
class _Found:
    """A fit that has ended, of which the statistics are not computed yet."""

    setup: FitSetup
    end: End
    seconds: float

    @property
    def parameters(self) -> dict[str, float]:
        """The estimates."""
        return self.setup.objective.coordinates.named(self.end.outcome.u, self.setup.fixed)

    def __call__(self) -> FitResult:
        """Make the result."""
        outcome = self.end.outcome
        result = self.setup.collector.result(
            outcome,
            self.setup.data(),
            outcome.converged,
            outcome.message,
            iterations=self.end.iterations,
            seconds=self.seconds,
        )
        found = {"objective": outcome.cost, "parameters": result.parameters, "starts": 1}
        result.minima = [found]
        return result


def _failed(problem: Problem, message: str) -> FitResult:
    """Return the result of a fit that has none."""
    nothing = dict.fromkeys(problem.model.names, math.nan)
    return FitResult(
        model_name=problem.model.name,
        parameters=nothing,
        r_squared=math.nan,
        mpe=math.nan,
        chi_squared=math.nan,
        fit_time=0.0,
        timestamp=datetime.now(UTC),
        n_iterations=0,
        success=False,
        uncertainties=dict(nothing),
        test_mode=problem.test_mode,
        message=message,
        warnings=[message],
    )
