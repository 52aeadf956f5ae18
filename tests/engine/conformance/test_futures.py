"""Jobs in the standard library's language, on every executor: futures, asyncio, executors."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading
import weakref
from pathlib import Path

import pytest
from scipy import optimize
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import Job, JobEngine, JobState, PartialResult, ProgressMade, StateChanged

S = JobState


class TestFuture:
    def test_times_out(self, engine: JobEngine) -> None:
        job = engine.submit(chores.hold)
        with pytest.raises(TimeoutError):
            job.result(0.01)
        with pytest.raises(TimeoutError):
            job.exception(timeout=0.01)
        assert not job.done()

    def test_life(self, engine: JobEngine, recorder: Recorder, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold, gate)
        recorder.wait_for(job, S.RUNNING)
        assert (job.running(), job.done(), job.cancelled()) == (True, False, False)
        gate.touch()
        assert job.result(TIMEOUT) == "through"
        assert job.exception(0) is None
        assert (job.running(), job.done(), job.cancelled()) == (False, True, False)

    def test_not_running_while_queued(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        for job in [engine.run(chores.hold, gate) for _ in range(2)]:
            recorder.wait_for(job, S.RUNNING)
        waiting = engine.submit(chores.nothing)
        assert not waiting.running()
        gate.touch()

    def test_a_slow_callback_holds_up_nobody(self, engine: JobEngine, tmp_path: Path) -> None:
        go_on, seen = threading.Event(), threading.Event()

        def linger(job: Job) -> None:
            seen.set()
            assert go_on.wait(TIMEOUT)

        # Of a job that has ended already, it would be called here.
        job = engine.run(chores.hold, tmp_path / "gate")
        job.add_done_callback(linger)
        (tmp_path / "gate").touch()
        job.result(TIMEOUT)
        assert seen.wait(TIMEOUT)
        try:
            others = [engine.run(chores.add, float(number)) for number in range(20)]
            assert [other.result(TIMEOUT) for other in others] == [n + 1.0 for n in range(20)]
        finally:
            go_on.set()

    def test_callbacks_come_in_order_and_after_the_end(self, engine: JobEngine) -> None:
        called: list[tuple[int, bool]] = []
        jobs = [engine.submit(chores.nothing) for _ in range(20)]
        for number, job in enumerate(jobs):
            job.add_done_callback(lambda job, number=number: called.append((number, job.done())))
        assert engine.wait(TIMEOUT)
        assert sorted(called) == [(number, True) for number in range(20)], "each once"

    @pytest.mark.promise("crash-harms-one")
    def test_a_callback_that_fails(self, engine: JobEngine) -> None:
        called: list[Job] = []
        job = engine.submit(chores.nothing)
        job.add_done_callback(lambda job: 1 // 0)
        job.add_done_callback(called.append)
        helpers.wait_until(lambda: called)
        job.add_done_callback(lambda job: 1 // 0)  # as the standard library does, it is logged

    def test_forgotten_before_the_end(self, engine: JobEngine, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold, gate)
        job.forget()
        assert job in engine.jobs(), "it can be cancelled yet"
        gate.touch()
        assert job.result(TIMEOUT) == "through"
        assert engine.wait(TIMEOUT)
        assert job not in engine.jobs()

    def test_done_callbacks(self, engine: JobEngine, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        called: list[Job] = []
        job = engine.run(chores.hold, gate)
        job.add_done_callback(called.append)
        assert called == []
        gate.touch()
        job.result(TIMEOUT)
        helpers.wait_until(lambda: called)
        job.add_done_callback(called.append)  # called now, since it has ended
        assert called == [job, job]

    @pytest.mark.promise("crash-harms-one")
    def test_a_callback_that_raises(self, engine: JobEngine, tmp_path: Path) -> None:
        def leave(job: Job) -> None:
            raise SystemExit

        gate = tmp_path / "gate"
        job = engine.run(chores.hold, str(gate))
        job.add_done_callback(leave)
        gate.touch()
        job.result(TIMEOUT)
        assert engine.wait(TIMEOUT)
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_a_callback_may_submit_and_wait(self, engine: JobEngine) -> None:
        answers: list[object] = []

        def go_on(job: Job) -> None:
            answers.append(engine.wait(TIMEOUT))
            answers.append(engine.run(chores.add, job.result(0)))

        engine.run(chores.add, 1.0).add_done_callback(go_on)
        helpers.wait_until(lambda: len(answers) == 2)
        assert answers[0] is True
        assert isinstance(answers[1], Job)
        assert answers[1].result(TIMEOUT) == 3.0

    def test_map(self, engine: JobEngine) -> None:
        assert list(engine.map(chores.square, range(6))) == [0, 1, 4, 9, 16, 25]
        assert list(engine.map(chores.add, [1, 2, 3], [10, 20])) == [11, 22]

    def test_map_raises_in_its_place(self, engine: JobEngine) -> None:
        results = engine.map(lambda x: 1 / x, [1, 0])
        assert next(results) == 1.0
        with pytest.raises(ZeroDivisionError):
            next(results)


class TestAsyncio:
    def test_await(self, engine: JobEngine) -> None:
        async def main() -> list[float]:
            first = await engine.run(chores.add, 1.0)
            rest = await asyncio.gather(*[engine.run(chores.square, x) for x in (2.0, 3.0)])
            return [first, *rest]

        assert asyncio.run(main()) == [2.0, 4.0, 9.0]

    def test_await_raises(self, engine: JobEngine) -> None:
        async def main() -> None:
            await engine.submit(chores.fail)

        with pytest.raises(chores.CustomError):
            asyncio.run(main())

    def test_cancelling_who_awaits_cancels_the_job(self, engine: JobEngine) -> None:
        async def main() -> Job:
            job = engine.submit(chores.hold)

            async def wait() -> None:
                await job

            task = asyncio.create_task(wait())
            await asyncio.sleep(0)  # let it begin to await
            while job.state is not S.RUNNING:
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return job

        job = asyncio.run(main())
        with pytest.raises(concurrent.futures.CancelledError):
            job.result(TIMEOUT)

    def test_events(self, engine: JobEngine) -> None:
        async def main() -> list[object]:
            job = engine.run(chores.generator_with_context, 2)
            return [event async for event in job.events()]

        events = asyncio.run(asyncio.wait_for(main(), TIMEOUT))
        states = [event.state for event in events if isinstance(event, StateChanged)]
        assert isinstance(events[0], StateChanged)
        assert events[0].previous is None
        assert states[-1] is S.SUCCEEDED
        assert events[-1].state is S.SUCCEEDED  # type: ignore[attr-defined]
        assert len({state for state in states if state.is_terminal}) == 1

    def test_events_from_the_start(self, engine: JobEngine, tmp_path: Path) -> None:
        gate = tmp_path / "gate"

        async def main() -> list[object]:
            blockers = [engine.run(chores.hold, gate) for _ in range(2)]
            while not all(job.state is S.RUNNING for job in blockers):
                await asyncio.sleep(0.005)
            job = engine.run(chores.generator_with_context, 2)
            events = []
            async for event in job.events():
                events.append(event)
                gate.touch()
            return events

        events = asyncio.run(asyncio.wait_for(main(), TIMEOUT))
        states = [event.state for event in events if isinstance(event, StateChanged)]
        assert states == [S.QUEUED, S.RUNNING, S.SUCCEEDED]
        assert [event.value for event in events if isinstance(event, PartialResult)] == [0, 1]
        assert any(isinstance(event, ProgressMade) for event in events)

    def test_events_of_a_job_that_has_ended(self, engine: JobEngine) -> None:
        job = engine.submit(chores.fail, name="bad")
        job.exception(TIMEOUT)

        async def main() -> list[object]:
            return [event async for event in job.events()]

        (event,) = asyncio.run(asyncio.wait_for(main(), TIMEOUT))
        assert isinstance(event, StateChanged)
        assert event.state is S.FAILED
        assert "dried out" in event.message

    def test_leaving_the_loop_unsubscribes(self, engine: JobEngine, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        before = len(engine._bus._subscribers)

        async def main() -> Job:
            job = engine.run(chores.hold, gate)
            events = job.events()
            async for _ in events:
                break
            await events.aclose()
            return job

        job = asyncio.run(asyncio.wait_for(main(), TIMEOUT))
        assert len(engine._bus._subscribers) == before
        gate.touch()
        assert job.result(TIMEOUT) == "through"

    def test_run_in_executor(self, engine: JobEngine) -> None:
        async def main() -> float:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(engine.as_executor(), chores.add, 2.0, 3.0)

        assert asyncio.run(main()) == 5.0


class TestAsExecutor:
    def test_is_one(self, engine: JobEngine) -> None:
        executor = engine.as_executor()
        assert isinstance(executor, concurrent.futures.Executor)
        future = executor.submit(chores.add, 1.0, b=2.0)
        assert isinstance(future, concurrent.futures.Future)
        assert future.result(TIMEOUT) == 3.0

    def test_arguments_of_any_name(self, engine: JobEngine) -> None:
        arguments = {"self": 1, "fn": 2, "function": 3, "task": 4, "context": 5}
        assert engine.as_executor().submit(dict, **arguments).result(TIMEOUT) == arguments
        assert engine.run(dict, **arguments).result(TIMEOUT) == arguments

    def test_takes_nothing_after_its_shutdown(self, engine: JobEngine) -> None:
        executor = engine.as_executor()
        executor.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.submit(chores.nothing)
        assert engine.as_executor().submit(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_a_result_that_was_taken_is_free(self, engine: JobEngine) -> None:
        for result in engine.as_executor().map(chores.big_of, range(5)):
            reference = weakref.ref(result)
            del result
            helpers.wait_until(lambda reference=reference: (gc.collect(), reference())[1] is None)

    def test_map(self, engine: JobEngine) -> None:
        assert list(engine.as_executor().map(chores.square, range(5))) == [0, 1, 4, 9, 16]

    def test_wait_and_as_completed(self, engine: JobEngine, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        executor = engine.as_executor()
        slow = executor.submit(chores.hold, gate)
        quick = executor.submit(chores.add, 1.0)
        done, open_ = concurrent.futures.wait(
            [slow, quick], TIMEOUT, concurrent.futures.FIRST_COMPLETED
        )
        assert (done, open_) == ({quick}, {slow})
        gate.touch()
        bad = executor.submit(chores.fail)
        stopped = executor.submit(chores.hold)
        assert stopped.cancel()
        ended = list(concurrent.futures.as_completed([slow, quick, bad, stopped], TIMEOUT))
        assert set(ended) == {slow, quick, bad, stopped}
        assert stopped.cancelled()
        assert isinstance(bad.exception(), chores.CustomError)

    def test_cancelling_a_running_future_stops_it(self, engine: JobEngine) -> None:
        future = engine.as_executor().submit(chores.hold)
        helpers.wait_until(future.running)
        assert future.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            future.result(TIMEOUT)

    def test_shutdown_waits_and_leaves_the_engine(self, engine: JobEngine, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        other = engine.run(chores.hold, gate)
        with engine.as_executor() as executor:
            futures = [executor.submit(chores.count_slowly, 5, 0.005) for _ in range(3)]
        assert all(future.done() for future in futures)
        assert not other.done()
        gate.touch()
        assert other.result(TIMEOUT) == "through"

    def test_scipy_workers(self, engine: JobEngine) -> None:
        options = {"bounds": [(-2, 2)] * 2, "popsize": 4, "maxiter": 3, "polish": False}
        options |= {"updating": "deferred", "rng": 1}
        alone = optimize.differential_evolution(chores.sphere, **options)
        ours = optimize.differential_evolution(
            chores.sphere, workers=engine.as_executor().map, **options
        )
        assert ours.x.tolist() == alone.x.tolist()
        assert ours.nfev == alone.nfev > 20

    def test_scipy_brute(self, engine: JobEngine) -> None:
        best = optimize.brute(
            chores.sphere,
            [slice(0, 2, 0.5)] * 2,
            finish=None,
            workers=engine.as_executor().map,
        )
        assert best.tolist() == [1.0, 1.0]


class TestThreadSafety:
    def test_many_submit_at_once(self, engine: JobEngine) -> None:
        results: list[float] = []

        def submit() -> None:
            jobs = [engine.run(chores.square, float(x)) for x in range(20)]
            results.extend(job.result(TIMEOUT) for job in jobs)

        threads = [threading.Thread(target=submit) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT)
        assert sorted(results) == sorted([float(x * x) for x in range(20)] * 4)
