"""What can be kept on disk, what cannot and why; and that reading it back executes nothing."""

from __future__ import annotations

import functools
import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine import helpers

from rheojobs.engine import FunctionTask, NotDurableError, TaskContext
from rheojobs.engine.serialization import (
    Record,
    import_path,
    is_json,
    pack_state,
    record_of,
    state_from_disk,
    state_to_disk,
    task_of,
    unpack_state,
    value_of,
    value_record,
)
from rheojobs.errors import InputError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    assert is_json(value)
    assert json.loads(json.dumps(value)) == value
    assert unpack_state(pack_state(value)) == value
    text = state_to_disk(pack_state(value))
    assert text is not None
    assert unpack_state(state_from_disk(text)) == value


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, {"a": (1,)}, b"bytes", 1j, helpers.Big()])
def test_what_json_would_change_is_no_json(value: object) -> None:
    assert not is_json(value)
    assert unpack_state(pack_state((1, 2))) == (1, 2)
    assert state_to_disk(pack_state(value)) is None


class _Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("something was unpickled",))


def test_a_pickle_that_was_smuggled_in_is_not_opened() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        state_from_disk("p" + pickle.dumps(_Bomb()).decode("latin-1"))
    assert unpack_state(state_from_disk('"pickle"')) == "pickle"


def test_a_function_with_plain_arguments() -> None:
    task = FunctionTask(helpers.add, (1.5,), {"b": 2.0})
    record = record_of(task)
    assert record.content["function"] == "tests.engine.helpers:add"
    again = task_of(record)
    assert record_of(again) == record
    assert (again.name, again.args, again.kwargs) == ("add", (1.5,), {"b": 2.0})
    assert again.run(TaskContext(lambda message: None)) == 3.5


def _closure() -> Any:
    return lambda: 1


class _Method:
    def run_it(self) -> None: ...


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (FunctionTask(_closure()), "no import path"),
        (FunctionTask(functools.partial(helpers.add, 1)), "no import path"),
        (FunctionTask(_Method().run_it), "does not import what it names"),
        (FunctionTask(helpers.add, ((1, 2),)), "arguments of add are not JSON"),
        (FunctionTask(helpers.add, (helpers.Big(),)), "arguments of add are not JSON"),
        (helpers.Adder(1, 2), "has no to_record"),
    ],
)
def test_why_a_task_is_not_durable(task: object, why: str) -> None:
    with pytest.raises(NotDurableError, match=why):
        record_of(task)


def test_a_function_of_a_script() -> None:
    def function() -> None: ...

    function.__module__ = "__main__"
    with pytest.raises(NotDurableError, match="put it into a module"):
        import_path(function)


def test_a_function_of_c() -> None:
    assert import_path(math.sqrt) == "math:sqrt"


@pytest.mark.parametrize(
    "record",
    [
        Record("no.such.module:Task", {}),
        Record("math:sqrt", 2.0),
        Record("rheojobs.engine.task:FunctionTask", {"args": []}),
        Record("rheojobs.engine.task:FunctionTask", {"function": "math:pi", "args": []}),
        Record("", None),
    ],
)
def test_a_record_that_is_none(record: Record) -> None:
    with pytest.raises(InputError) as caught:
        task_of(record)
    assert "\n" not in str(caught.value)


def test_a_result_imports_nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        pytest.fail(f"{name} was imported")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(InputError, match="import antigravity before"):
        value_of(Record("antigravity:Anything", None))


def test_results() -> None:
    assert value_of(value_record({"a": [1, None]})) == {"a": [1, None]}
    with pytest.raises(NotDurableError, match="Big is neither JSON"):
        value_record(helpers.Big())
