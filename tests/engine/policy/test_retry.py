"""Whether a job is started again, and when."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.policy.retry import (
    BACK_OFF,
    LONGEST_BACK_OFF,
    QUARANTINE,
    GiveUp,
    Retry,
    RetryPolicy,
    after_death,
    after_error,
)
from rheojobs.errors import InputError


@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 20), st.booleans(), st.booleans())
def test_after_any_death(
    attempts: int, most: int, deaths: int, has_begun: bool, is_prewarming: bool
) -> None:
    decision = after_death(
        attempts=attempts,
        max_attempts=most,
        deaths=deaths,
        has_begun=has_begun,
        is_prewarming=is_prewarming,
    )
    if isinstance(decision, Retry):
        assert deaths < QUARANTINE
        assert attempts < most or not has_begun
        assert BACK_OFF <= decision.after <= LONGEST_BACK_OFF


def test_a_death_before_the_task_began_costs_no_attempt() -> None:
    death = {"attempts": 1, "max_attempts": 1, "deaths": 1}
    assert after_death(**death, has_begun=False) == Retry(BACK_OFF)
    assert after_death(**death, has_begun=True) == GiveUp()
    assert after_death(**death, has_begun=False, is_prewarming=True) == GiveUp()


def test_the_third_death_is_the_last() -> None:
    decision = after_death(attempts=3, max_attempts=9, deaths=QUARANTINE, has_begun=True)
    assert decision == GiveUp("its worker has died 3 times, and it is not started again")


def test_only_errors_of_the_given_types() -> None:
    policy = RetryPolicy((OSError, "made.up:Error"), attempts=4, delay=1.0, factor=3.0, longest=5.0)
    decisions = [after_error(ConnectionError("x"), attempt, policy) for attempt in (1, 2, 3, 4)]
    assert decisions == [Retry(1.0), Retry(3.0), Retry(5.0), GiveUp("after 4 attempts")]
    assert after_error(ValueError("x"), 1, policy) == GiveUp()
    assert after_error(OSError("x"), 1, None) == GiveUp()
    named = type("Error", (Exception,), {"__module__": "made.up", "__qualname__": "Error"})
    assert policy.covers(named())


def test_a_policy_survives_as_json() -> None:
    policy = RetryPolicy([OSError, "a.b:C"], attempts=7, delay=0.5, factor=1.5, longest=9)
    again = RetryPolicy.from_json(json.loads(json.dumps(policy.to_json())))
    assert again == policy


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": True},
        {"attempts": 1.5},
        {"delay": -1},
        {"delay": float("nan")},
        {"delay": "1"},
        {"factor": 0.5},
        {"longest": float("inf")},
        {"on": 3},
        {"on": int},
        {"on": ["OSError"]},
    ],
)
def test_nonsense_is_refused_in_one_line(options: dict[str, object]) -> None:
    with pytest.raises((InputError, TypeError)) as caught:
        RetryPolicy(**options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
