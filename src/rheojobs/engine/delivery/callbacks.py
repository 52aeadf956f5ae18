"""Threads that call the callbacks of ended jobs, so that a slow callback delays nothing else.

An idle thread is used again; a new one starts if all are busy.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from rheojobs.engine.loops import call_logged

__all__ = ["CallbackThreads"]

MOST_THREADS = 64
"""Callbacks that run at a time; further ones wait."""

LINGER = 1.0
"""Seconds for which an idle thread stays."""


class CallbackThreads:
    """Runs functions on daemon threads that are started when they are needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._idle = 0
        self._threads: set[threading.Thread] = set()

    def run(self, function: Callable[[], object]) -> None:
        """Call a function soon, in another thread; in this one if no thread can be had."""
        with self._lock:
            self._waiting.put(function)
            if self._idle >= self._waiting.qsize() or len(self._threads) >= MOST_THREADS:
                return
            thread = threading.Thread(target=self._work, name="rheojobs-callback", daemon=True)
            self._threads.add(thread)
            self._idle += 1  # now: the next function must not count on the same idle thread
        try:
            thread.start()
        except RuntimeError:  # no thread can be started, or the interpreter ends
            with self._lock:
                self._threads.discard(thread)
                self._idle -= 1
                if self._threads:
                    return  # one of the running threads takes it
            self._empty_here()

    def is_here(self) -> bool:
        """Return whether the caller runs on one of these threads."""
        return threading.current_thread() in self._threads

    def _empty_here(self) -> None:
        while True:
            try:
                function = self._waiting.get_nowait()
            except queue.Empty:
                return
            call_logged(function, "a callback")

    def _work(self) -> None:
        while True:
            try:
                function = self._waiting.get(timeout=LINGER)
            except queue.Empty:
                with self._lock:
                    if self._waiting.empty():
                        self._idle -= 1
                        self._threads.discard(threading.current_thread())
                        return
                continue
            with self._lock:
                self._idle -= 1
            call_logged(function, "a callback")
            del function  # else it would keep a result in memory until the next function comes
            with self._lock:
                self._idle += 1
