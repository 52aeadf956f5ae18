"""Tasks that a worker can import: they wait, count, report, fail, and misbehave."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rheojobs.engine import TaskContext


def nothing() -> None:
    """End at once."""


def add(a: float, b: float = 1.0) -> float:
    """Give a sum."""
    return a + b


def square(x: float) -> float:
    """Give a square."""
    return x * x


def sphere(x: Any) -> float:
    """Give what an optimizer can bring to zero, at (1, 1, …)."""
    return float(sum((float(value) - 1.0) ** 2 for value in x))


def my_pid() -> int:
    """Say which process this is."""
    return os.getpid()


class CustomError(Exception):
    """An error with more to it than a message."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


class FrozenError(Exception):
    """An error that refuses any change from outside."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} cannot be set")


class FarError(Exception):
    """An error that pickle can write but not read again."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")


def fail_within(kind: type[Exception], *args: str) -> None:
    """End with an error of a kind, caused by another one."""
    try:
        {}["missing"]
    except KeyError as error:
        raise kind(*args) from error


def fail(message: str = "the sample has dried out") -> None:
    """End with an error."""
    raise CustomError(message, 42)


def touch(path: str | Path) -> None:
    """Leave a trace."""
    Path(path).touch()


def note(path: str, text: str) -> None:
    """Append a line to a file."""
    with open(path, "a") as file:
        file.write(text + "\n")


def lines(path: str | Path) -> list[str]:
    """Give the lines that `note` wrote."""
    path = Path(path)
    return path.read_text().splitlines() if path.exists() else []


def hold(context: TaskContext, gate: str | Path = "", result: Any = "through") -> Any:
    """Work, checking all the while, until the file `gate` exists."""
    while not (gate and os.path.exists(gate)):
        context.check()
        time.sleep(0.002)
    return result


def hold_with_bad_callbacks(context: TaskContext, trace: str) -> None:
    """Hold, with callbacks for the case of cancelling of which one raises."""

    def refuse() -> None:
        raise ValueError("the solver has gone")

    context.token.on_cancel(refuse)
    context.token.on_cancel(lambda: touch(trace))
    hold(context)


def report_what_cannot_be_sent(context: TaskContext) -> str:
    """End right after a report, which waits for its time, that holds a lock."""
    context.progress(1, 2)
    context.progress(2, 2, lock=threading.Lock())
    return "done"


def hold_inspected(context: TaskContext, answer: str, gate: str | Path) -> None:
    """Give a partial result, and hold with a look at the present that gives an answer, or fails."""
    context.partial("so far")

    def look() -> Any:
        match answer:
            case "raises":
                raise SystemExit(1)
            case "cannot be sent":
                return threading.Lock()
        return answer

    context.on_inspect(look)
    hold(context, gate)


class SlowToPickle:
    """An argument that takes its time to be pickled, and leaves a trace when that begins."""

    def __init__(self, trace: str | Path, seconds: float) -> None:
        self.trace, self.seconds = str(trace), seconds

    def __reduce__(self) -> Any:
        touch(self.trace)
        time.sleep(self.seconds)
        return SlowToPickle, (self.trace, 0.0)


def pickled_slowly(argument: SlowToPickle) -> str:
    """Take an argument."""
    return argument.trace


class SlowToCheck:
    """A task whose check takes its time, and leaves a trace when that begins."""

    def __init__(self, trace: str | Path, seconds: float) -> None:
        self.trace, self.seconds = str(trace), seconds

    def validate(self) -> None:
        touch(self.trace)
        time.sleep(self.seconds)

    def run(self, context: TaskContext) -> str:
        return "checked"


def hold_deaf(gate: str | Path) -> str:
    """Work until the file `gate` exists, without ever checking."""
    while not os.path.exists(gate):
        time.sleep(0.002)
    return "through"


def hold_telling_pid(context: TaskContext, gate: str | Path) -> int:
    """Give the process id as a partial result, then hold."""
    context.partial(os.getpid())
    hold(context, gate)
    return os.getpid()


def count_slowly(context: TaskContext, steps: int, pause: float = 0.0) -> int:
    """Report each of so many steps."""
    for step in range(1, steps + 1):
        context.check()
        context.progress(step, steps, f"step {step}", loss=1.0 / step)
        if pause:
            time.sleep(pause)
    return steps


def count_and_hold(context: TaskContext, steps: int, total: int, gate: str | Path) -> None:
    """Report some of the steps, then hold."""
    for step in range(steps + 1):
        context.progress(step, total)
        time.sleep(0.002)
    hold(context, gate)


