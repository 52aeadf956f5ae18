"""Pickling a task for another process: by name where that means the same there, else by value."""

from __future__ import annotations

import pickle

import cloudpickle

__all__ = ["pickle_task"]


def pickle_task(task: object) -> bytes:
    """Pickle a task, a function of the application's own script included.

    What can be had by its name goes the quick way: the standard library's pickle takes a tenth
    of the time. It would send names of `__main__` too, which is another module in a worker.

    Raises
    ------
    TypeError
        Where it cannot be pickled.
    """
    if not cloudpickle.list_registry_pickle_by_value():
        try:
            pickled = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception:  # it cannot go by name; if it cannot go at all, that is told below
            pickled = b"__main__"
        if b"__main__" not in pickled:
            return pickled
    try:
        by_value: bytes = cloudpickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever pickling raises is the task's failure
        raise TypeError(f"the task cannot be sent to another process: {error}") from error
    return by_value
