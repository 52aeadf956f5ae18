"""What a job counts of its own: the seconds that it runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.jobs.running_clock import RunningClock


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=10))
def test_the_clock_counts_what_lies_between_go_and_stop(spells: list[tuple[int, int]]) -> None:
    clock, now, ran = RunningClock(), 0.0, 0.0
    for pause, run in spells:
        now += pause
        assert not clock.goes
        assert clock.seconds(now) == ran
        clock.go(now)
        now, ran = now + run, ran + run
        assert clock.goes
        assert clock.seconds(now) == ran
        clock.stop(now)
