"""Where tasks run: on threads, in warm worker processes, or on a cluster, behind one interface."""

from __future__ import annotations

from rheojobs.engine.executors.base import Executor, Run
from rheojobs.engine.executors.processes import ProcessExecutor
from rheojobs.engine.executors.threads import ThreadExecutor

__all__ = ["Executor", "ProcessExecutor", "Run", "ThreadExecutor"]
