"""The job against its own compiled kernel: what else its time is spent on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.cases import Case, Sampling
from side_by_side.cases import case as case_of
from side_by_side.child import Child
from side_by_side.measure import wait_until_quiet
from side_by_side.sides import Rheojobs, alone
from side_by_side.table import Table, ratio, seconds, spread

from sampling_study.described import describe_job
from sampling_study.jobs import column, good

__all__ = ["measure", "tables"]


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time second jobs in a pool, in a process of their own, and their kernels alone."""
    return {model: _measure(case_of(model), settings, folder, say) for model in settings["models"]}


def _measure(
    case: Case, settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    sampling, second = Sampling.of(settings), case.others[0]
    out = str(folder / f"log-density-{case.model}.npz")
    first, job = (describe_job(case, d, sampling, case.start) for d in (case.data, second))
    pool, process = [], []
    with Rheojobs() as side, Child("sampling_study.bare_child") as child:
        side.sample(case, case.data, sampling, case.start)
        for turn in range(2 * settings["repeats"] + 1):
            words = f"{case.model}, job {turn + 1} in the pool"
            outcome = alone(words, lambda: side.sample(case, second, sampling, case.start), say)
            pool.append(outcome.to_record(len(second)))
            wait_until_quiet()
            heat = {"first": first} if turn == 0 else {}
            child.ask({**heat, "second": job, "out": out})
            process.append(child.hear()[1])
    with Child("sampling_study.numpyro_child") as checker:
        checker.ask({**job, "do": "check", "draws": out})
        check = checker.hear()[1]
    title = f"{case.model}, {len(second)} points"
    return {"title": title, "pool": pool, "process": process, "check": check}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare second jobs with their kernels, a row for each model."""
    inner = ("before", "chains", "after")
    columns = ["model", "job in the pool", "bare loop", "ratio", "before the chains", "chains"]
    columns += ["after the chains", "to and from the worker", "chains against bare loop"]
    title = "Second jobs against the bare compiled kernel loop (same chains, threads and steps) / s"
    table = Table(title, columns)
    for part in found.values():
        pool, process, check = part["pool"], part["process"], part["check"]
        job, bare = column(pool, "seconds"), column(process, "bare")
        table.add(
            part["title"],
            spread(good(pool)),
            spread(good(process, "bare")),
            ratio(job, bare, 2),
            *(seconds(column(process, name)) for name in inner),
            seconds(job - column(process, "job")),
            ratio(column(process, "chains"), bare, 2),
        )
        same = all(row["leapfrogs"] == row["bare_leapfrogs"] for row in process)
        row = process[-1]
        inside = seconds(column(process, "in_kernel") / row["threads"])
        table.notes.append(
            f"{part['title']}: {row['leapfrogs']} leapfrogs for the draws, in the bare loop "
            f"{'as many' if same else row['bare_leapfrogs']}; {row['calls']} chunks on "
            f"{row['threads']} threads, each {inside} s inside the kernel. Log density against "
            f"NumPyro's, at the draws: equal but for a constant to {check['spread']:.0e} of "
            f"{check['size']:.0f}."
        )
    table.notes.append(
        "“Before”, “chains” and “after” are of the same job in a process of its own, without an "
        "engine; what the job in the pool takes more is “to and from the worker”."
    )
    return [table]
