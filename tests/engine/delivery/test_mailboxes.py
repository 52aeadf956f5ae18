"""Mailboxes: what is kept and what makes room, for any sequence of events."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine import JobEvent, JobState, PartialResult, Progress, ProgressMade, StateChanged
from rheojobs.engine.delivery.mailboxes import KEPT, Mailbox

S = JobState
jobs = st.sampled_from(["a", "b"])
events = st.one_of(
    st.builds(StateChanged, jobs, st.just(0.0), st.none(), st.sampled_from([S.QUEUED, S.RUNNING])),
    st.builds(
        ProgressMade,
        jobs,
        st.just(0.0),
        st.builds(Progress, st.integers(0, 9), stage=st.sampled_from(["", "warmup"])),
    ),
    st.builds(PartialResult, jobs, st.just(0.0), st.integers()),
)
plays = st.lists(st.one_of(events, st.just("take")), max_size=400)


def kind(event: JobEvent) -> tuple[str, ...]:
    stage = event.progress.stage if isinstance(event, ProgressMade) else ""
    return type(event).__name__, event.job_id, stage


def play(steps: list[JobEvent | str]) -> tuple[list[JobEvent], list[JobEvent], int]:
    """Put and take; gives all that was put, all that came out, and the most that waited."""
    calls: Counter[str] = Counter()
    mailbox = Mailbox(lambda: calls.update(["notified"]))
    put, taken, most = [], [], 0
    for step in steps:
        if isinstance(step, JobEvent):
            mailbox.put(step)
            put.append(step)
            lossy = [n for n in mailbox._news.values() if not isinstance(n, StateChanged)]
            most = max(most, max(Counter(map(kind, lossy)).values(), default=0))
        elif (event := mailbox.take()) is not None:
            taken.append(event)
    while (event := mailbox.take()) is not None:
        taken.append(event)
    assert calls["notified"] == len(put)
    assert not mailbox._superseded
    return put, taken, most


@given(plays)
def test_in_order_with_every_state_and_the_newest_of_all(steps: list[JobEvent | str]) -> None:
    put, taken, most = play(steps)
    rest = iter(put)
    assert all(any(event is other for other in rest) for event in taken)  # a subsequence
    states = [event for event in put if isinstance(event, StateChanged)]
    assert [event for event in taken if isinstance(event, StateChanged)] == states
    assert {kind(e): id(e) for e in put} == {kind(e): id(e) for e in taken}
    assert most <= KEPT


@given(st.lists(events, max_size=KEPT))
def test_one_that_keeps_up_loses_nothing(steps: list[JobEvent | str]) -> None:
    put, taken, _ = play(steps)
    assert taken == put


def test_dropped_once_and_for_all() -> None:
    mailbox = Mailbox(lambda: None)
    event = StateChanged("a", 0.0, None, S.QUEUED)
    mailbox.put(event)
    mailbox.discard()
    mailbox.put(event)
    assert mailbox.take() is None
    assert mailbox.closed
