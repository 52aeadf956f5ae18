"""Effective draws per second from a fit's parameters, and from a start without knowledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.cases import Case, Sampling
from side_by_side.cases import case as case_of
from side_by_side.child import Child
from side_by_side.sides import Outcome, Rheojobs, alone
from side_by_side.table import Table, ratio, spread

from sampling_study.described import describe_job, sample_in
from sampling_study.jobs import good, quality, rate

__all__ = ["measure", "tables"]

STARTS = {
    "warm": "rheojobs, from the fit (warm)",
    "estimated": "rheojobs, no start given (it estimates one)",
    "defaults": "rheojobs, from the model's defaults (cold)",
    "numpyro_warm": "NumPyro, hot, from the fit (warm)",
    "numpyro_cold": "NumPyro, hot, from its own random start (cold)",
}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Sample from each start with several seeds; all is compiled before."""
    return {model: _measure(case_of(model), settings, say) for model in settings["models"]}


def _measure(
    case: Case, settings: Mapping[str, Any], say: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    values = {"warm": case.start, "estimated": {}, "defaults": case.defaults}
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in STARTS}
    with Rheojobs() as side, Child("sampling_study.numpyro_child") as child:

        def run(key: str, sampling: Sampling) -> Outcome:
            if key in values:
                return side.sample(case, case.data, sampling, values[key])
            start = case.start if key == "numpyro_warm" else None
            return sample_in(child, describe_job(case, case.data, sampling, start))[0]

        for key in ("warm", "estimated", "numpyro_warm"):  # what each needs is compiled
            run(key, Sampling.of(settings))
        for turn in range(settings["repeats"]):
            for key, rows in found.items():
                sampling = Sampling.of(settings, turn)
                outcome = alone(f"{case.model}, {key}", lambda: run(key, sampling), say)  # noqa: B023
                rows.append(outcome.to_record(len(case.data)))
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the starts."""
    columns = ["model and start", "time / s (range)", "least bulk ESS", "ESS per second"]
    columns += ["largest R-hat", "warm against this"]
    table = Table("Warm start against cold start, all compiled before", columns)
    for model, starts in found.items():
        for key, rows in starts.items():
            best = starts["numpyro_warm" if key.startswith("numpyro") else "warm"]
            against = ratio(rate(best), rate(rows), 2)
            table.add(f"{model}: {STARTS[key]}", spread(good(rows)), *quality(rows), against)
    table.notes = [
        "The time of the fit that a warm start needs is not counted.",
        "If R-hat is far above 1.01 the chains have not met, and the ESS means little.",
    ]
    return [table]
