"""Progress, thinned out: properties of the throttle under a clock of the test's own."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.events import Progress
from rheojobs.engine.progress.throttle import (
    MAX_EVENTS_PER_SECOND,
    MAX_STAGES,
    PartialThrottle,
    ProgressThrottle,
)
from rheojobs.engine.timers import Timer

pytestmark = pytest.mark.promise("progress-in-order")

INTERVAL = 1.0 / MAX_EVENTS_PER_SECOND


class World:
    """A clock that goes only when told to, and the timers that hang on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sent: list[tuple[float, Progress]] = []
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()

    def call_later(self, seconds: float, action: Callable[[], object]) -> Timer:
        assert seconds > 0
        timer = Timer(self.now + seconds, action)
        heapq.heappush(self._timers, (timer.at, next(self._count), timer))
        return timer

    def go_on(self, seconds: float) -> None:
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._timers)
            if (action := timer.take()) is not None:
                action()
        self.now = end

    def throttle(self) -> ProgressThrottle:
        return ProgressThrottle(
            lambda progress: self.sent.append((self.now, progress)), lambda: self.now, timers=self
        )


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
    throttle = world.throttle()
    for number, (delay, current, stage) in enumerate(steps):
        world.go_on(delay)
        throttle.report(current, 20, str(number), stage)
    if flush:
        throttle.flush()
    world.go_on(10.0)
    return world


@given(reports)
def test_in_order_within_a_stage_and_each_once(steps: list[tuple[float, int, str]]) -> None:
    sent = [progress for _, progress in play(steps).sent]
    for stage in {progress.stage for progress in sent}:
        numbers = [int(progress.message) for progress in sent if progress.stage == stage]
        assert numbers == sorted(set(numbers))


@given(reports)
def test_stages_that_follow_one_another_keep_their_order(
    steps: list[tuple[float, int, str]],
) -> None:
    sent = play(sorted(steps, key=lambda step: step[2])).sent
    numbers = [int(progress.message) for _, progress in sent]
    assert numbers == sorted(set(numbers))


@given(reports, st.booleans())
def test_the_last_of_each_stage_is_never_dropped(
    steps: list[tuple[float, int, str]], flush: bool
) -> None:
    numbers = {int(progress.message) for _, progress in play(steps, flush=flush).sent}
    last = {stage: number for number, (_, _, stage) in enumerate(steps)}
    assert set(last.values()) <= numbers


@given(reports)
def test_never_back_within_a_stage(steps: list[tuple[float, int, str]]) -> None:
    highest: dict[str, int] = {}
    for _, progress in play(steps).sent:
        assert progress.current >= highest.get(progress.stage, 0)
        highest[progress.stage] = progress.current


@given(one_stage)
def test_what_is_sent_is_the_highest_so_far(steps: list[tuple[float, int]]) -> None:
    for _, progress in play([(delay, current, "") for delay, current in steps]).sent:
        so_far = steps[: int(progress.message) + 1]
        assert progress.current == max(current for _, current in so_far)


@given(reports)
def test_rate(steps: list[tuple[float, int, str]]) -> None:
    times = [time for time, _ in play(steps, flush=False).sent]
    assert times[:1] == [delay for delay, _, _ in steps[:1]]
    most = int(MAX_EVENTS_PER_SECOND)
    for before, after in zip(times, times[most:], strict=False):
        assert after - before >= 1 - 1e-9


@given(one_stage)
def test_pace_of_one_stage(steps: list[tuple[float, int]]) -> None:
    times = [time for time, _ in play([(*step, "") for step in steps], flush=False).sent]
    for before, after in itertools.pairwise(times):
        assert after - before >= INTERVAL * (1 - 1e-9)


def test_a_new_stage_is_told_at_once_with_the_end_of_the_one_before() -> None:
    world = World()
    throttle = world.throttle()
    for step in range(1, 6):
        throttle.report(step, 5, stage="warm-up")
    throttle.report(1, 100, stage="sampling")
    sent = [(progress.stage, progress.current) for _, progress in world.sent]
    assert sent == [("warm-up", 1), ("warm-up", 5), ("sampling", 1)]


def test_rate_of_stages_that_take_turns() -> None:
    world = World()
    throttle = world.throttle()
    for step in range(1000):
        for stage in ("chain 1", "chain 2"):
            throttle.report(step, 1000, stage=stage)
        world.go_on(0.001)
    throttle.flush()
    assert len(world.sent) <= MAX_EVENTS_PER_SECOND + 3
    assert [progress.current for _, progress in world.sent[-2:]] == [999, 999]
    stages = [progress.stage for _, progress in world.sent]
    assert stages.count("chain 1") == pytest.approx(len(stages) / 2, abs=1)


