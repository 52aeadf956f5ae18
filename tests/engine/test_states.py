"""The table of states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.states import STATES, IllegalTransitionError, JobState, check_transition

S = JobState
TERMINAL = {S.SUCCEEDED, S.FAILED, S.CANCELLED}


def test_every_state_has_a_row_with_a_meaning() -> None:
    assert set(STATES) == set(JobState)
    meanings = [row.meaning for row in STATES.values()]
    assert all(meanings)
    assert len(set(meanings)) == len(meanings)


def test_the_terminal_ones_have_no_successors() -> None:
    assert {state for state in JobState if state.is_terminal} == TERMINAL
    for state in JobState:
        assert bool(STATES[state].successors) == (state not in TERMINAL)


def reachable(start: JobState) -> set[JobState]:
    seen: set[JobState] = set()
    todo = [start]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo.extend(STATES[state].successors)
    return seen


def test_every_state_is_reachable_from_birth() -> None:
    assert reachable(S.QUEUED) | reachable(S.BLOCKED) == set(JobState)
    assert reachable(S.BLOCKED) == set(JobState)


@pytest.mark.parametrize("state", JobState)
def test_every_state_can_end_as_cancelled_or_has_ended(state: JobState) -> None:
    assert S.CANCELLED in reachable(state) or state.is_terminal


@given(st.sampled_from(JobState), st.sampled_from(JobState))
def test_check_transition(previous: JobState, state: JobState) -> None:
    if state in STATES[previous].successors:
        check_transition(previous, state)
    else:
        with pytest.raises(IllegalTransitionError, match=f"{previous} cannot become {state}"):
            check_transition(previous, state)


def test_nothing_follows_the_end_and_nothing_follows_itself() -> None:
    for state in JobState:
        assert state not in STATES[state].successors
    for state in TERMINAL:
        for next_state in JobState:
            with pytest.raises(IllegalTransitionError):
                check_transition(state, next_state)


def test_states_are_words() -> None:
    assert S("running") is S.RUNNING
    assert f"{S.CANCELLING}" == "cancelling"
