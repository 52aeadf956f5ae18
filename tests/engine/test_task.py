"""The task's own side: the context, and functions as tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.engine import chores, helpers
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import (
    CancellationError,
    CancellationToken,
    FunctionTask,
    Task,
    TaskContext,
    messages,
)
from rheojobs.engine.task import as_task


class InterruptedToken(CancellationToken):
    """A token during whose next method something else happens, as another thread would do it."""

    def __init__(self) -> None:
        super().__init__()
        self.after_check: Callable[[], None] | None = None
        self.after_is_cancelled: Callable[[], None] | None = None

    def check(self) -> None:
        super().check()
        if (action := self.after_check) is not None:
            self.after_check = None
            action()

    def is_cancelled(self) -> bool:
        answer = super().is_cancelled()
        if (action := self.after_is_cancelled) is not None:
            self.after_is_cancelled = None
            action()
        return answer


def ends(function: Callable[[], None]) -> bool:
    """Say whether a call, which may raise `CancellationError`, ends at all."""

    def call() -> None:
        try:
            function()
        except CancellationError:
            return

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(2.0)
    return not thread.is_alive()


class TestPauseAgainstCancel:
    """Whichever comes first, and however close: a cancelled task never stays in a pause."""

    def test_cancelled_then_paused_in_the_middle_of_a_check(self) -> None:
        token = InterruptedToken()
        context = TaskContext(lambda message: None, token)

        def both() -> None:
            token.cancel()
            context.pause()

        token.after_check = both
        assert ends(context.check)
        with pytest.raises(CancellationError):
            context.check()

    def test_cancelled_in_the_middle_of_a_pause(self) -> None:
        token = InterruptedToken()
        context = TaskContext(lambda message: None, token)
        token.after_is_cancelled = token.cancel
        token.after_check = context.pause
        assert ends(context.check)

    def test_cancelled_while_paused(self) -> None:
        said: list[messages.Message] = []
        context = TaskContext(said.append)
        context.pause()
        thread = threading.Thread(target=lambda: ends(context.check))
        thread.start()
        helpers.wait_until(lambda: said)
        context.token.cancel()
        thread.join(TIMEOUT)
        assert said == [messages.Paused()]  # nothing was resumed


class TestContext:
    def test_many_threads_of_a_task_pause_as_one(self) -> None:
        said: list[messages.Message] = []
        context = TaskContext(said.append)
        context.pause()
        threads = [threading.Thread(target=context.check) for _ in range(4)]
        for thread in threads:
            thread.start()
        helpers.wait_until(lambda: said)
        context.resume()
        for thread in threads:
            thread.join(TIMEOUT)
        assert said == [messages.Paused(), messages.Resumed()]

    def test_checkpoint_and_restored(self) -> None:
        said: list[messages.Message] = []
        assert TaskContext(said.append).restored() is None
        TaskContext(said.append).checkpoint({"draws": [1, 2]})
        (message,) = said
        assert isinstance(message, messages.Checkpointed)
        again = TaskContext(said.append, restored=message.state)
        assert again.restored() == {"draws": [1, 2]}

    def test_finish_lets_go_of_the_token(self) -> None:
        token = CancellationToken()
        said: list[messages.Message] = []
        context = TaskContext(said.append, token)
        context.progress(1)
        context.progress(2)
        context.finish()
        assert [message.progress.current for message in said] == [1, 2]  # type: ignore[attr-defined]
        assert token._callbacks == []


class TestAsTask:
    def test_a_task_stays_what_it_is(self) -> None:
        task = chores.Adder(1.0, 2.0)
        assert as_task(task) is task
        assert isinstance(task, Task)

    def test_a_function(self) -> None:
        task = as_task(chores.nothing)
        assert isinstance(task, FunctionTask)
        assert task.name == "nothing"

    def test_a_callable_object(self) -> None:
        class Callable_:  # noqa: N801
            def __call__(self) -> int:
                return 3

        task = as_task(Callable_())
        assert isinstance(task, FunctionTask)
        assert task.name == "Callable_"
        assert task.run(TaskContext(lambda message: None)) == 3

    @pytest.mark.parametrize("thing", [None, 3, "fit"])
    def test_anything_else(self, thing: object) -> None:
        with pytest.raises(TypeError, match=r"run\(context\) or be a function"):
            as_task(thing)  # type: ignore[arg-type]