def count_for(context: TaskContext, seconds: float) -> tuple[int, float]:
    """Report as often as can be for a while; give the number of reports, and how long it took."""
    start = time.monotonic()
    step = 0
    while time.monotonic() - start < seconds:
        step += 1
        context.progress(step, 0)
    return step, time.monotonic() - start


def two_stages(context: TaskContext, steps: int) -> None:
    """Report a warm-up and a sampling, each from 1."""
    for stage in ("warmup", "sampling"):
        for step in range(1, steps + 1):
            context.progress(step, steps, stage=stage)


def stages_in_turns(context: TaskContext, seconds: float) -> float:
    """Report two stages that take turns, as often as can be; give how long it took."""
    start = time.monotonic()
    step = 0
    while time.monotonic() - start < seconds:
        step += 1
        for stage in ("chain 1", "chain 2"):
            context.progress(step, 10**9, stage=stage)
    for stage in ("chain 1", "chain 2"):
        context.progress(10**9, 10**9, stage=stage)
    return time.monotonic() - start


def odd_numbers(context: TaskContext) -> None:
    """Report what a task may come up with, slowly enough for each to be passed on."""
    nan, inf = float("nan"), float("inf")
    for number, pair in enumerate([(0.25, 1.0), (nan, 10), (3, inf), (120, 100), (-1, 0)]):
        context.progress(*pair, stage=str(number))
        time.sleep(0.045)


def flood_of_partials(context: TaskContext, seconds: float) -> tuple[int, float]:
    """Give partial results as often as can be; give the number, and how long it took."""
    start = time.monotonic()
    number = 0
    while time.monotonic() - start < seconds:
        number += 1
        context.partial(number)
    return number, time.monotonic() - start


def going_back(context: TaskContext) -> None:
    """Report values that go back, slowly enough for each to be passed on."""
    for step in (1, 5, 3, 4, 9, 2):
        context.progress(step, 10, f"at {step}")
        time.sleep(0.045)


def straggler(context: TaskContext, gate: str, trace: str) -> str:
    """End while a thread of the task's goes on reporting."""

    def go_on() -> None:
        while not os.path.exists(gate):
            time.sleep(0.002)
        for step in range(5):
            context.progress(step, stage=f"late {step}")
            context.partial(step)
        touch(trace)

    threading.Thread(target=go_on, daemon=True).start()
    return "done"


def partials(context: TaskContext, values: list[Any], gate: str | Path) -> str:
    """Give partial results, then hold."""
    for value in values:
        context.partial(value)
    hold(context, gate)
    return "whole"


def partials_and_fail(context: TaskContext, value: Any, gate: str | Path) -> None:
    """Give a partial result, hold, and fail."""
    context.partial(value)
    hold(context, gate)
    fail()


def generator(steps: int, gate: str, trace: str) -> Iterator[int]:
    """Yield, wait for the gate at each step but the first, and leave a trace when closed."""
    try:
        for step in range(steps):
            yield step
            while gate and not os.path.exists(gate):
                yield -1
                time.sleep(0.002)
    finally:
        if trace:
            touch(trace)
    return "returned"


def generator_with_context(context: TaskContext, steps: int) -> Iterator[int]:
    """Yield, and report progress between."""
    for step in range(steps):
        context.progress(step + 1, steps)
        yield step


class Refused:
    """A task that is seen to be wrong before it runs."""

    name = "refused"

    def __init__(self, trace: str) -> None:
        self.trace = trace

    def validate(self) -> None:
        raise ValueError("x has 3 values, y has 4")

    def run(self, context: TaskContext) -> None:
        touch(self.trace)


class Adder:
    """A task object, with a name."""

    name = "adder"

    def __init__(self, a: float, b: float) -> None:
        self.a, self.b = a, b

    def validate(self) -> None:
        """Nothing is wrong."""

    def run(self, context: TaskContext) -> float:
        context.progress(1, 1)
        return self.a + self.b


class UnspeakableError(Exception):
    """An error that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def fail_unspeakably() -> None:
    """End with an error whose message fails."""
    raise UnspeakableError


def leave() -> None:
    """Call sys.exit in a task."""
    raise SystemExit(3)


def give_up() -> None:
    """Stop of the task's own accord."""
    from rheojobs.engine import CancellationError

    raise CancellationError


class Big:
    """A result that can be watched being freed."""


def big() -> Big:
    """Give something that a weak reference can watch."""
    return Big()


def big_of(number: int) -> Big:
    """Give something that a weak reference can watch, for each number."""
    return Big()
