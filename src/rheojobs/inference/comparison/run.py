"""Run a comparison: all fits as jobs of an engine, then the samplings of the best.

The caller calls `poll` regularly, so that a window or a terminal can show the progress. Imports no
JAX.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rheojobs.engine import JobEngine, ProcessExecutor
from rheojobs.engine.jobs.attempt import Attempt
from rheojobs.errors import InputError, RheojobsError
from rheojobs.inference.comparison.candidates import Candidate, ModelLike, candidates_of
from rheojobs.inference.comparison.common_parameters import Shared, ask_names
from rheojobs.inference.comparison.descriptions import described
from rheojobs.inference.comparison.leave_one_out import ScoredSampling, with_scores
from rheojobs.inference.comparison.options import CompareOptions
from rheojobs.inference.comparison.ranking import (
    Comparison,
    LeftOut,
    common_data,
    common_weights,
    compared,
    rank,
)
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.catalogue import ModelInfo, catalogue
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.likelihood_names import likelihood_of_weights
from rheojobs.inference.problem.weights import check_weights
from rheojobs.inference.readiness.warm_up import PRELOAD
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.machine import processors

__all__ = ["ComparisonRun", "available_workers", "compare"]

SAMPLED = 5
"""How many of the best fits are sampled."""

SAMPLING_PATIENCE = 5.0
"""The time limit of a sampling, in units of that of a fit."""

SAMPLING = {"num_warmup": 500, "num_samples": 1000, "num_chains": 4}
FRAME = 1 / 15


def available_workers() -> int:
    """Return the number of processors, at most four: each worker holds JAX in memory."""
    return min(4, processors())


class ComparisonRun:
    """A running comparison.

    Parameters
    ----------
    engine : JobEngine
        Where the jobs run.
    data : object
        As `Dataset.of` takes them.
    models : iterable, optional
        Names, `Model` objects, or pairs of a name and its settings; all of the catalogue that
        describe the test mode by default.
    bayes : bool
        Sample the best, and rank them by leave-one-out.
    timeout : float or None
        Seconds that a fit may take; a sampling gets five times as many. None sets no limit.
    sampling : mapping, optional
        Settings of the samplings, as `SampleTask` has them.
    options : mapping, optional
        Of the fits, as `FitOptions` has them. Fixed and tied parameters, and bounds, apply to
        the models that have them.

    Attributes
    ----------
    dataset : Dataset
        The data of all fits.
    weights : str
        Of all fits.
    notes : list of str
        Decisions for all models, in plain words.
    candidates : list of Candidate
        All models, in the order in which they were given.
    """

    def __init__(
        self,
        engine: JobEngine,
        data: object,
        models: Iterable[ModelLike] | None = None,
        *,
        bayes: bool = CompareOptions.bayes,
        timeout: float | None = CompareOptions.timeout,
        sampling: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        given = FitOptions.of(options)
        if timeout is not None and not timeout > 0:
            words = f"{{timeout}} must be a positive number of seconds, got {timeout}"
            raise InputError(words, options=("timeout",))
        if given.loss != "linear":
            raise InputError(
                "models are ranked by a likelihood: compare them without a robust loss"
            )
        if given.model_config:
            raise InputError("settings go with the model that takes them: ('name', {...})")
        if bayes and given.tied:
            raise InputError(
                "parameters can be tied in fits only: compare without {bayes}, or without {tied}",
                options=("bayes", "tied"),
            )
        dataset = Dataset.of(data, test_mode=given.test_mode, protocol=given.protocol)
        dataset.require_test_mode()
        check_weights(given.weights, dataset)
        self.dataset = common_data(dataset)
        self.weights = given.weights or common_weights(self.dataset)
        self.notes: list[str] = [self._words_on_weights(given.weights is not None)]
        self._engine = engine
        self._bayes = bayes
        self._timeout = timeout
        self._sampling = {**SAMPLING, **(sampling or {})}
        self._options = dict(options or {}) | {"weights": self.weights, "protocol": {}}
        self._options["test_mode"] = self.dataset.test_mode
        self._stopped = False
        self._chosen = False
        self.candidates = self._gather(models)
        self._shared = self._share(given)
        # Models with few parameters are mostly quick, and should not wait for the others.
        for candidate in sorted(self.candidates, key=lambda candidate: len(candidate.names)):
            if candidate.state == "waiting":
                self._submit_fit(candidate)

    # ---------------------------------------------------------------- what users call

    def poll(self) -> bool:
        """Process ended jobs, start the next and stop slow ones; return True at the end."""
        for candidate in self.candidates:
            if candidate.attempt is not None and candidate.attempt.ended():
                self._take_up(candidate, candidate.attempt)
        if not all(candidate.is_settled for candidate in self.candidates):
            return False
        if self._bayes and not self._chosen and not self._stopped:
            self._chosen = True
            self._submit_samplings()
            return all(candidate.is_settled for candidate in self.candidates)
        return True

    def cancel(self) -> None:
        """Cancel running jobs and keep finished results; poll until all have stopped."""
        self._stopped = True
        for candidate in self.candidates:
            if candidate.attempt is not None:
                candidate.attempt.job.cancel()

    def result(self) -> Comparison:
        """Return the ranking of the models finished so far."""
        fitted = [one.fitted for one in self.candidates if one.fitted is not None]
        scored = {one.label: one.scored for one in self.candidates if one.scored}
        rows = with_scores(rank(self.dataset, fitted), scored)
        rows.sort(key=lambda row: -row.loo.elpd if row.loo else float("inf"))
        return Comparison(
            self.dataset,
            self.weights,
            tuple(rows),
            tuple(self._left_out()),
            by_loo=bool(scored),
            is_partial=self._stopped,
            notes=tuple(self.notes),
        )

    # ---------------------------------------------------------------- inside

    def _words_on_weights(self, given: bool) -> str:
        kind = {
            "relative": "relative weights for all: each residual divided by its value",
            "divided": "relative weights for all: each residual divided by its value",
            "uniform": "uniform weights for all: all residuals count the same",
            "sigma": "weights for all by the data's own standard deviations",
        }[self.weights]
        return f"{kind} ({'as requested' if given else 'chosen by the data'})"

    def _gather(self, models: Iterable[ModelLike] | None) -> list[Candidate]:
        """List the models, with the reason for those that cannot be compared."""
        mode = self.dataset.require_test_mode()
        if models is None:
            relevant = [info for info in catalogue() if mode in (*info.test_modes, *info.refused)]
            found = [Candidate(info.name, info.name) for info in relevant]
        else:
            found = candidates_of(models)
        seen: dict[Any, str] = {}
        for candidate, info in zip(found, described(self._engine, found), strict=True):
            candidate.names = tuple(parameter.name for parameter in info.parameters)
            reason = self._unsuitable(info)
            if models is None and not reason:
                same = (info.parameters, info.test_modes, info.description)
                reason = f"the same model as {seen[same]}" if same in seen else ""
                seen.setdefault(same, info.name)
            if reason:
                candidate.state, candidate.reason = "unsuitable", reason
        return found

    def _unsuitable(self, info: ModelInfo | Model) -> str:
        """Return why a model cannot be compared on these data; empty if it can."""
        mode = self.dataset.require_test_mode()
        if mode in info.refused:
            return info.refused[mode]
        if mode not in info.test_modes:
            return f"does not describe {mode}; it describes {', '.join(info.test_modes) or 'none'}"
        other = mode == "flow_curve" and info.flow_quantity not in self.dataset.quantity
        if other and self.weights == "uniform":
            return (
                f"predicts {info.flow_quantity}, the data are {self.dataset.quantity}: with "
                "uniform weights the fits cannot be compared"
            )
        return ""

    def _share(self, given: FitOptions) -> Shared:
        """Find which model has which of the fixed, tied and bounded parameters."""
        fitted = [one for one in self.candidates if one.state == "waiting"]
        if not (given.fixed or given.tied or given.bounds) or not fitted:
            return Shared()
        configured = [one for one in fitted if one.config and isinstance(one.model, str)]
        asked = [(str(one.model), one.config) for one in configured]
        for one, own in zip(configured, ask_names(self._engine, asked), strict=True):
            one.names = own
        names = {one.label: one.names for one in fitted}
        shared = Shared.of(given.fixed, given.tied, names, given.bounds)
        self.notes += shared.words(names)
        return shared

    def _submit_fit(self, candidate: Candidate) -> None:
        options = self._options | {"model_config": dict(candidate.config)}
        options |= self._shared.options(candidate.names)
        task = FitTask(candidate.model, self.dataset, None, options)
        candidate.attempt = Attempt(self._engine.submit(task, timeout=self._timeout))
        candidate.state = "fitting"

    def _submit_samplings(self) -> None:
        fitted = [one.fitted for one in self.candidates if one.fitted is not None]
        good = [
            row
            for row in rank(self.dataset, fitted)
            if row.fit.success and not row.same_as and row.free
        ]
        chosen = {row.label: row.fit for row in good[:SAMPLED]}
        if not chosen:
            return
        which = ", ".join(chosen)
        few = f"the best {len(chosen)} of {len(good)}" if len(good) > len(chosen) else "all"
        self.notes.append(f"sampled: {few} that converged, by AICc ({which})")
        likelihood = likelihood_of_weights(self.weights)
        limit = None if self._timeout is None else SAMPLING_PATIENCE * self._timeout
        for candidate in self.candidates:
            if candidate.label not in chosen:
                continue
            settings = {"likelihood": likelihood, "checkpoint": ""} | self._sampling
            task = SampleTask(
                candidate.model,
                self.dataset,
                fit=chosen[candidate.label],
                model_config=dict(candidate.config),
                **settings,
            )
            candidate.attempt = Attempt(self._engine.submit(ScoredSampling(task), timeout=limit))
            candidate.state = "sampling"

    def _take_up(self, candidate: Candidate, attempt: Attempt) -> None:
        """Store the result of an ended job."""
        candidate.attempt = None
        failure = attempt.failure
        if not failure and candidate.state == "sampling":
            candidate.scored, candidate.state = attempt.result, "sampled"
        elif not failure:
            try:
                candidate.fitted = compared(candidate.label, self.dataset, attempt.result)
                candidate.state = "fitted"
            except (RheojobsError, ArithmeticError) as error:
                candidate.state, candidate.reason = "failed", str(error)
        elif candidate.state == "sampling":
            candidate.state, candidate.reason = "fitted", failure
        elif failure == "stopped" and self._stopped:
            candidate.state, candidate.reason = "stopped", failure
        else:
            candidate.state, candidate.reason = "failed", failure
        attempt.job.forget()

    def _left_out(self) -> Iterable[LeftOut]:
        for one in self.candidates:
            if one.state in ("unsuitable", "failed", "stopped"):
                yield LeftOut(one.label, one.reason, one.state)
            elif one.attempt is not None and one.fitted is None:
                yield LeftOut(one.label, "not done yet", "stopped")
            elif one.reason and one.scored is None:
                yield LeftOut(one.label, one.reason, "not sampled")


def compare(
    data: object,
    models: Iterable[ModelLike] | None = None,
    *,
    engine: JobEngine | None = None,
    bayes: bool = CompareOptions.bayes,
    timeout: float | None = CompareOptions.timeout,
    sampling: Mapping[str, Any] | None = None,
    callback: Callable[[ComparisonRun], object] | None = None,
    **options: Any,
) -> Comparison:
    """Fit several models to the same data, in parallel, and rank them.

    Parameters
    ----------
    data : object
        A `Dataset`, RheoJAX's `RheoData`, a pair ``(x, y)``, or a mapping with x and y.
    models : iterable, optional
        Names, formulas, `Model` objects, or pairs of a name and its settings, such as
        ``("generalized_maxwell", {"n_modes": 6})``; all of the catalogue that describe the test
        mode by default.
    engine : JobEngine, optional
        Where the fits run; by default, new worker processes.
    bayes : bool
        Sample the best five that converged, each from its fit; rank them by PSIS-LOO, and
        estimate their evidence.
    timeout : float or None
        Seconds that a fit may take until it is stopped and listed; a sampling gets five times
        as many. None sets no limit.
    sampling : mapping, optional
        Settings of the samplings, as `SampleTask` has them.
    callback : callable, optional
        Called about fifteen times a second with the `ComparisonRun`; an exception that it raises
        ends the comparison.
    **options
        Of all fits, as `FitOptions` has them. Weights are chosen once, from the data. Fixed and
        tied parameters, and bounds, apply to the models that have them.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the data or an option cannot be used, or a model is unknown. A model that does
        not suit the data, or whose fit fails, is listed in `left_out`.
    """
    own = engine is None
    if engine is None:
        workers = ProcessExecutor(max_workers=available_workers(), preload=PRELOAD, spares=0)
        engine = JobEngine(workers)
    run: ComparisonRun | None = None
    try:
        run = ComparisonRun(
            engine,
            data,
            models,
            bayes=bayes,
            timeout=timeout,
            sampling=sampling,
            options=options,
        )
        while not run.poll():
            if callback is not None:
                callback(run)
            time.sleep(FRAME)
        return run.result()
    finally:
        if run is not None:
            run.cancel()
        if own:
            engine.shutdown()
