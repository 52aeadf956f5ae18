"""Every model in every test mode it declares, fitted to data simulated from itself.

``python -m tests.inference.every_model --write docs/models.md`` makes the table. It goes on from
``--results``, a line of JSON for each pair, so that it may be stopped and started again.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import json
import math
import os
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from tests.inference.simulated import NOISE, draw, simulate

from rheojobs.engine.engine import JobEngine
from rheojobs.inference.catalogue import catalogue
from rheojobs.inference.data import TEST_MODES, Dataset
from rheojobs.inference.fitting import FitTask
from rheojobs.inference.local import local_context
from rheojobs.inference.models import Model, Parameter, load
from rheojobs.inference.results import FitResult
from rheojobs.inference.rheojax_models import version
from rheojobs.inference.starts import is_logarithmic

POINTS = 40
STARTS = 4
# A prediction takes seconds: fewer points, one start, and one design.
HEAVY = {
    *("hebraud_lequeux", "lattice_epm", "tensorial_epm", "vlb_nonlocal"),
    *("fluidity_nonlocal", "fluidity_saramito_nonlocal", "fikh", "fmlikh"),
    "fractional_burgers",
}
# Other names for a class that is in the list already.
SECOND_NAMES = {
    "giesekus_multimode": "giesekus_multi",
    "giesekus_single": "giesekus",
    "hvm_local": "hvm",
    "hvnm_local": "hvnm",
    "tnt_single_mode": "tnt",
    "vlb_local": "vlb",
}
_STIFF = "its times lie eleven decades apart, and RheoJAX's explicit method is given up"
_NO_YIELDING = "most starts end where nothing yields, and what lies beyond was not found"
_TRUNCATED = (
    "RheoJAX converts between modulus and compliance by least squares of deficient rank, "
    "for every evaluation anew, and clips what is negative"
)
CAUSES = {
    **dict.fromkeys((("stz_conventional", m) for m in ("relaxation", "creep", "laos")), _STIFF),
    ("mikh", "startup"): _NO_YIELDING,
    ("ml_ikh", "laos"): _NO_YIELDING,
    ("ml_ikh", "creep"): "stiff: of 256 points that might be starts two could be solved",
    ("fluidity_local", "relaxation"): "the stress is gone before the first point of every test "
    "that is tried: these data are rounding errors",
    ("fractional_burgers", "relaxation"): _TRUNCATED,
    ("fractional_jeffreys", "creep"): _TRUNCATED,
    ("fractional_zener_ll", "creep"): _TRUNCATED,
}
"""Why, as far as it is known, where a pair did not end well."""


# --- one pair -----------------------------------------------------------------------------------


def fit_pair(name: str, mode: str) -> dict[str, Any]:
    """Fit one model to its own data in one test mode; gives a row of the table."""
    row: dict[str, Any] = {"model": name, "mode": mode, "seconds": 0.0, "note": ""}
    model = load(name)
    if mode in model.refused:
        return row | {"status": "refused", "note": model.refused[mode]}
    started = time.perf_counter()
    heavy = name in HEAVY
    points = max(20, 2 * len(model.parameters)) if heavy else POINTS
    rng = np.random.default_rng(zlib.crc32(f"{name} {mode}".encode()))
    truth = draw(model, rng)
    data, clean, weights = simulate(model, mode, truth, rng, points, first=heavy)
    row |= {"constants": data.protocol, "truth": truth, "simulated": time.perf_counter() - started}
    options = {"weights": weights, "multi_start": 1 if heavy else STARTS}
    if heavy:
        options["max_iter"] = 200
    with local_context() as context:
        result = FitTask(name, data, None, options).run(context)
    row |= {
        "seconds": result.fit_time,
        "converged": result.success,
        "parameters": result.parameters,
        "errors": result.uncertainties,
        "message": result.message,
    }
    return row | judge(model, data, clean, truth, result)


def judge(
    model: Model,
    data: Dataset,
    clean: np.ndarray,
    truth: dict[str, float],
    result: FitResult,
) -> dict[str, Any]:
    """Say whether the parameters came back, and else why not."""
    weak, missed = [], []
    truth = in_fitted_order(model, truth, result.parameters)
    for parameter in model.parameters:
        value, error = result.parameters[parameter.name], result.uncertainties[parameter.name]
        if is_weak(parameter, value, error):
            weak.append(parameter.name)
        elif distance(parameter, value, truth[parameter.name]) > 3 * error:
            missed.append(parameter.name)
    sigma = np.abs(data.y) if result.weights == "relative" else np.ones(len(data))
    misfit = data.y - clean
    if np.iscomplexobj(data.y):
        at_truth = np.sum((misfit.real / data.y.real) ** 2 + (misfit.imag / data.y.imag) ** 2)
    else:
        at_truth = np.sum((misfit / sigma) ** 2)
    loss = float(result.chi_squared / at_truth)
    told: dict[str, Any] = {"loss": loss, "weak": weak, "missed": missed}
    if not loss < 1.05:
        return told | {
            "status": "poor",
            "note": f"ends in a poorer minimum: {loss:.3g} times the loss at the truth",
        }
    if missed:
        linked = partners(model, result, missed)
        if len(linked) == len(missed):
            pairs = ", ".join(f"{one} with {other}" for one, other in linked.items())
            return told | {"status": "weak", "note": f"correlated beyond 0.999: {pairs}"}
        if weak:
            return told | {
                "status": "weak",
                "note": f"not identified: {', '.join(weak)}; "
                f"{', '.join(missed)} further off than 3 standard errors for it",
            }
        return told | {
            "status": "missed",
            "note": "further off than 3 standard errors at a loss as good as the truth's: "
            + ", ".join(missed),
        }
    if not result.success:
        return told | {"status": "poor", "note": f"not converged: {result.message}"}
    if weak:
        return told | {"status": "weak", "note": f"not identified: {', '.join(weak)}"}
    return told | {"status": "recovered"}


def in_fitted_order(
    model: Model, truth: dict[str, float], fitted: dict[str, float]
) -> dict[str, float]:
    """Exchange the modes of a sum of equal modes as the fit has them: their order means nothing."""
    stems: dict[str, list[str]] = {}
    for name in model.names:
        stem, _, number = name.rpartition("_")
        if number.isdigit():
            stems.setdefault(stem, []).append(name)
    groups = [names for names in stems.values() if len(names) > 1]
    if not groups or len({len(names) for names in groups}) > 1:
        return truth

    def arranged(order: tuple[int, ...]) -> dict[str, float]:
        moved = dict(truth)
        for names in groups:
            moved |= {name: truth[names[k]] for name, k in zip(names, order, strict=True)}
        return moved

    def apart(values: dict[str, float]) -> float:
        names = (name for group in groups for name in group)
        return sum(abs(math.log(max(values[n], 1e-9) / max(fitted[n], 1e-9))) for n in names)

    orders = itertools.permutations(range(len(groups[0])))
    return min((arranged(order) for order in orders), key=apart)


def distance(parameter: Parameter, value: float, truth: float) -> float:
    """Give how far a value is off; by the logarithm, scaled back, where that is what is fitted."""
    if is_logarithmic(parameter):
        return value * abs(math.log(value / truth))
    return abs(value - truth)


def is_weak(parameter: Parameter, value: float, error: float) -> bool:
    """Whether the data do not tell a parameter.

    At a bound, or with a standard error beyond a third of the value, or a quarter of the range:
    an error bar that comes of slopes means nothing there.
    """
    lower, upper = parameter.bounds
    if is_logarithmic(parameter):
        return value <= lower * 1.001 or value >= upper / 1.001 or not error < value / 3
    if upper > 100:
        return abs(value - lower) <= 1e-3 * abs(parameter.default or 1.0) or (
            not error < abs(value) / 3
        )
    width = upper - lower
    near = 1e-4 * width
    return value <= lower + near or value >= upper - near or not error < width / 4


def partners(model: Model, result: FitResult, names: list[str]) -> dict[str, str]:
    """Give those of the parameters that only move with another one, and which."""
    assert result.covariance is not None
    spread = np.sqrt(np.diag(result.covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(result.covariance / np.outer(spread, spread))
    np.fill_diagonal(correlation, 0.0)
    linked = {}
    for name in names:
        row = np.abs(correlation[model.names.index(name)])
        if row.max() > 0.999:
            linked[name] = model.names[int(row.argmax())]
    return linked


# --- all pairs ----------------------------------------------------------------------------------


def declared_pairs() -> list[tuple[str, str]]:
    """Give all models with the modes that RheoJAX declares."""
    return [
        (info.name, mode)
        for info in catalogue()
        for mode in TEST_MODES
        if mode in info.test_modes or mode in info.refused
    ]


def run_pairs(pairs: list[tuple[str, str]], results: Path, processes: int, limit: float) -> None:
    """Run what is not among the results yet, and add it; a pair that takes too long is killed."""
    done = {(row["model"], row["mode"]) for row in read_rows(results)}
    waiting = [pair for pair in pairs if pair not in done and pair[0] not in SECOND_NAMES]
    waiting.sort(key=lambda pair: pair[0] in HEAVY)  # what is quick is known soon
    lock = threading.Lock()

    with JobEngine("processes", max_workers=processes) as engine:

        def one(pair: tuple[str, str]) -> None:
            name, mode = pair
            job = engine.submit(_Pair(name, mode))
            begun = time.perf_counter()
            try:
                row = job.result(limit)
            except TimeoutError:
                job.cancel()
                row = {
                    "model": name,
                    "mode": mode,
                    "status": "slow",
                    "note": f"stopped after {limit:g} s",
                }
            except Exception as error:  # what the table is to show
                text = " ".join(str(error).split())
                row = {"model": name, "mode": mode, "status": "failed", "note": text[:300]}
            row["wall"] = time.perf_counter() - begun
            with lock, results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
                print(
                    f"{row['wall']:6.1f} s  {name} {mode}: {row['status']} {row['note']}"[:150],
                    flush=True,
                )

        with concurrent.futures.ThreadPoolExecutor(processes) as threads:
            list(threads.map(one, waiting))


class _Pair:
    """A pair as a task: data that a worker can be sent."""

    def __init__(self, name: str, mode: str) -> None:
        self.pair, self.name, self.affinity = (name, mode), f"{name} {mode}", name

    def validate(self) -> None:
        """Nothing to check."""

    def run(self, context: Any) -> dict[str, Any]:
        """Fit it."""
        from tests.inference.every_model import fit_pair

        return fit_pair(*self.pair)


def read_rows(results: Path) -> list[dict[str, Any]]:
    """Read the rows so far; a pair that was run again counts as it was last."""
    if not results.exists():
        return []
    lines = results.read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines if line)
    return list({(row["model"], row["mode"]): row for row in rows}.values())


MARKS = {
    "recovered": "✓",
    "weak": "◐",
    "missed": "≠",
    "poor": "▽",
    "slow": "…",
    "failed": "!",
    "open": "?",
}
MEANINGS = {
    "recovered": "every parameter came back within 3 standard errors",
    "weak": "the fit is as good as the truth, but these data do not tell some parameters",
    "missed": "the fit is as good as the truth, but a parameter is beyond 3 standard errors",
    "poor": "the fit ended at a poorer minimum than the truth, or did not converge",
    "slow": "stopped after the time limit",
    "failed": "the fit failed",
    "open": "runs, but was not fitted when this page was written",
}


def table(rows: list[dict[str, Any]], command: str) -> str:
    """Write the rows as a page of Markdown."""
    by_pair = {(row["model"], row["mode"]): row for row in rows}
    names = sorted({name for name, _ in by_pair})
    counts = {status: sum(row["status"] == status for row in rows) for status in MARKS}
    refused = sum(row["status"] == "refused" for row in rows)
    ran = sum(bool(row.get("converged")) for row in rows)
    seconds = sorted(row["wall"] for row in rows if row["status"] not in ("refused", "open"))
    lines = [
        "# Every model in every test mode",
        "",
        f"RheoJAX {version()} declares {len(rows)} pairs of model and test mode for {len(names)} "
        f"models: {len(rows) - refused} can be run, {refused} cannot. {ran} were fitted here to a "
        "converged end.",
        "",
        "Each was fitted to data simulated from itself: parameters drawn around their defaults and "
        f"well inside their bounds, {POINTS} points (fewer for the slowest models) with "
        f"{NOISE:.0%} noise, the best of {STARTS} estimated starts (one for the slowest). Where "
        "several disagree or leave a trend, the fit searched beyond them. Since fits do so, and "
        "equations are solved more exactly, most of the pairs that had ended poorly or failed "
        "were fitted again (two of them in twice the time); the others are as "
        "they were fitted before. The draws follow from the names, none was chosen. The "
        "rule for what counts as not identified, "
        "the tests that are tried and the settings of the slowest models were changed after a "
        "first look at some of the results. With more than a thousand parameters, a few are "
        "expected beyond 3 standard errors. Second names of a class ("
        + ", ".join(f"`{second}` of `{first}`" for second, first in SECOND_NAMES.items())
        + ") were not fitted again.",
        "",
        "| mark | pairs | means |",
        "|---|---|---|",
        *(
            f"| {mark} | {counts[status]} | {MEANINGS[status]} |"
            for status, mark in MARKS.items()
            if counts[status]
        ),
        f"| – | {refused} | cannot be run; the reason is below |",
        "| | | not described by the model |",
        "",
        f"A pair took {seconds[len(seconds) // 2]:.0f} s in the middle and {seconds[-1]:.0f} s at "
        "most, on one core of a busy machine, simulating and compiling included. Made by",
        "",
        f"    {command}",
        "",
        "| model | " + " | ".join(mode.replace("_", " ") for mode in TEST_MODES) + " |",
        "|---" * (len(TEST_MODES) + 1) + "|",
    ]
    for name in names:
        cells = []
        for mode in TEST_MODES:
            row = by_pair.get((name, mode))
            cells.append("" if row is None else MARKS.get(row["status"], "–"))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "## Reasons", ""]
    for name in names:
        notes: dict[str, list[str]] = {}
        for mode in TEST_MODES:
            row = by_pair.get((name, mode))
            if row is not None and row["note"]:
                mark = MARKS.get(row["status"], "–")
                note = f"{mark} {row['note']}"
                if row["status"] in ("poor", "slow", "failed") and (name, mode) in CAUSES:
                    note += f" ({CAUSES[name, mode]})"
                notes.setdefault(note, []).append(mode.replace("_", " "))
        lines += [f"- **{name}** {', '.join(modes)}: {note}" for note, modes in notes.items()]
    return "\n".join([*lines, ""])


def with_second_names(
    rows: list[dict[str, Any]], pairs: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Give the rows of the pairs; a second name of a class has those of the first."""
    found = {(row["model"], row["mode"]): row for row in rows}
    refused = {(i.name, mode): why for i in catalogue() for mode, why in i.refused.items()}
    filled = []
    for name, mode in pairs:
        row = found.get((SECOND_NAMES.get(name, name), mode))
        if row is None:
            why = refused.get((name, mode), "")
            row = {"status": "refused" if why else "open", "note": why}
        filled.append(row | {"model": name, "mode": mode})
    return filled


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="where the table goes")
    parser.add_argument("--results", type=Path, default=Path("build/every_model.jsonl"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=150.0, help="seconds for each pair")
    parser.add_argument("--only", default="", help="models whose name holds this")
    given = parser.parse_args()
    given.results.parent.mkdir(parents=True, exist_ok=True)
    pairs = [pair for pair in declared_pairs() if given.only in pair[0]]
    run_pairs(pairs, given.results, given.processes, given.limit)
    if given.write is not None:
        rows = with_second_names(read_rows(given.results), pairs)
        command = f"python -m tests.inference.every_model --write {given.write}"
        given.write.write_text(table(rows, command), encoding="utf-8")


if __name__ == "__main__":
    main()
