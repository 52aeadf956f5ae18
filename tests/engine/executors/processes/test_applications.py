"""Nothing is left behind, however the application ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.engine import chores, helpers
from tests.engine.executors.processes.helpers import (
    HEAD,
    WORK,
    Application,
    is_alive,
    pids,
)
from tests.engine.helpers import TIMEOUT, Recorder

from rheojobs.engine import (
    JobEngine,
    JobState,
)

S = JobState


pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


@pytest.fixture
def applications(tmp_path: Path) -> Iterator[Any]:
    """Start scripts, and see to it that none is left."""
    started: list[Application] = []

    def start(source: str) -> Application:
        started.append(Application(tmp_path, source))
        return started[-1]

    yield start
    for application in started:
        application.process.kill()
        application.process.communicate()


@pytest.mark.promise("nothing-left-behind")
@pytest.mark.alone
class TestNoOrphans:
    @pytest.mark.parametrize("work", WORK.values(), ids=WORK)
    def test_application_killed(self, applications: Any, work: str) -> None:
        application = applications(f"{HEAD}\n    {work}\n    tell_workers()\n    time.sleep(60)\n")
        workers = application.workers()
        application.process.kill()
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)

    def test_application_killed_while_its_workers_are_stopped(self, applications: Any) -> None:
        """A signal that can wait would do so in vain; and what a task has started goes too."""
        application = applications(f"""{HEAD}
    working(tasks.start_child)
    helpers.wait_until(lambda: "starting" not in [w.state for w in engine.executor.workers()])
    tell_workers()
    time.sleep(60)
""")
        workers = application.workers()
        children = [child.pid for pid in workers for child in psutil.Process(pid).children()]
        assert children
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        application.process.kill()
        helpers.wait_until(lambda: not any(map(is_alive, workers + children)), timeout=10.0)

    @pytest.mark.parametrize("work", WORK.values(), ids=WORK)
    def test_application_leaves_through_the_back_door(self, applications: Any, work: str) -> None:
        application = applications(f"{HEAD}\n    {work}\n    tell_workers()\n    os._exit(4)\n")
        line = application.line()
        assert application.process.wait(TIMEOUT) == 4
        workers = [int(word) for word in line.split()]
        assert workers
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)

    def test_killed_while_workers_are_starting(self, applications: Any) -> None:
        application = applications(f"{HEAD}\n    tell_workers()\n    time.sleep(60)\n")
        workers = [int(word) for word in application.line().split()]
        application.process.kill()
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)


ENDINGS = {
    "without a job": "",
    "after a job": "engine.run(chores.add, 1.0).result(30)",
    "with a job running": "job = engine.run(chores.hold, '')\n    helpers.wait_until(job.running)",
    "with a paused job": "job = engine.run(chores.hold, '')\n"
    "    helpers.wait_until(job.running)\n    job.pause()\n"
    "    helpers.wait_until(lambda: job.state == 'paused')",
    "with a stuck job": "working(tasks.loop_forever)",
    "with a job that holds the lock": "working(tasks.hold_the_lock)",
    "with jobs waiting": "[engine.run(chores.hold, '') for _ in range(5)]",
    "with threads too": "threads = JobEngine('threads')\n"
    "    job = threads.run(chores.hold, '')\n    helpers.wait_until(job.running)",
    "with a deaf thread": "threads = JobEngine('threads')\n"
    "    job = threads.run(chores.hold_deaf, 'never')\n    helpers.wait_until(job.running)",
    "after shutdown": "engine.run(chores.hold, '')\n    engine.shutdown()",
    "while shutting down": "engine.run(chores.hold, '')\n    engine.shutdown(wait=False)",
}


@pytest.mark.promise("nothing-left-behind")
@pytest.mark.alone
class TestInterpreterExit:
    @pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
    def test_clean(self, applications: Any, ending: str) -> None:
        application = applications(f"{HEAD}\n    {ending}\n    tell_workers()\n")
        workers = [int(word) for word in application.line().split()]
        status, out, err = application.end()
        assert (status, out, err) == (0, "", "")
        helpers.wait_until(lambda: not any(is_alive(pid) for pid in workers), timeout=10.0)

    def test_quick(self, applications: Any) -> None:
        application = applications(
            f"{HEAD}\n    working(tasks.loop_forever)\n    print('bye', flush=True)\n"
        )
        assert application.line() == "bye"
        application.process.wait(5.0)

    def test_main_functions_and_classes(self, applications: Any) -> None:
        application = applications("""
            from dataclasses import dataclass
            from rheojobs.engine import JobEngine

            print("imported", flush=True)  # a worker that imported this again would say so

            @dataclass
            class Point:
                x: float

            class OddError(Exception):
                pass

            def move(point, by):
                if by < 0:
                    raise OddError("backwards")
                return Point(point.x + by)

            engine = JobEngine("processes", max_workers=1)
            result = engine.run(move, Point(1.0), 2.0).result(30)
            print(result, type(result) is Point)
            print(type(engine.run(move, Point(1.0), -2.0).exception(30)) is OddError)
        """)
        assert application.end() == (0, "imported\nPoint(x=3.0) True\nTrue\n", "")


class TestCtrlC:
    def test_is_for_the_application(self, applications: Any) -> None:
        application = applications(f"""{HEAD}
    # Tests that were started in the background have Ctrl-C ignored, and so has what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    job = engine.run(chores.hold_telling_pid, "gate")
    helpers.wait_until(lambda: job.partial)
    try:
        tell_workers()  # Ctrl-C may come before this has returned
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    Path("gate").touch()
    assert job.result(30) == job.partial
    tell_workers()
    sys.stdin.read()
    """)
        workers = application.workers()
        os.killpg(application.process.pid, signal.SIGINT)
        assert application.line() == "interrupted"
        assert application.workers() == workers
        assert application.end() == (0, "", "")

    def test_that_reaches_a_worker_all_the_same(
        self, engine: JobEngine, recorder: Recorder, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        job = engine.run(chores.hold_telling_pid, gate)
        recorder.wait(lambda: bool(recorder.partials(job)))
        os.kill(recorder.partials(job)[0], signal.SIGINT)
        gate.touch()
        assert job.result(TIMEOUT) == recorder.partials(job)[0]


@pytest.mark.promise("nothing-left-behind")
@pytest.mark.alone
class TestShutdown:
    def test_leaves_no_process_and_no_file(self) -> None:
        process = psutil.Process()
        children, files = set(process.children(recursive=True)), process.num_fds()
        engine = JobEngine("processes", max_workers=2)
        engine.run(chores.add, 1.0).result(TIMEOUT)
        job = engine.submit(chores.hold)
        helpers.wait_until(lambda: job.state is S.RUNNING)
        started = set(process.children(recursive=True)) - children
        assert {child.pid for child in started} == set(pids(engine))
        assert engine.shutdown(timeout=TIMEOUT)
        assert set(process.children(recursive=True)) <= children
        helpers.wait_until(lambda: process.num_fds() <= files, timeout=5.0)

    def test_while_workers_are_starting(self) -> None:
        for _ in range(3):
            engine = JobEngine("processes", max_workers=2)
            started = pids(engine)
            job = engine.submit(chores.nothing)
            assert engine.shutdown(timeout=TIMEOUT)
            assert job.done()
            assert not any(is_alive(pid) for pid in started)
