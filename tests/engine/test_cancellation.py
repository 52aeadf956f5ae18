"""The cancellation token: each method of its contract."""

from __future__ import annotations

import threading

import pytest
from tests.engine.helpers import TIMEOUT

from rheojobs.engine import CancellationError, CancellationToken


@pytest.fixture
def token() -> CancellationToken:
    return CancellationToken()


def test_fresh(token: CancellationToken) -> None:
    assert token.is_cancelled() is False
    assert token.get_error() is None
    assert token.check() is None
    assert token.wait(0) is False


def test_cancel(token: CancellationToken) -> None:
    assert token.cancel() is None
    token.cancel()
    assert token.is_cancelled() is True
    with pytest.raises(CancellationError, match="cancelled"):
        token.check()


def test_error(token: CancellationToken) -> None:
    error = ValueError("no data")
    token.set_error(error)
    assert token.get_error() is error
    assert not token.is_cancelled()
    newer = KeyboardInterrupt()
    token.set_error(newer)
    assert token.get_error() is newer


def test_reset(token: CancellationToken) -> None:
    token.cancel()
    token.set_error(ValueError())
    token.reset()
    test_fresh(token)
    token.cancel()
    assert token.is_cancelled()


def test_wait_wakes_up(token: CancellationToken) -> None:
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda timeout=timeout: answers.append(token.wait(timeout)))
        for timeout in (None, TIMEOUT, None)
    ]
    for thread in threads:
        thread.start()
    assert answers == []
    token.cancel()
    for thread in threads:
        thread.join(TIMEOUT)
    assert answers == [True] * 3
    assert token.wait() is True


def test_wait_times_out(token: CancellationToken) -> None:
    assert token.wait(0.01) is False


class TestCallbacks:
    def test_once_for_each_cancel(self, token: CancellationToken) -> None:
        called: list[bool] = []
        token.on_cancel(lambda: called.append(token.is_cancelled()))
        assert called == []
        token.cancel()
        token.cancel()
        assert called == [True]
        token.reset()
        token.cancel()
        assert called == [True, True]

    def test_at_once_where_cancelled(self, token: CancellationToken) -> None:
        token.cancel()
        called: list[int] = []
        token.on_cancel(lambda: called.append(1))
        assert called == [1]

    def test_taken_off(self, token: CancellationToken) -> None:
        called: list[int] = []
        remove = token.on_cancel(lambda: called.append(1))
        token.on_cancel(lambda: called.append(2))
        remove()
        remove()
        token.cancel()
        assert called == [2]

    def test_may_use_the_token(self, token: CancellationToken) -> None:
        removers = []
        removers.append(token.on_cancel(lambda: removers[0]()))
        token.on_cancel(token.cancel)
        token.on_cancel(token.reset)
        token.cancel()
        assert not token.is_cancelled()

    @pytest.mark.parametrize("error", [ValueError, CancellationError, SystemExit])
    def test_one_that_raises_disturbs_nobody(
        self,
        token: CancellationToken,
        error: type[BaseException],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        called: list[int] = []

        def refuse() -> None:
            raise error("the solver has gone")

        token.on_cancel(refuse)
        remove = token.on_cancel(lambda: called.append(1))
        token.cancel()
        token.on_cancel(refuse)  # called at once
        assert called == [1]
        assert [str(record.exc_info[1]) for record in caplog.records] == ["the solver has gone"] * 2
        remove()

    def test_exactly_once_from_many_threads(self, token: CancellationToken) -> None:
        for _ in range(50):
            called: list[int] = []
            barrier = threading.Barrier(4)

            def cancel(barrier: threading.Barrier = barrier) -> None:
                barrier.wait()
                token.cancel()

            def watch(barrier: threading.Barrier = barrier, called: list[int] = called) -> None:
                barrier.wait()
                token.on_cancel(lambda: called.append(1))

            threads = [threading.Thread(target=f) for f in (cancel, cancel, watch, watch)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(TIMEOUT)
            assert called == [1, 1]
            token._callbacks.clear()
            token.reset()


def test_error_of_a_cancelled_check_can_carry_words() -> None:
    assert str(CancellationError()) == "cancelled"
    assert str(CancellationError("stopped by the user")) == "stopped by the user"
    assert not isinstance(CancellationError(), RuntimeError)
