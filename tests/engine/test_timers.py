"""What is due, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.timers import Timers


@given(st.lists(st.integers(0, 20)), st.lists(st.integers(0, 5)))
def test_each_once_in_order_and_not_before_its_time(times: list[int], steps: list[int]) -> None:
    agenda, done = Timers(), []
    for number, at in enumerate(times):
        agenda.add(float(at), lambda number=number: done.append(number))
    now = 0.0
    for step in [*steps, 30]:
        now += step
        left = agenda.seconds_left(now)
        due = agenda.take_due(now)
        assert bool(due) == (left == 0.0)
        for action in due:
            action()
        assert sorted(done) == [n for n, at in enumerate(times) if at <= now]
    assert done == sorted(range(len(times)), key=lambda n: (times[n], n))
    assert agenda.seconds_left(now) is None
