"""Whole jobs, submit to completed, of all systems by turns on the same new data."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.cases import Case, Sampling
from side_by_side.cases import case as case_of
from side_by_side.child import Child
from side_by_side.sides import Outcome, Rheojax, Rheojobs, alone, means_apart
from side_by_side.table import Table, median, number, ratio, seconds, spread

from rheojobs import Dataset
from sampling_study.described import describe_job, sample_in

__all__ = ["column", "good", "measure", "rate", "tables"]

OURS, THEIRS = "rheojobs", "RheoJAX"

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


class _Systems:
    """The systems of one case, each ready to be asked for a job."""

    def __init__(
        self, case: Case, sampling: Sampling, folder: Path, stack: contextlib.ExitStack
    ) -> None:
        self._case, self._sampling, self._folder = case, sampling, folder
        self._stack = stack
        self._children: dict[str, Child] = {}
        self._cache = self._new_cache()
        self._pools = {
            OURS: stack.enter_context(Rheojobs()),
            THEIRS: stack.enter_context(Rheojax()),
        }
        self.more: dict[str, Any] = {}

    def turns(self, names: Sequence[str]) -> dict[str, Turn]:
        """Return the systems of those names; the hot ones have seen a job of this kind."""
        hot = {"numpyro": {}, "numpyro_dense": {"nuts": DENSE}, "nutpie": {}}
        turns: dict[str, Turn] = {
            OURS: partial(self.pool, OURS),
            "new_filled": lambda data: self._new_process(data, self._cache),
            "new_empty": lambda data: self._new_process(data, self._new_cache()),
            THEIRS: partial(self.pool, THEIRS),
            "numpyro_new": self._new_numpyro,
            **{name: partial(self._hot, name, more) for name, more in hot.items()},
        }
        for name in ("numpyro", "nutpie", "new_filled"):
            if name in names:
                turns[name](self._case.data)
        return {name: turns[name] for name in names}

    def pool(self, side: str, data: Dataset) -> Outcome:
        """Sample in a pool, from the fit."""
        return self._pools[side].sample(self._case, data, self._sampling, self._case.start)

    def _new_cache(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="cache-", dir=self._folder))

    def _job(self, data: Dataset) -> dict[str, Any]:
        return describe_job(self._case, data, self._sampling, self._case.start)

    def _hot(self, name: str, more: Mapping[str, Any], data: Dataset) -> Outcome:
        module = f"sampling_study.{name.removesuffix('_dense')}_child"
        if module not in self._children:
            self._children[module] = self._stack.enter_context(Child(module))
        return sample_in(self._children[module], {**self._job(data), **more})[0]

    def _new_numpyro(self, data: Dataset) -> Outcome:
        with Child("sampling_study.numpyro_child") as child:
            return sample_in(child, self._job(data), begins="started")[0]

    def _new_process(self, data: Dataset, cache: Path) -> Outcome:
        """Run a job in a new application, with the compiled programs of that folder."""
        environment = {"RHEOJOBS_CACHE_DIR": str(cache)}
        with Child("sampling_study.first_child", environment) as child:
            outcome, self.more = sample_in(child, self._job(data), begins="submitted")
        return outcome


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Give RheoJAX's next process an empty home, and so an empty cache."""
    before = os.environ["HOME"]
    os.environ["HOME"] = tempfile.mkdtemp(prefix="home-", dir=folder)
    try:
        yield
    finally:
        os.environ["HOME"] = before


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run the jobs of each model."""
    names = settings.get("systems", tuple(SYSTEMS))
    cases = [case_of(model) for model in settings["models"]]
    return {case.model: _measure(case, names, settings, folder, say) for case in cases}


def _measure(
    case: Case,
    names: Sequence[str],
    settings: Mapping[str, Any],
    folder: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    extra: dict[str, dict[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        systems = _Systems(case, Sampling.of(settings), folder, stack)

        def run(what: str, turn: Turn, data: Dataset) -> Outcome:
            return alone(f"{case.model}, {what}, {len(data)} points", lambda: turn(data), say)

        def run_extra(key: str, what: str, side: str, data: Dataset) -> None:
            outcome = run(what, partial(systems.pool, side), data)
            extra[key] = outcome.to_record(len(data))

        run_extra("first_in_warm_pool", "rheojobs, nothing compiled", OURS, case.data)
        with _home(folder):
            run_extra("theirs_empty", "RheoJAX, cache empty", THEIRS, case.data)
        turns = systems.turns(names)
        for turn in range(settings["repeats"]):
            data = case.others[turn % len(case.others)]
            outcomes, records = {}, {}
            by = 3 * turn % len(names)
            for name in (*names[by:], *names[:by]):
                if not (found[name] and "error" in found[name][-1]):  # what fails once fails again
                    systems.more = {}
                    outcomes[name] = run(name, turns[name], data)
                    records[name] = outcomes[name].to_record(len(data), **systems.more)
            for name, record in records.items():
                found[name].append(
                    record | means_apart(outcomes.get(OURS, Outcome(0.0)), outcomes[name])
                )
        run_extra("theirs_again", "RheoJAX, those data again", THEIRS, data)
        run_extra("other_bucket", "rheojobs, another bucket", OURS, case.far)
    return {"title": case.title, "start": case.start, "systems": found, "extra": extra}


def good(rows: Sequence[Mapping[str, Any]], name: str = "seconds") -> list[float]:
    """Return the values of a column of the jobs that did not fail."""
    return [row[name] for row in rows if "error" not in row and row.get(name) is not None]


def column(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    """Return the median of a column."""
    return median(good(rows, name))


def rate(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the median of the effective draws per second."""
    pairs = zip(good(rows, "min_ess"), good(rows), strict=True)
    return median(ess / took for ess, took in pairs)


