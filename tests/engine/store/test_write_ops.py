"""What a journal writes together: the start of a job with its end."""

from __future__ import annotations

from typing import Any

import pytest

from rheojobs.engine import JobState, StateChanged
from rheojobs.engine.store.write_ops import Entry, joined

S = JobState


def written(*changes: tuple[str, JobState]) -> list[tuple[Any, ...]]:
    """Give what is written of changes of state, one a second: job, state, and a start with it."""
    events = [StateChanged(job, float(k), None, state) for k, (job, state) in enumerate(changes)]
    entries = joined([Entry(event.job_id, None, event=event) for event in events])
    told = [(entry.job_id, entry.event.state, entry.began) for entry in entries if entry.event]
    return [(*change, began) if began is not None else tuple(change) for *change, began in told]


def test_start_and_end_are_one() -> None:
    assert written(("a", S.RUNNING), ("b", S.RUNNING), ("a", S.SUCCEEDED)) == [
        ("b", S.RUNNING),
        ("a", S.SUCCEEDED, 0.0),
    ]


@pytest.mark.parametrize("between", [S.PAUSED, S.CANCELLING, S.INTERRUPTED])
def test_what_lies_between_is_told(between: JobState) -> None:
    changes = (("a", S.RUNNING), ("a", between), ("a", S.CANCELLED))
    assert written(*changes) == list(changes)


def test_a_second_start_is_the_one() -> None:
    changes = [("a", S.RUNNING), ("a", S.PAUSED), ("a", S.RUNNING), ("a", S.FAILED)]
    assert written(*changes) == [*changes[:2], ("a", S.FAILED, 2.0)]
