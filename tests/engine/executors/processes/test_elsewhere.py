"""Workers on systems that lack what Linux has: no signal at the end of a pipe, no groups.

The applications and workers are real; only the two things that the systems lack are taken away.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.engine import chores, helpers
from tests.engine.executors import worker_tasks as tasks
from tests.engine.executors.processes.helpers import ANY_TASK, HEAD, WORK, Application, is_alive
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import JobEngine
from rheojobs.engine.executors import process_family
from rheojobs.engine.executors.processes import guard, lifeline

fcntl = pytest.importorskip("fcntl")

pytestmark = [
    pytest.mark.skipif(not hasattr(fcntl, "F_SETSIG"), reason="takes away what Linux has"),
    pytest.mark.promise("nothing-left-behind"),
    pytest.mark.alone,
]

LIKE_MACOS = """
    from rheojobs.engine.executors import process_family
    from rheojobs.engine.executors.processes import lifeline
    from rheojobs.engine.executors.processes.guard import guard
    lifeline.kernel_ends_workers = lambda: False
"""

NO_GROUPS = (
    "from rheojobs.engine.executors import process_family; process_family.HAS_GROUPS = False; from "
)

LIKE_WINDOWS = f"""{LIKE_MACOS}
    command = process_family.python_command
    def command_elsewhere(module, **config):
        made = command(module, **config)
        return [part.replace("from ", "{NO_GROUPS}", 1) for part in made]
    process_family.python_command = command_elsewhere
    process_family.HAS_GROUPS = False
"""

SYSTEMS = {"like macOS": LIKE_MACOS, "like Windows": LIKE_WINDOWS}


def on(system: str, script: str) -> str:
    return HEAD.replace("    engine =", f"{system}\n    engine =") + script


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


@pytest.fixture(params=SYSTEMS)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobEngine]:
    """An engine of the test's own process, as on another system."""
    monkeypatch.setattr(lifeline, "kernel_ends_workers", lambda: False)
    if request.param == "like Windows":
        command = process_family.python_command
        monkeypatch.setattr(process_family, "HAS_GROUPS", False)
        monkeypatch.setattr(
            process_family,
            "python_command",
            lambda *args, **config: [
                part.replace("from ", NO_GROUPS, 1) for part in command(*args, **config)
            ],
        )
    engine = JobEngine("processes", max_workers=2)
    yield engine
    assert engine.shutdown(timeout=TIMEOUT)


def all_end(pids: list[int]) -> None:
    helpers.wait_until(lambda: not any(map(is_alive, pids)), timeout=10.0)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
class TestApplicationKilled:
    @pytest.mark.parametrize("work", WORK.values(), ids=WORK)
    def test_workers_and_guard_end(self, applications: Any, system: str, work: str) -> None:
        script = f"    {work}\n    tell_workers()\n    print(guard.pid, flush=True)\n"
        application = applications(on(system, f"{script}    time.sleep(60)\n"))
        processes = [*application.workers(), int(application.line())]
        assert is_alive(processes[-1])
        application.process.kill()
        all_end(processes)

    def test_stopped_workers_and_what_their_tasks_have_started(
        self, applications: Any, system: str
    ) -> None:
        script = """
    working(tasks.start_child)
    helpers.wait_until(lambda: "starting" not in [w.state for w in engine.executor.workers()])
    tell_workers()
    time.sleep(60)
"""
        application = applications(on(system, script))
        workers = application.workers()
        children = [child.pid for pid in workers for child in psutil.Process(pid).children()]
        assert children
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        application.process.kill()
        all_end(workers + children)

    def test_a_guard_that_was_killed_is_replaced(self, applications: Any, system: str) -> None:
        script = """
    first = guard.pid
    os.kill(first, signal.SIGKILL)
    working(tasks.hold_the_lock)  # it makes the engine start another worker, as a spare
    helpers.wait_until(lambda: guard.pid != first)
    tell_workers()
    time.sleep(60)
"""
        application = applications(on(system, script))
        workers = application.workers()
        application.process.kill()
        all_end(workers)


def test_without_a_guard_a_worker_takes_its_children_along(applications: Any) -> None:
    """It may also leave before the guard looks, which then finds no parent of theirs."""
    script = """
    working(tasks.start_child)
    tell_workers()
    os.kill(guard.pid, signal.SIGKILL)
    print(open("trace-start_child").read(), flush=True)
    time.sleep(60)
"""
    application = applications(on(LIKE_WINDOWS, script))
    processes = [*application.workers(), int(application.line())]
    assert is_alive(processes[-1])
    application.process.kill()
    all_end(processes)


class TestEngine:
    def test_a_stuck_task_is_killed_with_what_it_has_started(
        self, engine: JobEngine, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"
        job = engine.run(tasks.start_child, str(trace))
        helpers.wait_until(lambda: trace.exists() and trace.read_text())
        child = int(trace.read_text())
        assert is_alive(child)
        job.cancel()
        helpers.wait_until(job.done, timeout=ANY_TASK)
        helpers.wait_until(lambda: not is_alive(child))
        assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0

    def test_shutdown_leaves_no_guard(self, engine: JobEngine) -> None:
        engine.run(chores.add, 1.0).result(TIMEOUT)
        pid = guard.guard.pid
        assert pid is not None
        assert is_alive(pid)
        assert engine.shutdown(timeout=TIMEOUT)
        assert not is_alive(pid)
        assert guard.guard.pid is None

    def test_no_room_for_a_guard(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def popen(*args: object, **options: object) -> None:
            raise BlockingIOError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(lifeline, "kernel_ends_workers", lambda: False)
        monkeypatch.setattr(guard, "guard", guard.Guard())
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", popen)
            guard.guard.watch(os.getpid())
        assert "stuck workers may outlive this application" in caplog.text
        guard.guard.release(os.getpid())


def test_a_kernel_that_refuses_the_lifeline_ends_no_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Some sandboxes do: the application asks first, and a worker lives on all the same."""

    def refuse(*args: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    lifeline.kernel_ends_workers.cache_clear()
    assert not lifeline.kernel_ends_workers()
    lifeline.kernel_ends_workers.cache_clear()
    read_end, write_end = os.pipe()
    lifeline.die_with_the_application(read_end)
    assert "Invalid argument" in caplog.text
    os.close(read_end)
    os.close(write_end)


def test_the_kernel_here_ends_workers() -> None:
    assert lifeline.kernel_ends_workers()
