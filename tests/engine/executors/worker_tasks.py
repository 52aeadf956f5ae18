"""Tasks that do to their worker process what must harm nobody else."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rheojobs.engine import TaskContext

PRELOADED: list[int] = []


def preload() -> None:
    """Leave a mark in the worker that calls it."""
    PRELOADED.append(os.getpid())


def preloaded() -> list[int]:
    """Say in which processes `preload` was called, as seen from here."""
    return list(PRELOADED)


def preload_that_fails() -> None:
    """Refuse to start."""
    raise RuntimeError("the licence has expired")


def preload_counting_failures() -> None:
    """Refuse to start, and leave a line in a file."""
    with open(os.environ["RHEOJOBS_TEST_STARTS"], "a") as file:
        file.write(f"{os.getpid()}\n")
    raise RuntimeError("the licence has expired")


def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def exit_at_once(status: int) -> None:
    """Leave without a word."""
    os._exit(status)


def kill_myself() -> None:
    """End as under the kernel's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def loop_forever(trace: str) -> None:
    """Never check, never end."""
    Path(trace).touch()
    while True:
        pass


def hold_the_lock(trace: str, seconds: int = 60) -> None:
    """Sleep in C with the interpreter's lock held: no other thread of this process runs."""
    Path(trace).touch()
    ctypes.PyDLL(None).sleep(seconds)


def ignore_cancellation(context: TaskContext, trace: str) -> None:
    """Swallow every wish to stop."""
    Path(trace).touch()
    while True:
        try:
            context.check()
        except Exception:
            time.sleep(0.01)


class NotPicklable:
    """Something that cannot cross between processes."""

    def __reduce__(self) -> Any:
        raise TypeError("a NotPicklable stays where it is")


class LeavesWhenPickled:
    """Something that ends the interpreter in which it is pickled, if it may."""

    def __reduce__(self) -> Any:
        raise SystemExit(3)


class NotUnpicklable:
    """Something that leaves, but never arrives."""

    def __init__(self, text: str = "") -> None:
        self.text = text

    def __reduce__(self) -> Any:
        return _refuse, (self.text,)


def _refuse(text: str) -> None:
    raise ValueError("cannot be rebuilt here")


class KillsWhenUnpickled:
    """Something that ends the process in which it arrives, and leaves that one's id."""

    def __init__(self, trace: str) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return _die_noting, (self.trace,)


def _die_noting(trace: str) -> None:
    with open(trace, "a") as file:
        file.write(f"{os.getpid()}\n")
    kill_myself()


class NotPicklableError(Exception):
    """An error that holds something which cannot cross."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.handle = NotPicklable()


class TwoArgumentsError(Exception):
    """An error that pickle can write but not read again, as many libraries have them."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")


def give_not_picklable() -> Any:
    """Give what cannot be sent back."""
    return NotPicklable()


def give_not_unpicklable() -> Any:
    """Give what cannot be read at the other side."""
    return NotUnpicklable()


def partial_not_picklable(context: TaskContext) -> None:
    """Give a partial result that cannot be sent."""
    context.partial(NotPicklable())


def raise_not_picklable() -> None:
    """Fail with an error that cannot be sent."""
    raise NotPicklableError("it broke")


def raise_two_arguments() -> None:
    """Fail with an error that cannot be read at the other side."""
    raise TwoArgumentsError("row 7", "no number")


def large(size: int) -> bytes:
    """Give many bytes, not all the same."""
    return bytes(range(256)) * (size // 256)


def length(data: bytes) -> int:
    """Say how many bytes have come."""
    return len(data)


def print_a_lot(context: TaskContext, lines: int) -> int:
    """Print by all means there are, with reports between."""
    for line in range(lines):
        print("out", line, flush=True)
        print("err", line, file=sys.stderr, flush=True)
        os.write(1, b"\x00\x01raw\n")
        context.progress(line + 1, lines)
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    sys.__stdout__.write("no newline")  # type: ignore[union-attr]
    return sys.stdin.read() == ""


def fork_and_die(pid_file: str) -> None:
    """Leave a forked child behind that goes on, then die."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    Path(pid_file).write_text(str(child))
    os._exit(9)


def fork_and_report(context: TaskContext) -> int:
    """Report from a forked child, which has no business with the channel."""
    child = os.fork()
    if child == 0:
        context.partial("from the child")
        os._exit(0)
    os.waitpid(child, 0)
    return os.getpid()


def start_child(trace: str) -> None:
    """Start a program of one's own, then get stuck."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(trace).write_text(str(process.pid))
    while True:
        pass


KEPT: list[Any] = []


def give_watched() -> Any:
    """Give a result that this process watches being freed."""
    import weakref

    result = NotUnpicklableFree()
    KEPT.append(weakref.ref(result))
    return result


class NotUnpicklableFree:
    """A plain result."""


def watched_is_free() -> bool:
    """Say whether the result of `give_watched` is gone from this process."""
    return KEPT[-1]() is None


def checkpointing(context: TaskContext, trace: str, steps: int, die_at: int) -> list[int]:
    """Count with a checkpoint at each step; die once on the way. Gives the steps that were run."""
    done = context.restored() or []
    for step in range(len(done), steps):
        with open(trace, "a") as file:
            file.write(f"{step}\n")
        done.append(step)
        context.checkpoint(done)
        if step == die_at and not os.path.exists(f"{trace}.died"):
            Path(f"{trace}.died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return done


def affinity_pid() -> int:
    """Say which process this is."""
    return os.getpid()


class WithAffinity:
    """A task that wants to go where its like has been."""

    def __init__(self, affinity: str) -> None:
        self.affinity = affinity

    def run(self, context: TaskContext) -> int:
        return os.getpid()


class BadAffinity:
    """A task whose affinity cannot be had."""

    @property
    def affinity(self) -> str:
        raise ValueError("no affinity to be had")

    def run(self, context: TaskContext) -> None:
        """Do nothing."""


STEPS: list[str] = []


def preload_in_steps() -> Iterator[None]:
    """Take a step before the worker is ready, and the others when it has nothing to do."""
    STEPS.append("before")
    yield
    STEPS.append("later")
    yield
    raise RuntimeError("a step that fails ends the preparations and nothing else")


def steps_taken() -> list[str]:
    """Say which steps `preload_in_steps` has taken, as seen from here."""
    return list(STEPS)


def hoard(size: int) -> None:
    """Take memory and keep it."""
    held = bytearray(size)
    while held:
        time.sleep(0.01)


def hoard_in_a_child(size: int) -> None:
    """Have a child take memory and keep it."""
    code = f"import time; held = bytearray({size}); time.sleep(60)"
    subprocess.run([sys.executable, "-c", code], check=False)


def hoard_and_hold(context: TaskContext, size: int, gate: str) -> None:
    """Take memory, tell, and hold."""
    held = bytearray(size)
    context.partial(os.getpid())
    while held and not os.path.exists(gate):
        context.check()
        time.sleep(0.005)


def environment_and_hold(context: TaskContext, gate: str) -> None:
    """Tell the visible devices and the process, and hold."""
    context.partial((os.environ["CUDA_VISIBLE_DEVICES"], os.getpid()))
    while not os.path.exists(gate):
        context.check()
        time.sleep(0.005)


def hold_and_note(context: TaskContext, gate: str, log: str, text: str) -> str:
    """Hold, note the end in a file, and give the text."""
    while not os.path.exists(gate):
        context.check()
        time.sleep(0.002)
    with open(log, "a") as file:
        file.write(text + "\n")
    return text
