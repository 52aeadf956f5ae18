"""The comparison of whole jobs: takes turns, checks that the results agree, tells it in a table."""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from rheojobs import Dataset
    from side_by_side.cases import Case, Sampling
    from side_by_side.sides import Outcome, Side

    type Job = Callable[[Side, Dataset], Outcome]

__all__ = ["agreement_of_draws", "main", "plain"]

RESULTS = Path(__file__).parents[1] / "results"
NONE = "–"

DECADES = 100.0
"""Ratio of the 95 % to the 5 % quantile above which a parameter is compared by its logarithm."""


@dataclass
class Kind:
    """The jobs of one kind, fits or samplings, of one case.

    Attributes
    ----------
    turns : dict of str to list of Outcome
        By side: the first job, then the second ones.
    others : list of (int, Outcome)
        This project's jobs on other numbers of points, each for the first time.
    new_pool : dict of str to Outcome
        This project's first job in a new pool, with compiled programs on disk: ``"at once"``, and
        ``"once warm"``, when its workers have imported what they need.
    """

    turns: dict[str, list[Outcome]]
    others: list[tuple[int, Outcome]] = field(default_factory=list)
    new_pool: dict[str, Outcome] = field(default_factory=dict)

    def first(self, side: str) -> Outcome:
        """The first job of a side."""
        return self.turns[side][0]

    def seconds(self, side: str) -> list[float]:
        """Times of the second jobs of a side; none where one failed."""
        outcomes = self.turns[side][1:]
        return [] if any(item.error for item in outcomes) else [item.seconds for item in outcomes]

    def last(self, side: str) -> Outcome:
        """The last job of a side, by which results are compared."""
        return self.turns[side][-1]


@dataclass
class Comparison:
    """Both kinds of job of one case."""

    case: Case
    fit: Kind
    sample: Kind


class Runner:
    """Runs cases on both sides by turns.

    Parameters
    ----------
    ours, theirs : Side
        The sides.
    repeats : int
        How many second jobs.
    sampling : Sampling
        How to sample.
    say : callable
        Takes a line that tells how far it is.
    """

    def __init__(
        self,
        ours: Side,
        theirs: Side,
        repeats: int,
        sampling: Sampling,
        say: Callable[[str], object],
    ) -> None:
        self._ours, self._theirs = ours, theirs
        self._repeats = repeats
        self._sampling = sampling
        self._say = say

    def run(self, case: Case) -> Comparison:
        """Fit and sample on both sides; the samplings of both start from this project's fit."""
        others = case.others[: self._repeats]

        def fit(side: Side, data: Dataset) -> Outcome:
            return side.fit(case, data)

        def sample(side: Side, data: Dataset) -> Outcome:
            return side.sample(case, data, self._sampling, start)

        self._ours.open()
        self._theirs.open()
        fits = Kind(self._turns(f"{case.model} fit", fit, case.data))
        fits.others = self._on_others("fit", others, fit)
        found = [fits.last(side.name).parameters for side in (self._ours, self._theirs)]
        start = found[0] or found[1]
        samplings = Kind(self._turns(f"{case.model} sampling", sample, case.data))
        samplings.others = self._on_others("sampling", others, sample)
        self._theirs.close()
        fits.new_pool = self._in_new_pools("fit", fit, case.data)
        samplings.new_pool = self._in_new_pools("sampling", sample, case.data)
        return Comparison(case, fits, samplings)

    def _on_others(
        self, what: str, others: Sequence[Dataset], job: Job
    ) -> list[tuple[int, Outcome]]:
        return [
            (len(data), self._one(self._ours, f"{what}, {len(data)} points", job, data))
            for data in others
        ]

    def _turns(self, what: str, job: Job, data: Dataset) -> dict[str, list[Outcome]]:
        turns: dict[str, list[Outcome]] = {self._ours.name: [], self._theirs.name: []}
        for number in range(1 + self._repeats):
            for side in (self._ours, self._theirs):
                done = turns[side.name]
                if not (done and done[-1].error):  # what fails once fails again
                    done.append(
                        self._one(side, f"{what} {number + 1}", job, data, is_first=number == 0)
                    )
        return turns

    def _one(
        self, side: Side, what: str, job: Job, data: Dataset, is_first: bool = False
    ) -> Outcome:
        from side_by_side.machine import wait_until_quiet

        # Not for this project's first job: it may not profit from workers that are warm.
        if not (is_first and side is self._ours) and not wait_until_quiet():
            self._say("  the children do not come to rest; the next time may be too long")
        outcome = job(side, data)
        end = f"failed: {outcome.error}" if outcome.error else f"{outcome.seconds:.3f} s"
        self._say(f"  {what}, {side.name}: {end}")
        return outcome

    def _in_new_pools(self, what: str, job: Job, data: Dataset) -> dict[str, Outcome]:
        outcomes = {}
        for when in ("at once", "once warm"):
            self._ours.close()
            self._ours.open()
            label = f"{what}, new pool, {when}"
            outcomes[when] = self._one(self._ours, label, job, data, is_first=when == "at once")
        self._ours.close()
        return outcomes


