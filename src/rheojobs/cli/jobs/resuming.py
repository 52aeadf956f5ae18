"""The commands `jobs resume` and `jobs retry`: run a job of the store, save and show its result."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rheojobs.cli.outputs import Outputs
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
    """Run a job of the store to its end, save and show its result; return the exit status.

    Parameters
    ----------
    stored : StoredJob
        The job.
    outputs : Outputs
        Where the result goes.
    cluster : str, optional
        Where to run it: by default the cluster on which it may still run, else this computer.
    elsewhere : bool
        Whether to run it here although it may still run on its cluster.
    again : bool
        Whether to run an ended job from its start if it cannot be resumed.
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
    # Neither a fit nor a sampling: a function, whose worker imports what it needs.
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
            outputs.alerts.print("stopped")
            return stop.status
    task: Any = job.task
    if is_sampling:
        return hand_over_draws(task.checked_data(), result, None, outputs)
    if is_fit:
        return hand_over_fit(task.checked_data(), result, outputs)
    sys.stdout.write(json.dumps(result, default=str) + "\n")
    return 0


def _done(result: object) -> str:
    return "done"
