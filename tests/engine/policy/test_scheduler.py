"""Who runs next: properties that hold for any line of jobs, against a model that sorts them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection
from functools import partial

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rheojobs.engine.policy.scheduler import AGE_PER_LEVEL, WORKER, Scheduler, Waiting, fits

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
    return sorted(jobs, key=lambda job: (job.since - job.priority * AGE_PER_LEVEL, job.order))


def start_next(scheduler: Scheduler, avoid: Collection[str] = ()) -> str | None:
    """Start the job that comes next, as the dispatcher does."""
    if (chosen := scheduler.next_to_start(avoid)) is not None:
        scheduler.start(chosen)
    return chosen


def plan(jobs: list[Waiting], free: dict[str, float]) -> list[str]:
    """Start what can be started."""
    scheduler = Scheduler(free)
    for job in jobs:
        scheduler.add(job)
    return list(iter(partial(start_next, scheduler), None))


def naive(jobs: list[Waiting], free: dict[str, float], avoid: set[str]) -> str | None:
    """Choose by sorting all: what the scheduler must come to without."""
    left = dict(free)
    refused = []
    for job in in_line(jobs):
        if (job.affinity, job.needs) in refused or job.affinity in avoid or left[WORKER] <= 0:
            continue
        if fits(job.needs, left):
            return job.id
        refused.append((job.affinity, job.needs))
        keeps_worker = left[WORKER] < job.needs[WORKER]
        for name, amount in job.needs.items():
            if name != WORKER or keeps_worker:
                left[name] = max(0.0, left[name] - amount)
    return None


@given(lines())
def test_never_more_than_is_free(line: tuple[list[Waiting], dict[str, float]]) -> None:
    jobs, free = line
    chosen = plan(jobs, free)
    assert len(chosen) == len(set(chosen))
    by_id = {job.id: job for job in jobs}
    for name in NAMES:
        assert sum(by_id[job_id].needs.get(name, 0.0) for job_id in chosen) <= free[name]


@given(lines())
def test_in_the_order_of_priority_then_of_arrival(
    line: tuple[list[Waiting], dict[str, float]],
) -> None:
    jobs, free = line
    chosen = plan(jobs, free)
    assert chosen == [job.id for job in in_line(jobs) if job.id in chosen]


@given(lines())
def test_the_first_starts_if_it_can(line: tuple[list[Waiting], dict[str, float]]) -> None:
    jobs, free = line
    chosen = plan(jobs, free)
    if jobs:
        first = in_line(jobs)[0]
        assert (first.id in chosen) == fits(first.needs, free)


@given(lines())
def test_the_first_that_is_passed_over_loses_nothing(
    line: tuple[list[Waiting], dict[str, float]],
) -> None:
    """What starts leaves to the first that must wait what it needs, or all there was of it."""
    jobs, free = line
    chosen = set(plan(jobs, free))
    ordered = in_line(jobs)
    place = next((i for i, job in enumerate(ordered) if job.id not in chosen), None)
    if place is None:
        return
    ahead, behind = ordered[:place], [job for job in ordered[place:] if job.id in chosen]
    for name, amount in ordered[place].needs.items():
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
    chosen = set(plan(jobs, free))
    left = dict(free)
    for job in in_line(jobs):
        if not fits(job.needs, left):
            break
        assert job.id in chosen
        for name, amount in job.needs.items():
            left[name] -= amount


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
@example([3, 6, 1])  # 1 - 0.3 - 0.6 is less than 0.1
def test_fractions_that_add_up_to_one_fit(parts: list[int]) -> None:
    share = [part / sum(parts) for part in parts]
    jobs = [Waiting(str(i), 0, i, {WORKER: 1.0, "gpu": part}) for i, part in enumerate(share)]
    assert len(plan(jobs, {WORKER: 6.0, "gpu": 1.0})) == len(parts)


def test_a_job_that_waits_for_a_gpu_keeps_no_worker_idle() -> None:
    waits = Waiting("waits", 1, 0, {WORKER: 1.0, "gpu": 1.0})
    plain = Waiting("plain", 0, 1, {WORKER: 1.0})
    assert plan([plain, waits], {WORKER: 1.0, "gpu": 0.0}) == ["plain"]


def test_a_large_job_is_not_overtaken_for_ever() -> None:
    large = Waiting("large", 0, 0, {WORKER: 1.0, "memory": 8.0})
    small = Waiting("small", 0, 1, {WORKER: 1.0, "memory": 1.0})
    assert plan([small, large], {WORKER: 2.0, "memory": 7.0}) == []
    assert plan([small, large], {WORKER: 2.0, "memory": 8.0}) == ["large"]
    wide = Waiting("wide", 0, 0, {WORKER: 2.0})
    assert plan([wide, small], {WORKER: 1.0, "memory": 8.0}) == []


def test_a_resource_that_is_not_there() -> None:
    one = {WORKER: 1.0}
    assert plan([Waiting("a", 0, 0, {**one, "gpu": 1.0})], one) == []
    assert plan([Waiting("a", 0, 0, {**one, "gpu": 0.0})], {**one, "gpu": 0.0}) == ["a"]


class Machine(RuleBasedStateMachine):
    """Jobs come, leave, get other priorities, start and end; the model sorts them each time."""

    def __init__(self) -> None:
        super().__init__()
        self.total = {WORKER: 2.0, "gpu": 1.0, "memory": 4.0}
        self.scheduler = Scheduler(self.total)
        self.waiting: dict[str, Waiting] = {}
        self.running: dict[str, Waiting] = {}
        self.orders = itertools.count()
        self.now = 0.0

    @rule(
        priority=st.integers(-2, 2),
        gpu=st.sampled_from([0.0, 0.5, 1.0]),
        memory=st.integers(0, 4).map(float),
        workers=st.sampled_from([1.0, 1.0, 2.0]),
        affinity=st.sampled_from(["", "", "maxwell"]),
        later=st.sampled_from([0.0, 1.0, AGE_PER_LEVEL, 3 * AGE_PER_LEVEL]),
    )
    def add(
        self, priority: int, gpu: float, memory: float, workers: float, affinity: str, later: float
    ) -> None:
        self.now += later
        order = next(self.orders)
        needs = {WORKER: workers, "gpu": gpu, "memory": memory}
        job = Waiting(f"j{order}", priority, order, needs, self.now, affinity)
        self.waiting[job.id] = job
        self.scheduler.add(job)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), priority=st.integers(-2, 2))
    def prioritise(self, data: st.DataObject, priority: int) -> None:
        old = self.waiting[data.draw(st.sampled_from(sorted(self.waiting)))]
        self.scheduler.prioritise(old.id, priority)
        self.waiting[old.id] = Waiting(
            old.id, priority, old.order, old.needs, old.since, old.affinity
        )

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.waiting)))
        del self.waiting[job_id]
        self.scheduler.remove(job_id)
        self.scheduler.remove(job_id)  # of what has left nothing more is taken

    @rule(avoid=st.sampled_from([set(), {"maxwell"}]))
    def start(self, avoid: set[str]) -> None:
        expected = naive(list(self.waiting.values()), self.scheduler.free, avoid)
        assert start_next(self.scheduler, avoid) == expected
        if expected is not None:
            self.running[expected] = self.waiting.pop(expected)

    @rule(gpu=st.sampled_from([0.0, 1.0]), memory=st.integers(0, 4).map(float))
    def start_a_new_one(self, gpu: float, memory: float) -> None:
        """Whoever starts at once would have been chosen, had he stood in line."""
        order = next(self.orders)
        job = Waiting(f"j{order}", 0, order, {WORKER: 1.0, "gpu": gpu, "memory": memory}, self.now)
        chosen = naive([*self.waiting.values(), job], self.scheduler.free, set())
        starts = self.scheduler.start_now(job.needs)
        assert starts == (not self.waiting and chosen == job.id)
        if starts:
            self.running[job.id] = job

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        job = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        self.scheduler.give_back(job.needs)

    @invariant()
    def accounts(self) -> None:
        assert len(self.scheduler) == len(self.waiting)
        assert all(job_id in self.scheduler for job_id in self.waiting)
        for name, total in self.total.items():
            taken = sum(job.needs[name] for job in self.running.values())
            assert self.scheduler.free[name] == total - taken >= 0.0


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


@given(
    priority=st.integers(-3, 3),
    flood=st.lists(st.integers(-3, 6), min_size=60, max_size=60),
    gap=st.floats(60.0, 600.0),
)
def test_nothing_starves(priority: int, flood: list[int], gap: float) -> None:
    """However many others keep coming, one that waits starts after a bounded number of them."""
    scheduler = Scheduler({WORKER: 1.0})
    scheduler.add(Waiting("patient", priority, 0, {WORKER: 1.0}, since=0.0))
    ahead = 0
    for number, other in enumerate(flood):  # one comes and one starts, in every gap
        now = gap * number
        scheduler.add(Waiting(f"f{number}", other, number + 1, {WORKER: 1.0}, since=now))
        chosen = start_next(scheduler)
        if chosen == "patient":
            break
        ahead += 1
        scheduler.give_back({WORKER: 1.0})
    assert ahead <= (6 - priority) * AGE_PER_LEVEL / gap + 1


def test_higher_first_then_first_come_at_one_time() -> None:
    jobs = [Waiting(str(i), p, i, {WORKER: 1.0}) for i, p in enumerate([0, 5, -1, 5, 0])]
    assert plan(jobs, {WORKER: 5.0}) == ["1", "3", "0", "4", "2"]


def test_a_decision_looks_at_few_of_many(monkeypatch) -> None:
    """Counted, not timed: the comparisons of a heap grow with the logarithm of its length."""

    def work(count: int) -> float:
        calls: Counter[str] = Counter()

        class Key(tuple):  # counts how often two places in line are compared
            def __lt__(self, other: tuple[float, int]) -> bool:
                calls["compared"] += 1
                return tuple.__lt__(self, other)

        place = property(lambda job: Key((job.since - job.priority * AGE_PER_LEVEL, job.order)))
        monkeypatch.setattr(Waiting, "key", place)
        free = {WORKER: 1.0, "gpu": 1.0}
        scheduler = Scheduler(free)
        needs = [{WORKER: 1.0}, {WORKER: 1.0, "gpu": 1.0}, {WORKER: 1.0, "gpu": 0.5}]
        for order in range(count):
            scheduler.add(Waiting(f"j{order}", order * 7919 % 5, order, needs[order % 3]))
        calls.clear()
        for _ in range(count):
            job_id = start_next(scheduler)
            assert job_id is not None
            scheduler.give_back(needs[int(job_id[1:]) % 3])
        return calls["compared"] / count

    small, large = work(100), work(5_000)
    assert large < 3 * small  # log 5,000 / log 100 is 1.8


def test_what_left_takes_no_place() -> None:
    """Jobs that come and go, or change their priority, while none can start, pile nothing up."""
    scheduler = Scheduler({WORKER: 0.0})
    needs = {WORKER: 1.0}
    scheduler.add(Waiting("stays", 0, 0, needs))
    for order in range(1, 2000):
        scheduler.add(Waiting(f"j{order}", 1, order, needs))
        scheduler.remove(f"j{order}")
        scheduler.prioritise("stays", order)
    (line,) = scheduler._lines.values()
    assert len(line._heap) < 50
    assert len(scheduler._heads) < 50