def agreement_of_fits(ours: Outcome, theirs: Outcome) -> dict[str, float]:
    """Give the relative difference of each parameter."""
    return {
        name: abs(value - theirs.parameters[name]) / abs(theirs.parameters[name])
        for name, value in ours.parameters.items()
        if theirs.parameters.get(name)
    }


def agreement_of_draws(ours: Outcome, theirs: Outcome) -> dict[str, dict[str, float]]:
    """Give, by parameter, how far the means are apart and the ratio of the deviations.

    The means' distance is given in posterior standard deviations and in Monte Carlo errors. A
    parameter that spans decades is compared by its logarithm: a few draws make up its mean.
    """
    found = {}
    for name in ours.posterior:
        if name not in theirs.posterior:
            continue
        rows = [side.posterior[name] for side in (ours, theirs)]
        logs = [side.logarithms.get(name) for side in (ours, theirs)]
        label = name
        if all(logs) and any(row["q95"] > DECADES * row["q05"] for row in rows):
            label, rows = f"log10 {name}", [row for row in logs if row is not None]
        a, b = rows
        apart = abs(a["mean"] - b["mean"])
        error = math.hypot(a["mcse_mean"], b["mcse_mean"])
        found[label] = {
            "means_in_sd": apart / math.sqrt((a["std"] ** 2 + b["std"] ** 2) / 2),
            "means_in_mcse": apart / error if error > 0 else math.nan,
            "sd_ratio": a["std"] / b["std"],
        }
    return found


def _seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _cell(outcome: Outcome) -> str:
    seconds = _seconds(outcome.seconds)
    return f"failed after {seconds}" if outcome.error else seconds


def _median_cell(times: Sequence[float]) -> str:
    if not times:
        return "failed"
    if len(times) == 1:
        return _seconds(times[0])
    low, high = _seconds(min(times)), _seconds(max(times))
    return f"{_seconds(statistics.median(times))} ({low}–{high})"


def _ratio(numerator: float, denominator: float) -> str:
    if not (math.isfinite(numerator) and denominator > 0):
        return NONE
    ratio = numerator / denominator
    return f"{ratio:.1f}×" if ratio < 10 else f"{ratio:.0f}×"


def _median(times: Sequence[float]) -> float:
    return statistics.median(times) if times else math.nan


