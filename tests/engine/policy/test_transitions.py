"""What any sequence of messages does to a job: legal states alone, and one end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine import JobState, Progress, messages
from rheojobs.engine.policy import transitions as tr
from rheojobs.engine.policy.transitions import effects_of
from rheojobs.engine.states import check_transition

S = JobState
ERROR = ValueError("on purpose")
any_message = st.sampled_from(
    [
        messages.Started(),
        messages.Progressed(Progress(1, 2)),
        messages.Partial(1),
        messages.Inspected(None),
        messages.Inspected(2),
        messages.Checkpointed(b"j1"),
        messages.Kept("x", None),
        messages.Stoppable(False),
        messages.Paused(),
        messages.Resumed(),
        messages.Succeeded(3),
        messages.Failed(ERROR),
        messages.Cancelled(),
        messages.Died("gone"),
        messages.Lost("gone"),
    ]
)


@given(st.lists(st.tuples(any_message, st.sampled_from(["", "cancel", "stop"])), max_size=30))
def test_any_messages_in_any_order(steps: list[tuple[messages.Message, str]]) -> None:
    state, ends, cancel_wanted, stop_error = S.QUEUED, 0, False, None
    for message, wish in steps:
        cancel_wanted |= wish == "cancel"
        stop_error = ERROR if wish == "stop" else stop_error
        if cancel_wanted and state in (S.RUNNING, S.PAUSED):
            state = S.CANCELLING  # as the dispatcher does at once
        for effect in effects_of(
            message, state, cancel_wanted=cancel_wanted, stop_error=stop_error
        ):
            match effect:
                case tr.Enter(new):
                    check_transition(state, new)
                    state = new
                case tr.End(new):
                    check_transition(state, new)
                    state, ends = new, ends + 1
                case tr.Failure() | tr.Death() | tr.Loss():
                    check_transition(state, S.FAILED)
                    state, ends = S.FAILED, ends + 1
    assert ends == state.is_terminal


@pytest.mark.parametrize("state", [S.BLOCKED, S.INTERRUPTED, S.SUCCEEDED, S.CANCELLED])
@pytest.mark.parametrize("message", [messages.Started(), messages.Succeeded(1)])
def test_a_job_that_does_not_run_hears_nothing(state: S, message: messages.Message) -> None:
    assert effects_of(message, state) == []


def test_a_repeated_state_is_no_transition() -> None:
    """An application that finds its run again on a cluster is told its states once more."""
    assert effects_of(messages.Started(), S.RUNNING) == []
    assert effects_of(messages.Resumed(), S.RUNNING) == []
    assert effects_of(messages.Paused(), S.PAUSED) == []


def test_a_result_that_comes_after_the_cancel_is_a_partial_one() -> None:
    assert effects_of(messages.Succeeded(1), S.CANCELLING) == [
        tr.Partial(1, is_event=False),
        tr.End(S.CANCELLED),
    ]


def test_what_the_engine_stops_fails_with_its_reason() -> None:
    for message in (messages.Succeeded(1), messages.Cancelled(), messages.Died("x")):
        *_, end = effects_of(message, S.RUNNING, stop_error=ERROR)
        assert end == tr.End(S.FAILED, error=ERROR)
    assert effects_of(messages.Cancelled(), S.CANCELLING, stop_error=ERROR) == [tr.End(S.CANCELLED)]