def quality(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the cells of ESS, ESS per second and R-hat."""
    ess = number(column(rows, "min_ess"))
    return [ess, number(rate(rows)), number(column(rows, "max_r_hat"), 3)]


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the whole jobs of each model, the second job of its kind as the measure."""
    return [_table(part) for part in found.values()]


def _table(found: Mapping[str, Any]) -> Table:
    columns = ["job, on new data of another length", "time / s (range)", "times ours"]
    columns += ["least bulk ESS", "ESS per second", "largest R-hat", "divergences"]
    table = Table(found["title"], [*columns, "means apart / sd"])
    systems, extra = found["systems"], found["extra"]
    times = {name: column(rows, "seconds") for name, rows in systems.items()}
    for name, rows in systems.items():
        apart = number(column(rows, "means_apart_in_sd"), 2)
        table.add(
            SYSTEMS[name],
            spread(good(rows)) if good(rows) else "failed",
            ratio(times[name], times[OURS]),
            *quality(rows),
            number(column(rows, "divergences")),
            apart,
        )
    single = {name: column([row], "seconds") for name, row in extra.items()}
    first, bucket = (seconds(single[name]) for name in ("first_in_warm_pool", "other_bucket"))
    words = f"RheoJAX's job takes {ratio(times[THEIRS], times[OURS])} our second job"
    if "new_filled" in times:
        empty = ratio(single["theirs_empty"], times["new_empty"])
        words += (
            f", {ratio(times[THEIRS], times['new_filled'])} our first of a new process with a "
            f"filled cache, and {empty} with empty caches on both sides"
        )
        start = seconds(column(systems["new_filled"], "from_interpreter_start"))
        table.notes.append(f"From the start of our interpreter, cache filled: {start} s.")
    table.notes += [
        f"{words} (its first, with an empty cache: {seconds(single['theirs_empty'])} s).",
        f"RheoJAX's job on data that it has seen, so that its cache holds the program: "
        f"{seconds(single['theirs_again'])} s.",
        f"Our first job in a warm pool with nothing compiled: {first} s; our first job on a length "
        f"in another bucket ({extra['other_bucket']['points']} points), compiling: {bucket} s.",
    ]
    failed = [(name, row) for name, rows in systems.items() for row in rows if "error" in row]
    table.notes += [f"{SYSTEMS[name]}: failed: {row['error']}" for name, row in failed]
    return table
