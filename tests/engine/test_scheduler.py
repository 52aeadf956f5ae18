"""Who runs next: properties that hold for any line of jobs."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from rheojobs.engine.scheduler import WORKER, Waiting, fits, next_to_start

NAMES = [WORKER, "gpu", "memory"]
amounts = st.integers(0, 4).map(float)


@st.composite
def lines(draw: st.DrawFn) -> tuple[list[Waiting], dict[str, float]]:
    """Draw a line of jobs in any order, and what is free."""
    free = {name: draw(amounts) for name in NAMES}
    jobs = []
    for order in range(draw(st.integers(0, 8))):
        needs = draw(st.dictionaries(st.sampled_from(NAMES[1:]), amounts))
        jobs.append(Waiting(f"j{order}", draw(st.integers(-1, 1)), order, {WORKER: 1.0, **needs}))
    return draw(st.permutations(jobs)), free


def in_line(jobs: list[Waiting]) -> list[Waiting]:
    return sorted(jobs, key=lambda job: (-job.priority, job.order))


@given(lines())
def test_never_more_than_is_free(line: tuple[list[Waiting], dict[str, float]]) -> None:
    jobs, free = line
    chosen = next_to_start(jobs, free)
    assert len(chosen) == len(set(chosen))
    by_id = {job.id: job for job in jobs}
    for name in NAMES:
        assert sum(by_id[job_id].needs.get(name, 0.0) for job_id in chosen) <= free[name]


@given(lines())
def test_in_the_order_of_priority_then_of_arrival(
    line: tuple[list[Waiting], dict[str, float]],
) -> None:
    jobs, free = line
    chosen = next_to_start(jobs, free)
    assert chosen == [job.id for job in in_line(jobs) if job.id in chosen]


@given(lines())
def test_the_first_starts_if_it_can(line: tuple[list[Waiting], dict[str, float]]) -> None:
    jobs, free = line
    chosen = next_to_start(jobs, free)
    if jobs:
        first = in_line(jobs)[0]
        assert (first.id in chosen) == fits(first.needs, free)


@given(lines())
def test_who_is_passed_over_loses_nothing(
    line: tuple[list[Waiting], dict[str, float]],
) -> None:
    """What starts leaves to each that is ahead of it what that one needs, or all there was."""
    jobs, free = line
    chosen = set(next_to_start(jobs, free))
    ordered = in_line(jobs)
    for place, job in enumerate(ordered):
        if job.id in chosen:
            continue
        ahead = [other for other in ordered[:place] if other.id in chosen]
        behind = [other for other in ordered[place:] if other.id in chosen]
        for name, amount in job.needs.items():
            if amount == 0:
                continue
            left = free[name] - sum(other.needs.get(name, 0.0) for other in ahead)
            taken = sum(other.needs.get(name, 0.0) for other in behind)
            if name != WORKER or left < amount:
                assert taken <= max(0.0, left - amount)


@given(lines())
def test_nothing_idles_without_a_reason(line: tuple[list[Waiting], dict[str, float]]) -> None:
    """With no one ahead that waits for more, what fits starts."""
    jobs, free = line
    chosen = set(next_to_start(jobs, free))
    left = dict(free)
    for job in in_line(jobs):
        if not fits(job.needs, left):
            break
        assert job.id in chosen
        for name, amount in job.needs.items():
            left[name] -= amount


@given(lines())
def test_asking_again_starts_no_more(line: tuple[list[Waiting], dict[str, float]]) -> None:
    jobs, free = line
    chosen = next_to_start(jobs, free)
    left = dict(free)
    for job in jobs:
        if job.id in chosen:
            for name, amount in job.needs.items():
                left[name] -= amount
    first_refused = next((job for job in in_line(jobs) if job.id not in chosen), None)
    again = next_to_start([job for job in jobs if job.id not in chosen], left)
    assert first_refused is None or first_refused.id not in again


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
@example([3, 6, 1])  # 1 - 0.3 - 0.6 is less than 0.1
def test_fractions_that_add_up_to_one_fit(parts: list[int]) -> None:
    jobs = [Waiting(str(i), 0, i, {"gpu": part / sum(parts)}) for i, part in enumerate(parts)]
    assert len(next_to_start(jobs, {"gpu": 1.0})) == len(parts)


def test_a_job_that_waits_for_a_gpu_keeps_no_worker_idle() -> None:
    waits = Waiting("waits", 1, 0, {WORKER: 1.0, "gpu": 1.0})
    plain = Waiting("plain", 0, 1, {WORKER: 1.0})
    assert next_to_start([plain, waits], {WORKER: 1.0, "gpu": 0.0}) == ["plain"]


def test_a_large_job_is_not_overtaken_for_ever() -> None:
    large = Waiting("large", 0, 0, {WORKER: 1.0, "memory": 8.0})
    small = Waiting("small", 0, 1, {WORKER: 1.0, "memory": 1.0})
    assert next_to_start([small, large], {WORKER: 2.0, "memory": 7.0}) == []
    assert next_to_start([small, large], {WORKER: 2.0, "memory": 8.0}) == ["large"]
    wide = Waiting("wide", 0, 0, {WORKER: 2.0})
    assert next_to_start([wide, small], {WORKER: 1.0, "memory": 8.0}) == []


def test_a_resource_that_is_not_there() -> None:
    assert next_to_start([Waiting("a", 0, 0, {"gpu": 1.0})], {}) == []
    assert next_to_start([Waiting("a", 0, 0, {"gpu": 0.0})], {}) == ["a"]
