"""The job against its own compiled kernel: what else its time is spent on."""

from __future__ import annotations

import contextlib
import statistics
from typing import Any

from side_by_side.machine import wait_until_quiet
from side_by_side.sides import Rheojobs

from sampling_study.cases import describe_job
from sampling_study.children import Child
from sampling_study.study import Study, record

__all__ = ["compare_with_kernel"]


def compare_with_kernel(study: Study, model: str) -> dict[str, Any]:
    """Time second jobs in a pool, in a process of their own, and their kernels alone."""
    case = study.case(model)
    first, second = case.case.data, case.case.others[0]
    repeats = 2 * study.repeats + 1
    out = study.scratch / f"log-density-{model}.npz"
    job = describe_job(case, second, study.sampling, case.start)
    with contextlib.ExitStack() as stack:
        side = Rheojobs()
        stack.callback(side.close)
        side.open()
        side.sample(case.case, first, study.sampling, case.start)
        child = stack.enter_context(Child("bare_child", study.scratch))
        heat = {"first": describe_job(case, first, study.sampling, case.start)}
        pool, process = [], []
        for number in range(repeats):
            outcome = study.alone(
                f"{model}, job {number + 1} of {repeats} in the pool",
                lambda: side.sample(case.case, second, study.sampling, case.start),
            )
            pool.append(record(outcome, len(second)))
            wait_until_quiet()
            child.ask({**(heat if number == 0 else {}), "second": job, "out": str(out)})
            process.append(child.hear("result")[1])
        checker = stack.enter_context(Child("numpyro_child", study.scratch))
        checker.ask({"do": "check", **job, "draws": str(out)})
        check = checker.hear("result")[1]
    bare = statistics.median(row["bare"] for row in process)
    study.say(f"  {model}, bare kernel loop: {bare:.3f} s")
    return {
        "title": f"{model}, {len(second)} points",
        "pool": pool,
        "process": process,
        "log_density_differs_by": check["spread"],
        "log_density_size": check["size"],
    }
