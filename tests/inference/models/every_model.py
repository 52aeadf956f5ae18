"""Every model in every test mode it declares, fitted to data simulated from itself.

``python -m tests.inference.models.every_model --write docs/models.md`` makes the table. It goes
on from ``--results``, a line of JSON for each pair, so that it may be stopped and started again;
pairs that are not there are taken from the page as it is, unless ``--afresh`` or ``--pairs`` asks
for them.
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
from tests.inference.models.models_page import (
    POINTS,
    SECOND_NAMES,
    STARTS,
    read_page,
    table,
    with_second_names,
)
from tests.inference.models.simulated import draw, simulate

from rheojobs.engine.engine import JobEngine
from rheojobs.engine.local_context import local_context
from rheojobs.engine.task import TaskContext
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.fits.start_points import is_logarithmic
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.catalogue import catalogue
from rheojobs.inference.models.loading import load
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.results.fit_result import FitResult

LIMIT = 900.0
"""Seconds for each pair."""

# Predictions take long, or parameters are many: fewer points, and the first test that works.
HEAVY = {
    *("hebraud_lequeux", "lattice_epm", "tensorial_epm", "vlb_nonlocal"),
    *("fluidity_nonlocal", "fluidity_saramito_nonlocal", "fikh", "fmlikh"),
    "fractional_burgers",
}
# Of these, an iteration takes so long that one start has to do.
SLOWEST = {"hebraud_lequeux", "lattice_epm", "tensorial_epm", "fluidity_nonlocal"}
# There the search for a start would take longer than the fit: it is given the model's defaults.
FROM_DEFAULTS = {
    ("lattice_epm", "flow_curve"),
    ("tensorial_epm", "flow_curve"),
}


# --- one pair -----------------------------------------------------------------------------------


def fit_pair(name: str, mode: str, context: TaskContext | None = None) -> dict[str, Any]:
    """Fit one model to its own data in one test mode; gives a row of the table.

    Parameters
    ----------
    name, mode : str
        The pair.
    context : TaskContext, optional
        Hears of the fit's progress.
    """
    row: dict[str, Any] = {"model": name, "mode": mode, "seconds": 0.0, "note": ""}
    model = load(name)
    if mode in model.refused:
        return row | {"status": "refused", "note": model.refused[mode]}
    model = model.for_test(mode)
    started = time.perf_counter()
    heavy = name in HEAVY
    points = max(20, 2 * len(model.parameters)) if heavy else POINTS
    rng = np.random.default_rng(zlib.crc32(f"{name} {mode}".encode()))
    truth = draw(model, rng)
    data, clean, weights = simulate(model, mode, truth, rng, points, first=heavy)
    row |= {"constants": data.protocol, "truth": truth, "simulated": time.perf_counter() - started}
    single = name in SLOWEST or (name, mode) in FROM_DEFAULTS
    options = {"weights": weights, "multi_start": 1 if single else STARTS}
    if heavy:
        options["max_iter"] = 200
    initial = defaults(model) if (name, mode) in FROM_DEFAULTS else None
    fitting = FitTask(name, data, initial, options)
    if context is not None:
        result = fitting.run(context)
    else:
        with local_context() as context:
            result = fitting.run(context)
    row |= {
        "seconds": result.fit_time,
        "converged": result.success,
        "parameters": result.parameters,
        "errors": result.uncertainties,
        "message": result.message,
    }
    return row | judge(model, data, clean, truth, result)


def defaults(model: Model) -> dict[str, float]:
    """Give the values that a model has before anything is known."""
    return {p.name: p.default for p in model.parameters if p.default is not None}


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


def run_pairs(
    pairs: list[tuple[str, str]],
    results: Path,
    processes: int,
    limit: float,
    again: bool = False,
) -> None:
    """Run what is not among the results, or again, and add it; what takes too long is killed."""
    done = set() if again else {(row["model"], row["mode"]) for row in read_rows(results)}
    waiting = [pair for pair in pairs if pair not in done and pair[0] not in SECOND_NAMES]
    if not again:
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
                note = f"stopped after {limit:g} s"
                if job.latest_progress is not None and job.latest_progress.current:
                    note += f", in iteration {job.latest_progress.current}"
                row = {"model": name, "mode": mode, "status": "slow", "note": note}
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
        from tests.inference.models.every_model import fit_pair

        return fit_pair(*self.pair, context)


def read_rows(results: Path) -> list[dict[str, Any]]:
    """Read the rows so far; a pair that was run again counts as it was last."""
    if not results.exists():
        return []
    lines = results.read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines if line)
    return list({(row["model"], row["mode"]): row for row in rows}.values())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="where the table goes")
    parser.add_argument("--results", type=Path, default=Path("build/every_model.jsonl"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for each pair")
    parser.add_argument("--only", default="", help="models whose name holds this")
    parser.add_argument("--pairs", nargs="*", default=[], help="such as maxwell:creep: run these")
    parser.add_argument("--afresh", action="store_true", help="take nothing from the page")
    given = parser.parse_args()
    given.results.parent.mkdir(parents=True, exist_ok=True)
    wanted = [tuple(pair.split(":")) for pair in given.pairs]
    pairs = [pair for pair in declared_pairs() if given.only in pair[0]]
    kept = [] if given.afresh or given.write is None else read_page(given.write)
    if wanted:
        run_pairs(wanted, given.results, given.processes, given.limit, again=True)
    else:
        done = {(row["model"], row["mode"]) for row in kept if row["status"] != "open"}
        waiting = [pair for pair in pairs if pair not in done]
        run_pairs(waiting, given.results, given.processes, given.limit)
    if given.write is not None:
        rows = with_second_names([*kept, *read_rows(given.results)], declared_pairs())
        command = f"python -m tests.inference.models.every_model --write {given.write}"
        given.write.write_text(table(rows, command), encoding="utf-8")


if __name__ == "__main__":
    main()
