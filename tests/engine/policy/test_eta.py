"""Time remaining, on synthetic profiles of speed under a clock of the test's own."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.events import Progress
from rheojobs.engine.policy.eta import MOST_POINTS, Durations, Remaining, TimeRemaining

REPORT_EVERY = 1 / 30


def times_of(
    total: int, pace: Callable[[float], float], slow_start: float, origin: float = 0.0
) -> list[float]:
    """Give the time at which each of `total` units was done; the first holds the compilation."""
    times, now = [origin], origin + slow_start
    for unit in range(1, total + 1):
        now += pace(unit / total)
        times.append(now)
    return times


def reports(times: list[float]) -> Iterator[tuple[float, int]]:
    """Thin reports out as the engine does."""
    last = float("-inf")
    for current, now in enumerate(times):
        if now - last >= REPORT_EVERY or current == len(times) - 1:
            last = now
            yield now, current


def follow(times: list[float]) -> tuple[list[float], list[bool]]:
    """Give the relative errors from a third of the way on, and whether the truth was in range."""
    estimate, total, end = TimeRemaining(), len(times) - 1, times[-1]
    errors, within = [], []
    for now, current in reports(times):
        estimate.update(Progress(current, total), now)
        left = estimate.left(now)
        if total / 3 <= current < total and left is not None:
            errors.append(abs(left.seconds - (end - now)) / (end - now))
            within.append(left.low <= end - now <= left.high)
    return errors, within


paces = st.floats(0.001, 1.0)
starts = st.floats(0.0, 60.0)


@given(paces, starts, st.integers(30, 2000))
def test_a_constant_speed_after_a_slow_start(pace: float, slow: float, total: int) -> None:
    errors, within = follow(times_of(total, lambda _: pace, slow))
    if len(errors) >= 5:
        assert statistics.median(errors) <= 0.05
        assert statistics.mean(within) >= 0.95


@given(paces, starts, st.integers(200, 2000), st.floats(-0.4, 0.4))
def test_a_slowly_drifting_speed(pace: float, slow: float, total: int, drift: float) -> None:
    times = times_of(total, lambda share: pace * (1.0 + drift * share), slow)
    errors, within = follow(times)
    if len(errors) >= 10:
        assert statistics.median(errors) <= 0.2
        assert statistics.mean(within) >= 0.5


@given(st.floats(0.005, 0.5), st.floats(0.0, 20.0), st.integers(400, 1500), st.integers(0, 10**6))
def test_steps_that_scatter(pace: float, slow: float, total: int, seed: int) -> None:
    scatter = random.Random(seed)
    errors, _ = follow(times_of(total, lambda _: pace * scatter.lognormvariate(0.0, 0.5), slow))
    assert statistics.median(errors) <= 0.25  # 0.2 but for the unluckiest scatter


def test_the_range_holds_the_truth_mostly() -> None:
    """Over all profiles together, four times in five at least."""
    source, within = random.Random(1), []
    for _ in range(60):
        drift, sigma = source.uniform(-0.4, 0.4), source.choice([0.0, 0.3, 0.8])
        pace = source.choice([0.002, 0.02, 0.2])

        def step(
            share: float, drift: float = drift, sigma: float = sigma, pace: float = pace
        ) -> float:
            return pace * (1.0 + drift * share) * source.lognormvariate(0.0, sigma)

        within += follow(times_of(source.choice([50, 500]), step, source.uniform(0, 10)))[1]
    assert statistics.mean(within) >= 0.8


def test_another_speed_is_soon_taken_up() -> None:
    times = times_of(900, lambda share: 0.01 if share < 0.5 else 0.04, 3.0)
    estimate, total = TimeRemaining(), 900
    for now, current in reports(times):
        left = estimate.update(Progress(current, total), now)
        if current >= 0.7 * total and left:
            assert left == pytest.approx(times[-1] - now, rel=0.05, abs=0.05)


@given(
    st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(0, 50), st.integers(0, 40)), max_size=50)
)
def test_never_negative_and_always_in_its_range(steps: list[tuple[float, int, int]]) -> None:
    estimate, now = TimeRemaining(), 0.0
    for delay, current, total in steps:
        now += delay
        left = estimate.update(Progress(current, total), now)
        assert left is None or left >= 0.0
        present = estimate.left(now + 1.0)
        assert present is None or 0.0 <= present.low <= present.seconds <= present.high


# -------------------------------------------------------------------- real samplings

Trace = tuple[int, float, list[tuple[float, int]]]
"""How many steps there are, when the stage has ended (s), and when how many were done."""


def recorded() -> dict[str, Trace]:
    """Read when the steps of real samplings were done."""
    traces: dict[str, Trace] = {}
    for line in (Path(__file__).parent / "progress_traces.txt").read_text().splitlines():
        if line.startswith("["):
            name, _, numbers = line[1:].partition("] ")
            total, end = numbers.split()
            traces[name] = int(total), float(end), []
        elif not line.startswith("#"):
            points = (point.split(":") for point in line.split())
            traces[name][2].extend((float(now), int(done)) for now, done in points)
    return traces


TRACES = recorded()
LONG = {name: trace for name, trace in TRACES.items() if trace[1] > 1.0}
"""Others are over before anybody asks."""


def judge(
    trace: Trace, clock: Callable[[float], float], since: float = 0.0
) -> tuple[list[float], list[bool]]:
    """Give what `follow` does, of a trace whose times a clock has shown otherwise.

    What was told before `since`, in that clock's time, does not count either.
    """
    total, end, points = trace
    end, estimate = clock(end), TimeRemaining()
    begin = clock(points[0][0])
    third = max(since, begin + (end - begin) / 3)
    errors, within = [], []
    for now, done in ((clock(now), done) for now, done in points):
        estimate.note(Progress(done, total), now)
        left = estimate.left(now)
        if third <= now < end and left is not None:
            errors.append(abs(left.seconds - (end - now)) / (end - now))
            within.append(left.low <= end - now <= left.high)
    return errors, within


@pytest.mark.parametrize("name", LONG)
@given(origin=st.floats(0.0, 1e5), scale=st.floats(0.1, 1e4))
def test_real_samplings(name: str, origin: float, scale: float) -> None:
    """Within 20 % from a third of the time on, the first of their kind too, on any machine."""
    errors, within = judge(LONG[name], lambda now: origin + scale * now)
    assert len(errors) >= 15
    assert statistics.median(errors) <= 0.12
    assert statistics.mean(within) >= 0.8


@given(st.sampled_from(sorted(LONG)), st.floats(0.0, 0.3), st.sampled_from([0.33, 0.5, 2.0, 3.0]))
def test_real_samplings_on_a_machine_that_others_use(name: str, when: float, slower: float) -> None:
    """They come or go in the first third: the pace of before is forgotten a fifth later."""
    total, end, points = LONG[name]
    change = when * end

    def clock(now: float) -> float:
        return min(now, change) + slower * max(0.0, now - change)

    errors, _ = judge((total, end, points), clock, since=1.2 * change)
    assert statistics.median(errors) <= 0.2


def test_unknown() -> None:
    estimate = TimeRemaining()
    assert estimate.update(Progress(0, 100), 0.0) is None
    assert estimate.update(Progress(0, 100), 1.0) is None
    assert estimate.update(Progress(10, 0), 2.0) is None
    assert estimate.update(Progress(10, 100), 2.5) is not None


def test_it_counts_down_between_reports_and_grows_when_the_next_is_overdue() -> None:
    estimate = TimeRemaining()
    for second in range(11):
        estimate.update(Progress(second, 20), float(second))
    at_once, later, overdue = (estimate.left(now) for now in (10.0, 10.8, 30.0))
    assert at_once is not None
    assert later is not None
    assert overdue is not None
    assert at_once.seconds == pytest.approx(10.0)
    assert later.seconds == pytest.approx(9.2)
    assert overdue.seconds > 15.0


def test_a_new_stage_begins_anew() -> None:
    estimate = TimeRemaining()
    estimate.update(Progress(0, 100, stage="warmup"), 0.0)
    assert estimate.update(Progress(50, 100, stage="warmup"), 1.0) == pytest.approx(1.0)
    assert estimate.update(Progress(0, 100, stage="sampling"), 1.5) is None
    assert estimate.update(Progress(10, 100, stage="sampling"), 2.5) == pytest.approx(9.0)


def test_the_end_of_a_stage() -> None:
    estimate = TimeRemaining()
    estimate.update(Progress(0, 2), 0.0)
    assert estimate.update(Progress(2, 2), 1.0) == 0.0


def test_long_stages_take_no_more_room() -> None:
    estimate = TimeRemaining()
    for unit in range(20_000):
        estimate.update(Progress(unit, 40_000), 0.01 * unit)
    assert len(estimate._steps) <= MOST_POINTS + 1
    assert estimate.left(0.01 * 19_999).seconds == pytest.approx(200.0, rel=0.02)  # type: ignore[union-attr]


class TestDurations:
    def test_unknown_kind(self) -> None:
        assert Durations().left("fit maxwell") is None

    def test_one_is_a_guess(self) -> None:
        durations = Durations()
        durations.add("fit", 4.0)
        assert durations.left("fit") == Remaining(4.0, 2.0, 8.0)
        assert durations.left("fit", 1.0) == Remaining(3.0, 1.0, 7.0)
        assert durations.left("fit", 5.0) is None
        assert durations.left("sample") is None

    @given(st.lists(st.floats(0.1, 100.0), min_size=2, max_size=30), st.floats(0.0, 50.0))
    def test_median_of_those_that_took_longer(self, seconds: list[float], elapsed: float) -> None:
        durations = Durations()
        for each in seconds:
            durations.add("fit", each)
        left = durations.left("fit", elapsed)
        longer = [each for each in seconds if each > elapsed]
        if not longer:
            assert left is None
            return
        assert left is not None
        assert left.seconds == pytest.approx(statistics.median(longer) - elapsed)
        assert 0.0 <= left.low <= left.seconds + 1e-9
        assert left.seconds <= left.high + 1e-9

    def test_the_latest_count(self) -> None:
        durations = Durations()
        for each in [100.0] * 50 + [1.0] * 30:
            durations.add("fit", each)
        assert durations.left("fit").seconds == 1.0  # type: ignore[union-attr]
