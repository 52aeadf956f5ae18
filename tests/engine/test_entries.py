"""What a journal writes together: the start of a job with its end."""

from __future__ import annotations

from typing import Any

import pytest

from rheojobs.engine import JobState, StateChanged
from rheojobs.engine.entries import Entry, joined

S = JobState


def written(*changes: tuple[str, JobState]) -> list[tuple[Any, ...]]:
    """Give what is written of changes of state, one a second."""
    calls: list[tuple[Any, ...]] = []
    entries = []
    for k, (job_id, state) in enumerate(changes):
        event = StateChanged(job_id, float(k), None, state, "")

        def write(*values: Any) -> None:
            calls.append(values)

        entries.append(Entry(job_id, lambda e=event: write(e.job_id, e.state), event=event))
    for entry in joined(entries, lambda *values: calls.append(values)):
        entry.write()
    return calls


def test_start_and_end_are_one() -> None:
    assert written(("a", S.RUNNING), ("b", S.RUNNING), ("a", S.SUCCEEDED)) == [
        ("b", S.RUNNING),
        ("a", S.SUCCEEDED, "", 2.0, 0.0),
    ]


@pytest.mark.parametrize("between", [S.PAUSED, S.CANCELLING, S.INTERRUPTED])
def test_what_lies_between_is_told(between: JobState) -> None:
    changes = (("a", S.RUNNING), ("a", between), ("a", S.CANCELLED))
    assert written(*changes) == list(changes)


def test_a_second_start_is_the_one() -> None:
    changes = [("a", S.RUNNING), ("a", S.PAUSED), ("a", S.RUNNING), ("a", S.FAILED)]
    assert written(*changes) == [*changes[:2], ("a", S.FAILED, "", 3.0, 2.0)]