def show(console: Console, comparison: Comparison, ours: str, theirs: str) -> None:
    """Print the table of a case, and how far the results agree."""
    from rich import box
    from rich.table import Table

    table = Table(title=comparison.case.title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("job")
    table.add_column("which")
    for side in (ours, theirs):
        table.add_column(f"{side} / s", justify="right")
    table.add_column("ratio", justify="right")
    for label, kind in (("fit", comparison.fit), ("sampling", comparison.sample)):
        first = [kind.first(side) for side in (ours, theirs)]
        good = not any(outcome.error for outcome in first)
        ratio = _ratio(first[1].seconds, first[0].seconds) if good else NONE
        table.add_row(label, "first, nothing compiled", *map(_cell, first), ratio)
        times = [kind.seconds(side) for side in (ours, theirs)]
        count = max(len(kind.turns[side]) - 1 for side in (ours, theirs))
        name = f"second (median of {count}, range)" if count > 1 else "second"
        ratio = _ratio(_median(times[1]), _median(times[0]))
        cells = [
            "failed" if kind.first(side).error else _median_cell(kind.seconds(side))
            for side in (ours, theirs)
        ]
        table.add_row("", f"[bold]{name}", *cells, f"[bold]{ratio}")
        for points, outcome in kind.others:
            table.add_row("", f"first on {points} points", _cell(outcome), "", "")
        for when, outcome in kind.new_pool.items():
            table.add_row("", f"first in a new pool, {when}", _cell(outcome), "", "")
        if kind is comparison.sample:
            _add_quality(table, kind, ours, theirs)
        table.add_section()
    console.print(table)
    for line in _agreement_lines(comparison, ours, theirs):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    console.print()


def _add_quality(table: Any, kind: Kind, ours: str, theirs: str) -> None:
    last = [kind.last(side) for side in (ours, theirs)]
    ess = [outcome.min_ess for outcome in last]
    rates = [
        value / _median(kind.seconds(side)) for value, side in zip(ess, (ours, theirs), strict=True)
    ]
    cells = [NONE if math.isnan(value) else f"{value:.0f}" for value in ess]
    table.add_row("", "least bulk ESS (no time)", *cells, "")
    cells = [NONE if math.isnan(value) else f"{value:.0f}" for value in rates]
    table.add_row("", "least bulk ESS per second, whole job", *cells, _ratio(*rates))
    cells = [NONE if outcome.error else str(outcome.divergences) for outcome in last]
    table.add_row("", "divergences (no time)", *cells, "")


def _agreement_lines(comparison: Comparison, ours: str, theirs: str) -> list[str]:
    lines = []
    for label, kind in (("fit", comparison.fit), ("sampling", comparison.sample)):
        for side in (ours, theirs):
            if error := kind.last(side).error:
                lines.append(f"{label}, {side}: failed: {error}")
    fits = agreement_of_fits(comparison.fit.last(ours), comparison.fit.last(theirs))
    if fits:
        worst = max(fits, key=lambda name: fits[name])
        lines.append(f"fits agree: relative difference at most {fits[worst]:.1e} ({worst})")
    draws = agreement_of_draws(comparison.sample.last(ours), comparison.sample.last(theirs))
    if draws:
        worst = max(draws, key=lambda name: draws[name]["means_in_sd"])
        row = draws[worst]
        ratios = [item["sd_ratio"] for item in draws.values()]
        lines.append(
            f"posteriors: means at most {row['means_in_sd']:.3f} sd apart ({worst}; "
            f"{row['means_in_mcse']:.1f} Monte Carlo errors), sd ratios "
            f"{min(ratios):.2f}–{max(ratios):.2f}, over {', '.join(draws)}"
        )
    return lines


def plain(value: Any) -> Any:
    """Bring a report to what JSON knows."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _record(comparison: Comparison, ours: str, theirs: str) -> dict[str, Any]:
    kinds = {"fit": comparison.fit, "sample": comparison.sample}
    record: dict[str, Any] = {
        "model": comparison.case.model,
        "data": comparison.case.data.name,
        "test_mode": comparison.case.data.test_mode,
        "points": len(comparison.case.data),
    }
    for label, kind in kinds.items():
        medians = [_median(kind.seconds(side)) for side in (ours, theirs)]
        record[label] = {
            "second_median": dict(zip((ours, theirs), medians, strict=True)),
            "ratio": medians[1] / medians[0],
            "jobs": {side: [asdict(item) for item in kind.turns[side]] for side in kind.turns},
            "other_lengths": [
                {"points": points, **asdict(outcome)} for points, outcome in kind.others
            ],
            "new_pool": {when: asdict(outcome) for when, outcome in kind.new_pool.items()},
        }
    pair = (comparison.fit.last(ours), comparison.fit.last(theirs))
    record["fit"]["relative_difference"] = agreement_of_fits(*pair)
    pair = (comparison.sample.last(ours), comparison.sample.last(theirs))
    record["sample"]["agreement"] = agreement_of_draws(*pair)
    return record


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="whole_jobs.py",
        description="Whole-job times, submit to completed, beside RheoJAX's own job system.",
    )
    parser.add_argument(
        "--repeats", type=int, default=3, metavar="N", help="second jobs of each kind (default 3)"
    )
    parser.add_argument("--quick", action="store_true", help="one repeat, fewer draws: a check")
    parser.add_argument(
        "--json",
        type=Path,
        default=RESULTS / "whole_jobs.json",
        metavar="OUT",
        help="where all numbers go (default benchmarks/results/whole_jobs.json)",
    )
    arguments = parser.parse_args(argv)
    if arguments.repeats < 1:
        parser.error("--repeats must be at least 1")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison; gives the exit status."""
    arguments = _arguments(argv)
    from rich.console import Console

    from side_by_side import machine

    try:
        import PySide6  # noqa: F401
        import rheojax  # noqa: F401
    except ImportError as error:
        print(f"the comparison needs the extras rheology and gui: {error}", file=sys.stderr)
        return 2
    console = Console(width=None if sys.stdout.isatty() else 110)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["RHEOJAX_WORKER_ISOLATION"] = "subprocess"
    machine.compile_bytecode()
    left = 0
    with ExitStack() as stack:
        caches = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="rheojobs-bench-", ignore_cleanup_errors=True)
        )
        machine.empty_caches(Path(caches))
        stack.enter_context(machine.children_write_to(RESULTS / "whole_jobs.log"))
        try:
            status = _compare(arguments, console)
        except KeyboardInterrupt:
            console.print("stopped")
            status = 130
        finally:
            left = machine.end_children()
    told = "none" if left == 0 else f"{left}, ended now"
    console.print(f"processes left behind: {told}")
    return status


