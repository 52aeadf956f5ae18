"""Pickling of tasks for another process: functions by name if it can import them, else by value."""

from __future__ import annotations

import pickle

import cloudpickle

__all__ = ["pickle_task"]


def pickle_task(task: object) -> bytes:
    """Pickle a task, which may be a function of the application's own script.

    Importable functions are pickled by the standard library, in a tenth of the time. It would
    also pickle functions of `__main__` by name, but that is another module in a worker.

    Raises
    ------
    TypeError
        If it cannot be pickled.
    """
    if not cloudpickle.list_registry_pickle_by_value():
        try:
            pickled = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception:  # not by name; if it cannot be pickled at all, cloudpickle raises below
            pickled = b"__main__"
        if b"__main__" not in pickled:
            return pickled
    try:
        by_value: bytes = cloudpickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # any error of pickling is the task's failure
        raise TypeError(f"the task cannot be sent to another process: {error}") from error
    return by_value