def test_the_number_of_stages_that_are_remembered_is_bounded() -> None:
    world = World()
    throttle = world.throttle()
    for number in range(10 * MAX_STAGES):
        throttle.report(1, 1, stage=f"file {number}")
    assert len(throttle._latest) == len(throttle._waiting) == MAX_STAGES
    throttle.flush()
    assert len(world.sent) == MAX_EVENTS_PER_SECOND + MAX_STAGES
    assert world.sent[-1][1].stage == f"file {10 * MAX_STAGES - 1}"


@given(one_stage)
def test_what_waits_waits_no_longer_than_it_must(steps: list[tuple[float, int]]) -> None:
    world = play([(delay, current, "") for delay, current in steps], flush=False)
    reported = list(itertools.accumulate(delay for delay, _ in steps))
    assert world.sent[-1][1].message == str(len(steps) - 1)
    assert world.sent[-1][0] <= reported[-1] + INTERVAL * (1 + 1e-9)


def test_a_timer_that_comes_too_late_sends_nothing_early() -> None:
    """A timer may have gone off already when a report makes it superfluous."""
    world = World()
    throttle = world.throttle()
    throttle.report(1)
    throttle.report(2)
    world.now += INTERVAL
    throttle.report(3)
    throttle.report(4)
    world.go_on(0.0)  # the timer of the second report
    assert [progress.current for _, progress in world.sent] == [1, 3]
    world.go_on(INTERVAL)
    assert [progress.current for _, progress in world.sent] == [1, 3, 4]


def test_flush_has_nothing_to_say_twice() -> None:
    world = World()
    throttle = world.throttle()
    throttle.flush()
    throttle.report(1)
    throttle.flush()
    throttle.flush()
    assert [progress.current for _, progress in world.sent] == [1]


def test_without_a_timer_only_those_who_report_pass_on() -> None:
    passed: list[tuple[int, str]] = []

    def send(progress: Progress) -> None:
        passed.append((progress.current, threading.current_thread().name))

    throttle = ProgressThrottle(send, timed=False)
    for step in range(4):
        throttle.report(step, 10)
    time.sleep(2 / MAX_EVENTS_PER_SECOND)
    here = threading.current_thread().name
    assert passed == [(0, here)]
    throttle.flush()
    assert passed == [(0, here), (3, here)]


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task does not notice: what waits is passed on by the next report or the end."""
    passed: list[int] = []
    throttle = ProgressThrottle(lambda progress: passed.append(progress.current))

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for step in range(4):
            throttle.report(step)
        throttle.flush()
    assert passed == [0, 3]


def test_what_sending_raises_in_the_timers_thread_is_raised_at_the_next_report() -> None:
    world = World()

    def send(progress: Progress) -> None:
        if progress.metrics:
            raise TypeError("cannot pickle a lock")

    throttle = ProgressThrottle(send, lambda: world.now, timers=world)
    throttle.report(1)
    throttle.report(2, metrics={"lock": threading.Lock()})
    world.go_on(1.0)
    with pytest.raises(TypeError, match="cannot pickle a lock"):
        throttle.report(3)
    throttle.report(4)
    throttle.flush()


@given(
    st.lists(
        st.tuples(
            *[st.one_of(st.integers(-5, 2000), st.floats(width=32), st.just(1.0), st.none())] * 2
        ),
        max_size=20,
    )
)
def test_any_numbers_make_progress_that_does_not_go_back(steps: list[tuple[float, float]]) -> None:
    world = World()
    throttle = world.throttle()
    before = 0
    for current, total in steps:
        world.go_on(1.0)
        throttle.report(current, total)
        progress = world.sent[-1][1]
        assert type(progress.current) is type(progress.total) is int
        assert 0 <= before <= progress.current
        assert progress.total == 0 or progress.current <= progress.total
        before = progress.current


class TestPartialResults:
    def test_a_flood_is_thinned_out_and_the_last_is_kept(self) -> None:
        now, sent = 0.0, []
        throttle = PartialThrottle(sent.append, lambda: now)
        for number in range(10_000):
            throttle.give(number)
            now += 0.001
        assert sent[:3] == [0, 1, 2]  # a second's worth goes at once
        assert len(sent) <= 11 * MAX_EVENTS_PER_SECOND
        throttle.flush()
        throttle.flush()
        assert sent[-1] == 9999
        assert sent == sorted(set(sent))

    def test_what_waits_is_passed_on_by_the_thread_that_gave_it(self) -> None:
        now, sent = 0.0, []
        throttle = PartialThrottle(sent.append, lambda: now)
        for number in range(100):
            throttle.give(number)
        now += 1.0
        other = threading.Thread(target=throttle.pass_on)
        other.start()
        other.join()
        assert throttle.is_waiting
        throttle.pass_on()
        assert sent[-1] == 99
        assert not throttle.is_waiting

    def test_at_once(self) -> None:
        sent: list[int] = []
        throttle = PartialThrottle(sent.append, lambda: 0.0)
        for number in range(100):
            throttle.give(number)
        throttle.pass_on(at_once=True)
        assert sent[-1] == 99