def _compare(arguments: argparse.Namespace, console: Console) -> int:
    """Run all cases, print and write what was found."""
    from PySide6.QtCore import QCoreApplication

    from side_by_side import machine
    from side_by_side.cases import Sampling, cases
    from side_by_side.sides import Rheojax, Rheojobs, stoppable

    app = QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
    repeats = 1 if arguments.quick else arguments.repeats
    sampling = Sampling(num_warmup=100, num_samples=200) if arguments.quick else Sampling()
    before = machine.describe()
    versions = ", ".join(f"{name} {value}" for name, value in before["versions"].items())
    console.print(
        f"{before['processor']}, {before['cores']} cores, {before['memory_gib']} GiB, "
        f"load {before['load']}\n{versions}\n"
        f"samplings: {sampling.num_chains} chains, {sampling.num_warmup} warm-up + "
        f"{sampling.num_samples} draws, from this project's fit, seed {sampling.seed}",
        highlight=False,
    )
    started = time.perf_counter()
    ours, theirs = Rheojobs(), Rheojax()
    runner = Runner(ours, theirs, repeats, sampling, lambda line: print(line, file=sys.stderr))
    found: list[Comparison] = []
    with stoppable():
        try:
            for case in cases():
                if "SYNTHETIC" in case.data.name:
                    console.print("no measured data (set RHEOJOBS_DATA): synthetic ones instead")
                found.append(runner.run(case))
        finally:
            ours.close()
            theirs.close()
    console.print()
    for comparison in found:
        show(console, comparison, ours.name, theirs.name)
    report = {
        "machine": before,
        "load_at_the_end": round(os.getloadavg()[0], 2),
        "seconds": round(time.perf_counter() - started, 1),
        "repeats": repeats,
        "sampling": asdict(sampling),
        "cases": [_record(comparison, ours.name, theirs.name) for comparison in found],
    }
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(plain(report), indent=2) + "\n", encoding="utf-8")
    console.print(
        f"took {report['seconds']:.0f} s, load at the end {report['load_at_the_end']}; "
        f"all numbers in {arguments.json}",
        highlight=False,
        soft_wrap=True,
    )
    del app
    ok = all(not kind.last(ours.name).error for item in found for kind in (item.fit, item.sample))
    return 0 if ok else 1
