"""Tasks go to a worker by name where they can, and by value where a name means nothing there."""

from __future__ import annotations

import pickle
import sys
import types
from typing import Any

import cloudpickle
import pytest
from tests.engine import chores

from rheojobs.engine import FunctionTask
from rheojobs.engine.executors.pickling import pickle_task


def _defined_in(name: str) -> Any:
    """Make a function of a module of that name, as its own module knows it."""
    module = types.ModuleType(name)
    exec("def double(x):\n    return 2 * x\n", vars(module))
    return module


def test_by_name_what_can_be_imported() -> None:
    pickled = pickle_task(FunctionTask(chores.add, (1.0,)))
    assert b"tests.engine.chores" in pickled
    assert pickle.loads(pickled).function is chores.add


def test_by_value_what_belongs_to_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    script = _defined_in("__main__")
    monkeypatch.setitem(sys.modules, "__main__", script)
    pickled = pickle_task(FunctionTask(script.double, (4,)))
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))  # the worker's
    task = pickle.loads(pickled)
    assert task.function(*task.args) == 8


def test_by_value_what_has_no_name_or_is_wanted_so(monkeypatch: pytest.MonkeyPatch) -> None:
    offset = 3
    task = pickle.loads(pickle_task(FunctionTask(lambda x: x + offset, (4,))))
    assert task.function(*task.args) == 7
    module = _defined_in("only_here")
    monkeypatch.setitem(sys.modules, "only_here", module)
    cloudpickle.register_pickle_by_value(module)
    try:
        pickled = pickle_task(FunctionTask(module.double, (4,)))
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    monkeypatch.delitem(sys.modules, "only_here")
    task = pickle.loads(pickled)
    assert task.function(*task.args) == 8


def test_what_cannot_be_pickled_says_so() -> None:
    with pytest.raises(TypeError, match="generator"):
        pickle_task(FunctionTask(chores.add, (x for x in range(3))))
