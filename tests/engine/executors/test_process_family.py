"""How processes are started and ended where there are no groups and no signals of POSIX."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.engine import helpers
from tests.engine.executors.processes.helpers import is_alive

from rheojobs.engine.executors import process_family
from rheojobs.engine.executors.dask.worker_side import kill_worker

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def family() -> list[int]:
    """A process and its child: their numbers."""
    process = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        return [process.pid, int(process.stdout.readline())]


def test_a_family_without_a_group(family: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_family, "HAS_GROUPS", False)
    process_family.kill_family(family[0])
    helpers.wait_until(lambda: not any(map(is_alive, family)))
    process_family.kill_family(family[0])  # it has ended already


def test_children_only() -> None:
    script = FAMILY.replace(
        "time.sleep(60)\n",
        "from rheojobs.engine.executors import process_family\n"
        "process_family.HAS_GROUPS = False\n"
        "process_family.kill_children()\n"
        "child.wait(30)\n",
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert not is_alive(int(done.stdout))


def test_with_groups_the_children_are_left_to_the_group(family: list[int]) -> None:
    process_family.kill_children()
    assert all(map(is_alive, family))
    for pid in family:
        process_family.kill_process(pid)
    helpers.wait_until(lambda: not any(map(is_alive, family)))


def test_a_dask_worker_that_has_ended_already_is_no_error(family: list[int]) -> None:
    """Its nanny may ask for its end twice."""

    class Nanny:
        pid = family[0]

    kill_worker(dask_worker=Nanny())
    helpers.wait_until(lambda: not is_alive(family[0]))
    kill_worker(dask_worker=Nanny())
    process_family.kill_process(family[1])


def test_priority_and_ctrl_c_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_family, "HAS_GROUPS", False)
    flags = {
        "CREATE_NEW_PROCESS_GROUP": 0x200,
        "CREATE_NO_WINDOW": 0x8000000,
        "BELOW_NORMAL_PRIORITY_CLASS": 0x4000,
    }
    for name, flag in flags.items():
        monkeypatch.setattr(subprocess, name, flag, raising=False)
    assert process_family.start_apart(5) == {"creationflags": 0x8004200}
    assert process_family.start_apart() == {"creationflags": 0x8000200}
