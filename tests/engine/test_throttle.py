"""Progress, thinned out: properties of the throttle under a clock of the test's own."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine import throttle as progress_module
from rheojobs.engine.events import Progress
from rheojobs.engine.throttle import MAX_EVENTS_PER_SECOND, ProgressThrottle

INTERVAL = 1.0 / MAX_EVENTS_PER_SECOND


class World:
    """A clock that goes only when told to, and the timers that hang on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sent: list[tuple[float, Progress]] = []
        self._timers: list[tuple[float, int, Any]] = []
        self._count = itertools.count()

    def timer(self, delay: float, function: Callable[..., None], args: tuple[Any, ...] = ()) -> Any:
        assert delay > 0
        world = self

        class Timer:
            cancelled = False
            daemon = False

            def start(self) -> None:
                assert self.daemon
                heapq.heappush(
                    world._timers, (world.now + delay, next(world._count), (self, function, args))
                )

            def cancel(self) -> None:
                self.cancelled = True

        return Timer()

    def go_on(self, seconds: float) -> None:
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            self.now, _, (timer, function, args) = heapq.heappop(self._timers)
            if not timer.cancelled:
                function(*args)
        self.now = end

    def throttle(self) -> ProgressThrottle:
        return ProgressThrottle(
            lambda progress: self.sent.append((self.now, progress)), lambda: self.now
        )

    def patched(self) -> Any:
        fake = SimpleNamespace(Timer=self.timer, Lock=threading.Lock)
        return mock.patch.object(progress_module, "threading", fake)


# Each report: the time since the one before, its value, and its stage.
reports = st.lists(
    st.tuples(
        st.one_of(st.just(0.0), st.floats(0.0, 0.2), st.floats(0.0, 0.01)),
        st.integers(0, 20),
        st.sampled_from(["", "warmup", "sampling"]),
    ),
    max_size=60,
)
one_stage = st.lists(
    st.tuples(
        st.one_of(st.just(0.0), st.floats(0.0, 0.2), st.floats(0.0, 0.01)), st.integers(0, 20)
    ),
    min_size=1,
    max_size=60,
)


def play(steps: list[tuple[float, int, str]], *, flush: bool = True) -> World:
    world = World()
    with world.patched():
        throttle = world.throttle()
        for number, (delay, current, stage) in enumerate(steps):
            world.go_on(delay)
            throttle.report(Progress(current, 20, str(number), stage))
        if flush:
            throttle.flush()
        world.go_on(10.0)
    return world


@given(reports)
def test_in_order_and_each_once(steps: list[tuple[float, int, str]]) -> None:
    numbers = [int(progress.message) for _, progress in play(steps).sent]
    assert numbers == sorted(set(numbers))


@given(reports)
def test_the_last_of_each_stage_is_never_dropped(steps: list[tuple[float, int, str]]) -> None:
    numbers = {int(progress.message) for _, progress in play(steps).sent}
    for number, (_, _, stage) in enumerate(steps):
        is_last = number + 1 == len(steps) or steps[number + 1][2] != stage
        if is_last:
            assert number in numbers


@given(reports)
def test_never_back_within_a_stage(steps: list[tuple[float, int, str]]) -> None:
    sent = [progress for _, progress in play(steps).sent]
    for before, after in itertools.pairwise(sent):
        if before.stage == after.stage and steps_between_are_of(steps, before, after):
            assert after.current >= before.current


def steps_between_are_of(
    steps: list[tuple[float, int, str]], before: Progress, after: Progress
) -> bool:
    """Whether no other stage came between two reports of one stage."""
    between = steps[int(before.message) : int(after.message) + 1]
    return {stage for _, _, stage in between} == {before.stage}


@given(one_stage)
def test_what_is_sent_is_the_highest_so_far(steps: list[tuple[float, int]]) -> None:
    for _, progress in play([(delay, current, "") for delay, current in steps]).sent:
        so_far = steps[: int(progress.message) + 1]
        assert progress.current == max(current for _, current in so_far)


@given(one_stage)
def test_rate(steps: list[tuple[float, int]]) -> None:
    world = play([(delay, current, "") for delay, current in steps], flush=False)
    times = [time for time, _ in world.sent]
    assert times[0] == steps[0][0]
    for before, after in itertools.pairwise(times):
        assert after - before >= INTERVAL * (1 - 1e-9)


@given(one_stage)
def test_what_waits_waits_no_longer_than_it_must(steps: list[tuple[float, int]]) -> None:
    world = play([(delay, current, "") for delay, current in steps], flush=False)
    reported = list(itertools.accumulate(delay for delay, _ in steps))
    assert world.sent[-1][1].message == str(len(steps) - 1)
    assert world.sent[-1][0] <= reported[-1] + INTERVAL * (1 + 1e-9)


def test_a_timer_that_comes_too_late_sends_nothing_early() -> None:
    """A timer may have gone off already when a report makes it superfluous."""
    world = World()
    fired: list[Callable[[], None]] = []

    def timer(delay: float, function: Callable[..., None], args: tuple[Any, ...] = ()) -> Any:
        fired.append(lambda: function(*args))
        return SimpleNamespace(start=lambda: None, cancel=lambda: None, daemon=False)

    world.timer = timer  # type: ignore[method-assign]
    with world.patched():
        throttle = world.throttle()
        throttle.report(Progress(1))
        throttle.report(Progress(2))
        world.now += INTERVAL
        throttle.report(Progress(3))
        throttle.report(Progress(4))
        fired[0]()
        assert [progress.current for _, progress in world.sent] == [1, 3]
        fired[1]()
        assert [progress.current for _, progress in world.sent] == [1, 3, 4]


def test_flush_has_nothing_to_say_twice() -> None:
    world = World()
    with world.patched():
        throttle = world.throttle()
        throttle.flush()
        throttle.report(Progress(1))
        throttle.flush()
        throttle.flush()
    assert [progress.current for _, progress in world.sent] == [1]


def test_without_a_timer_only_those_who_report_pass_on() -> None:
    passed: list[tuple[int, str]] = []

    def send(progress: Progress) -> None:
        passed.append((progress.current, threading.current_thread().name))

    throttle = ProgressThrottle(send, timed=False)
    for step in range(4):
        throttle.report(Progress(step, 10))
    time.sleep(2 / MAX_EVENTS_PER_SECOND)
    here = threading.current_thread().name
    assert passed == [(0, here)]
    throttle.flush()
    assert passed == [(0, here), (3, here)]
