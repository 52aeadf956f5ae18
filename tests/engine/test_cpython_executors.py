"""CPython's own tests of the executors of `concurrent.futures`, run against `as_executor()`.

They come with most builds of CPython, in its package `test`; some distributions leave them out.
"""

from __future__ import annotations

import unittest
from typing import Any

import pytest

from rheojobs.engine import JobEngine

pytestmark = pytest.mark.alone

_REASON = "this Python comes without test.test_concurrent_futures"
_suites = [
    pytest.importorskip(f"test.test_concurrent_futures.{name}", reason=_REASON)
    for name in ("executor", "test_as_completed", "test_wait")
]
_executor, _as_completed, _wait = _suites


class _Engine:
    """Stands for a class of executors: makes an engine, and gives it as one."""

    executor_name: str

    @classmethod
    def executor_type(cls, max_workers: int) -> Any:
        """Make an engine of so many workers; shutting its executor down ends it too."""
        engine = JobEngine(cls.executor_name, max_workers=max_workers)
        executor = engine.as_executor()
        shutdown = executor.shutdown

        def shutdown_both(wait: bool = True, *, cancel_futures: bool = False) -> None:
            shutdown(wait, cancel_futures=cancel_futures)
            assert engine.shutdown(timeout=30.0)

        executor.shutdown = shutdown_both  # type: ignore[method-assign]
        return executor


class _Base(unittest.TestCase):
    worker_count = 2
    executor_type: Any

    def setUp(self) -> None:
        self.executor = self.executor_type(max_workers=self.worker_count)

    def tearDown(self) -> None:
        self.executor.shutdown(wait=True)
        self.executor = None


class _Threads(_Engine, _Base):
    executor_name = "threads"


class _Processes(_Engine, _Base):
    executor_name = "processes"


class TestExecutorOnThreads(_Threads, _executor.ExecutorTest):
    """What any executor owes."""


class TestExecutorOnProcesses(_Processes, _executor.ExecutorTest):
    """What any executor owes."""


class TestAsCompletedOnThreads(_Threads, _as_completed.AsCompletedTests):
    """`concurrent.futures.as_completed` over our futures."""


class TestAsCompletedOnProcesses(_Processes, _as_completed.AsCompletedTests):
    """`concurrent.futures.as_completed` over our futures."""


class TestWaitOnThreads(_Threads, _wait.WaitTests):
    """`concurrent.futures.wait` over our futures."""


class TestWaitOnProcesses(_Processes, _wait.WaitTests):
    """`concurrent.futures.wait` over our futures."""
