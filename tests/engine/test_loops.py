"""Loops that never end by an exception."""

from __future__ import annotations

import pytest

from rheojobs.engine import loops
from rheojobs.engine.loops import call_logged, run_guarded

pytestmark = pytest.mark.promise("no-loop-ends")


def test_a_step_that_raises_is_followed_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    steps = iter([True, ValueError("on purpose"), SystemExit(), True, False])
    broken: list[str] = []

    def step() -> bool:
        now = next(steps)
        if isinstance(now, BaseException):
            raise now
        return bool(now)

    run_guarded(step, broken.append, "a loop")
    assert next(steps, None) is None
    assert broken == []
    assert "on purpose" in caplog.text


def test_one_that_cannot_go_on_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "PAUSE", 0.0)
    broken: list[str] = []

    def step() -> bool:
        raise MemoryError("none left")

    run_guarded(step, broken.append, "a loop")
    assert broken == ["a loop fails again and again (MemoryError: none left)"]


def test_an_exception_of_a_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def function() -> None:
        raise SystemExit("on purpose")

    call_logged(function, "a function")
    assert "a function failed" in caplog.text
    assert "on purpose" in caplog.text


def test_an_exception_that_must_not_be_caught() -> None:
    def function() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_logged(function, "a function", but=KeyboardInterrupt)
