"""Effective draws per second from a fit's parameters, and from those of who knows nothing."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any

from side_by_side.sides import Outcome, Rheojobs

from sampling_study.cases import describe_job
from sampling_study.children import Child, ChildError
from sampling_study.study import Study, record

__all__ = ["STARTS", "compare_starts"]

STARTS = {
    "warm": "rheojobs, from the fit (warm)",
    "estimated": "rheojobs, no start given (it estimates one)",
    "defaults": "rheojobs, from the model's defaults (cold)",
    "numpyro_warm": "NumPyro, hot, from the fit (warm)",
    "numpyro_cold": "NumPyro, hot, from its own random start (cold)",
}


def compare_starts(study: Study, model: str) -> dict[str, Any]:
    """Sample from each start with several seeds; all is compiled before."""
    case = study.case(model)
    data = case.case.data
    ours = {"warm": case.start, "estimated": {}, "defaults": case.defaults}
    theirs = {"numpyro_warm": case.start, "numpyro_cold": None}
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in STARTS}
    with contextlib.ExitStack() as stack:
        side = Rheojobs()
        stack.callback(side.close)
        side.open()
        child = stack.enter_context(Child("numpyro_child", study.scratch))
        side.sample(case.case, data, study.sampling, case.start)
        side.sample(case.case, data, study.sampling, {})  # the estimate compiles too
        with contextlib.suppress(ChildError):
            child.sample(describe_job(case, data, study.sampling, case.start))
        for number in range(study.repeats):
            sampling = study.seeded(number)

            def run(key: str, sampling: Any = sampling) -> Outcome:
                if key in ours:
                    return side.sample(case.case, data, sampling, ours[key])
                job = describe_job(case, data, sampling, theirs[key])
                return study.sample_in(child, job, sampling)

            for key in STARTS:
                outcome = study.alone(f"{model}, {key}", partial(run, key))
                found[key].append(record(outcome, len(data)))
    return {"title": case.case.title, "starts": found}
