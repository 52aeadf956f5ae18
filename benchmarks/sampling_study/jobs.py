"""Whole jobs, submit to completed, of all systems by turns on the same new data."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from side_by_side.comparison import agreement_of_draws
from side_by_side.sides import Outcome, Rheojax, Rheojobs, outcome_of_draws

from rheojobs import Dataset
from sampling_study.cases import SamplingCase, describe_job
from sampling_study.children import Child, ChildError
from sampling_study.study import Study, record

__all__ = ["SYSTEMS", "compare_jobs"]

OURS = "rheojobs"
THEIRS = "RheoJAX"

SYSTEMS = {
    OURS: "rheojobs: second job of its kind",
    "new_filled": "rheojobs: first job of a new process, cache filled",
    "new_empty": "rheojobs: first job of a new process, cache empty",
    THEIRS: "RheoJAX's job system (a process for each job)",
    "numpyro_new": "NumPyro in a new process",
    "numpyro": "NumPyro in a hot process",
    "numpyro_dense": "NumPyro in a hot process, dense mass matrix, acceptance 0.95",
    "nutpie": "nutpie in a hot process",
}
"""The systems that take turns, in the order of the table."""

DENSE = {"dense_mass": True, "target_accept_prob": 0.95}

type Turn = Callable[[Dataset], Outcome]


class _Turns:
    """The systems of one case, each ready to be asked for a job."""

    def __init__(self, study: Study, case: SamplingCase, stack: contextlib.ExitStack) -> None:
        self._study, self._case = study, case
        self._sampling = study.sampling
        self.ours, self.theirs = Rheojobs(), Rheojax()
        for side in (self.ours, self.theirs):
            stack.callback(side.close)
            side.open()
        scratch = study.scratch
        self._numpyro = stack.enter_context(Child("numpyro_child", scratch))
        self._nutpie = stack.enter_context(Child("nutpie_child", scratch))
        self._cache = Path(tempfile.mkdtemp(prefix="cache-", dir=scratch))
        self.details: dict[str, dict[str, Any]] = {}

    def heat(self) -> None:
        """Let the hot processes, and the cache of new ones, see a job of this kind."""
        data = self._case.case.data
        for child in (self._numpyro, self._nutpie):
            with contextlib.suppress(ChildError):  # told where it counts
                child.sample(self._describe(data))
        self.new_process(data, self._cache, "heat")

    def turns(self) -> dict[str, Turn]:
        """Give the systems, by key of `SYSTEMS`."""
        return {
            OURS: self.sample_ours,
            "new_filled": lambda data: self.new_process(data, self._cache, "new_filled"),
            "new_empty": self._new_and_empty,
            THEIRS: self.sample_theirs,
            "numpyro_new": self._numpyro_new,
            "numpyro": lambda data: self._hot(self._numpyro, data),
            "numpyro_dense": lambda data: self._hot(self._numpyro, data, nuts=DENSE),
            "nutpie": lambda data: self._hot(self._nutpie, data),
        }

    def sample_ours(self, data: Dataset) -> Outcome:
        return self.ours.sample(self._case.case, data, self._sampling, self._case.start)

    def sample_theirs(self, data: Dataset) -> Outcome:
        return self.theirs.sample(self._case.case, data, self._sampling, self._case.start)

    def _describe(self, data: Dataset) -> dict[str, Any]:
        return describe_job(self._case, data, self._sampling, self._case.start)

    def _hot(self, child: Child, data: Dataset, **more: Any) -> Outcome:
        return self._study.sample_in(child, {**self._describe(data), **more}, self._sampling)

    def _numpyro_new(self, data: Dataset) -> Outcome:
        with Child("numpyro_child", self._study.scratch) as child:
            return self._study.sample_in(
                child, self._describe(data), self._sampling, since_start=True
            )

    def _new_and_empty(self, data: Dataset) -> Outcome:
        cache = Path(tempfile.mkdtemp(prefix="cache-", dir=self._study.scratch))
        try:
            return self.new_process(data, cache, "new_empty")
        finally:
            shutil.rmtree(cache, ignore_errors=True)

    def new_process(self, data: Dataset, cache: Path, key: str) -> Outcome:
        """Run a job in a new application, with programs compiled before in that folder or none."""
        environment = {"RHEOJOBS_CACHE_DIR": str(cache)}
        with Child("first_child", self._study.scratch, environment) as child:
            try:
                _, draws, said = child.sample(self._describe(data))
            except ChildError as error:
                return Outcome(0.0, str(error))
            submitted, done = said["submitted"], said["done"]
        self.details[key] = {"from_interpreter_start": done - child.started}
        flat = {name: values.reshape(-1) for name, values in draws.items()}
        return outcome_of_draws(done - submitted, flat, said["divergences"], self._sampling)


def _rotated(keys: list[str], by: int) -> list[str]:
    by %= len(keys)
    return keys[by:] + keys[:by]


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Give RheoJAX's next process an empty home, and so an empty cache."""
    before = os.environ["HOME"]
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = str(folder)
    try:
        yield
    finally:
        os.environ["HOME"] = before


def compare_jobs(study: Study, model: str) -> dict[str, Any]:
    """Run one model's jobs; gives what was found, as JSON takes it."""
    case = study.case(model)
    sampling = study.sampling
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in SYSTEMS}
    extra: dict[str, dict[str, Any]] = {}

    def alone(what: str, turn: Turn, data: Dataset) -> Outcome:
        return study.alone(f"{model}, {what}, {len(data)} points", lambda: turn(data))

    with contextlib.ExitStack() as stack:
        turns = _Turns(study, case, stack)
        first = case.case.data
        extra["first_in_warm_pool"] = record(
            alone("rheojobs, nothing compiled", turns.sample_ours, first), len(first)
        )
        with _home(study.scratch / f"home-{model}-{time.time_ns()}"):
            outcome = alone("RheoJAX, cache empty", turns.sample_theirs, first)
        extra["theirs_empty"] = record(outcome, len(first))
        turns.heat()
        systems = turns.turns()
        for number in range(study.repeats):
            data = case.case.others[number % len(case.case.others)]
            outcomes = {}
            for key in _rotated(list(systems), 3 * number):
                if not (found[key] and "error" in found[key][-1]):  # what fails once fails again
                    outcomes[key] = alone(key, systems[key], data)
            for key in systems:
                if key in outcomes:
                    kept = record(outcomes[key], len(data), **turns.details.get(key, {}))
                    kept |= _distance(outcomes[OURS], outcomes[key])
                    found[key].append(kept)
        outcome = alone("RheoJAX, those data again", turns.sample_theirs, data)
        extra["theirs_again"] = record(outcome, len(data))
        extra["other_bucket"] = record(
            alone("rheojobs, another bucket", turns.sample_ours, case.far), len(case.far)
        )
    return {
        "title": case.case.title,
        "start": case.start,
        "priors": dict(case.case.priors),
        "sampling": vars(sampling) | {},
        "systems": found,
        "extra": extra,
    }


def _distance(ours: Outcome, other: Outcome) -> dict[str, Any]:
    """Say how far the means of two posteriors are apart at most, in standard deviations."""
    rows: Mapping[str, Mapping[str, float]] = agreement_of_draws(ours, other)
    if not rows or ours is other:
        return {}
    worst = max(rows, key=lambda name: rows[name]["means_in_sd"])
    return {"means_apart_in_sd": rows[worst]["means_in_sd"], "of": worst}
