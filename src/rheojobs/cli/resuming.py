"""`rheojobs jobs resume` and `retry`: a job of the store, run here and handed over as a new one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rheojobs.cli.outputs import INTERRUPTED, Outputs
from rheojobs.cli.session import Interrupted, Session
from rheojobs.cli.work import (
    describe_fit,
    describe_sampling,
    hand_over_draws,
    hand_over_fit,
    keep_draws,
    keep_fit,
)
from rheojobs.engine.executors.cluster_probe import is_gone

if TYPE_CHECKING:
    from rheojobs.engine.store import StoredJob

__all__ = ["run_job"]


def run_job(
    stored: StoredJob,
    outputs: Outputs,
    cluster: str | None = None,
    elsewhere: bool = False,
    *,
    again: bool = False,
) -> int:
    """Take a job up, run it to its end, and save and show its result; gives the exit status.

    Parameters
    ----------
    stored : StoredJob
        The job.
    outputs : Outputs
        Where its result goes.
    cluster : str, optional
        Where to run it: by default on the cluster on which it may still run, else here.
    elsewhere : bool
        Whether to run it here though it may still run there.
    again : bool
        Whether to run one that has ended from its start, if it cannot be resumed.
    """
    if (
        cluster is None
        and not elsewhere
        and stored.cluster_address
        and not is_gone(stored.cluster_address)
    ):
        cluster = stored.cluster_address
    is_sampling = stored.task_type.endswith(":SampleTask")
    is_fit = stored.task_type.endswith(":FitTask")
    # What is no fit and no sampling is any function: its worker imports what it needs.
    preload = None if is_sampling or is_fit else ()
    describe: Any = describe_sampling if is_sampling else describe_fit if is_fit else _done
    with Session(outputs.talk, preload, cluster) as session:
        try:
            job, result = session.resume(stored.id, describe, elsewhere, again=again)
        except Interrupted as stop:
            if is_sampling:
                return keep_draws(stop, outputs)
            if is_fit:
                return keep_fit(stop, outputs)
            outputs.talk.print("stopped")
            return INTERRUPTED
    task: Any = job.task
    if is_sampling:
        return hand_over_draws(task.checked_data(), result, None, outputs)
    if is_fit:
        return hand_over_fit(task.checked_data(), result, outputs)
    sys.stdout.write(json.dumps(result, default=str) + "\n")
    return 0


def _done(result: object) -> str:
    return "done"
