"""What can be kept on disk, what cannot and why; and that reading it back executes nothing."""

from __future__ import annotations

import functools
import json
import math
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine import chores

from rheojobs.engine import FunctionTask, NotDurableError, TaskContext
from rheojobs.engine.serialization import (
    Record,
    import_path,
    is_json,
    leftover_of,
    pack_state,
    record_of,
    state_from_disk,
    state_to_disk,
    task_of,
    unpack_state,
    value_of,
    value_record,
    why_not_json,
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


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, {"a": (1,)}, b"bytes", 1j, chores.Big()])
def test_what_json_would_change_is_no_json(value: object) -> None:
    assert not is_json(value)
    assert unpack_state(pack_state((1, 2))) == (1, 2)
    assert state_to_disk(pack_state(value)) is None


class _Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("something was unpickled",))


@pytest.mark.promise("nothing-executed")
def test_a_pickle_that_was_smuggled_in_is_not_opened() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        state_from_disk("p" + pickle.dumps(_Bomb()).decode("latin-1"))
    assert unpack_state(state_from_disk('"pickle"')) == "pickle"


def test_a_function_with_plain_arguments() -> None:
    task = FunctionTask(chores.add, (1.5,), {"b": 2.0})
    record = record_of(task)
    assert record.content["function"] == "tests.engine.chores:add"
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
        (FunctionTask(functools.partial(chores.add, 1)), "no import path"),
        (FunctionTask(_Method().run_it), "importing .* returns another object"),
        (FunctionTask(chores.add, ((1, 2),)), "arguments of add are not JSON"),
        (FunctionTask(chores.add, (chores.Big(),)), "arguments of add are not JSON"),
        (chores.Adder(1, 2), "has no to_record"),
    ],
)
def test_why_a_task_is_not_durable(task: object, why: str) -> None:
    with pytest.raises(NotDurableError, match=why):
        record_of(task)


def test_a_function_of_a_script() -> None:
    def function() -> None: ...

    function.__module__ = "__main__"
    with pytest.raises(NotDurableError, match="move it to a module"):
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


@pytest.mark.promise("nothing-executed")
def test_a_result_imports_nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        pytest.fail(f"{name} was imported")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(InputError, match="import antigravity before"):
        value_of(Record("antigravity:Anything", None))


def test_results() -> None:
    assert value_of(value_record({"a": [1, None]})) == {"a": [1, None]}
    with pytest.raises(NotDurableError, match="Big is not JSON"):
        value_record(chores.Big())


def _nested(depth: int) -> Any:
    value: Any = 1.0
    for _ in range(depth):
        value = [value]
    return value


def _endless() -> Any:
    value: list[Any] = []
    value += [value, {"again": value}]
    return value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (_nested(3000), "nested more than 200 deep"),
        ({"a": _nested(3000)}, "nested more than 200 deep"),
        (_endless(), "or it contains itself"),
        (10**5000, "more than 4,000 digits"),
        ([1, {"a": -(10**5000)}], "more than 4,000 digits"),
        ([(1, 2)], "has a tuple"),
        ({1: 2}, "a key that is not a string"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_json_cannot_hold(value: Any, why: str) -> None:
    assert not is_json(value)
    with pytest.raises(NotDurableError, match=why) as caught:
        value_record(value)
    assert "\n" not in str(caught.value)
    with pytest.raises(NotDurableError, match="arguments of add are not JSON"):
        record_of(FunctionTask(chores.add, (value,)))
    with pytest.raises(NotDurableError):
        record_of(FunctionTask(chores.add, kwargs={"b": value}))


@pytest.mark.parametrize(
    "value",
    [_nested(150), 10**3999, "\udcfc", float("inf"), [True, None]],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_it_can(value: Any) -> None:
    assert is_json(value)
    assert unpack_state(state_from_disk(state_to_disk(pack_state(value)) or "")) == value
    assert value_of(value_record(value)) == value


class _Result:
    """A result that says so, and one that does not below."""

    is_result = True

    def __init__(self, content: Any = None) -> None:
        self.content = content

    def to_record(self) -> tuple[Any, dict[str, bytes]]:
        return self.content, {}

    @classmethod
    def from_record(cls, content: Any, blobs: object) -> Any:
        return cls(content)


class _Silent(_Result):
    is_result = False


@pytest.mark.parametrize(
    "content",
    [_nested(3000), _endless(), 10**5000, (1, 2)],
    ids=lambda value: type(value).__name__,
)
def test_a_record_that_json_cannot_hold(content: Any) -> None:
    with pytest.raises(NotDurableError, match="record of a _Result is not JSON"):
        value_record(_Result(content))


@pytest.mark.promise("nothing-executed")
def test_only_what_says_that_it_is_a_result_is_read_as_one() -> None:
    record = value_record(_Result([1]))
    assert value_of(record).content == [1]
    with pytest.raises(NotDurableError, match="_Silent does not set is_result = True"):
        value_record(_Silent())
    with pytest.raises(InputError, match="not the class of a result"):
        value_of(Record(record.kind.replace("_Result", "_Silent"), [1]))


@pytest.mark.promise("nothing-executed")
@pytest.mark.parametrize(
    "kind",
    [
        "rheojobs.engine.task:FunctionTask",
        "rheojobs.inference.fits.task:FitTask",
        "rheojobs.inference.sampling.checkpoints:Leftover",
        "rheojobs.inference.results.json_format:json.JSONDecoder",
        "rheojobs.inference.results.json_format:Path",
        "rheojobs.no.such:Thing",
        "rheojobs.errors:",
        "math:sqrt",
        "",
    ],
)
@pytest.mark.parametrize("read", [value_of, leftover_of])
def test_no_other_class_of_ours_is(read: Any, kind: str) -> None:
    if read is leftover_of and kind.endswith("Leftover"):
        return
    content = {"function": "antigravity:geohash", "args": [], "kwargs": {}}
    with pytest.raises(InputError) as caught:
        read(Record(kind, content))
    assert "\n" not in str(caught.value)
    assert "antigravity" not in sys.modules


def test_a_function_is_imported_when_it_runs(tmp_path: Any, monkeypatch: Any) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "planted.py").write_text(f"open({str(trace)!r}, 'w')\ndef work(): return 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    content = {"function": "planted:work", "args": [], "kwargs": {}}
    task = task_of(Record("rheojobs.engine.task:FunctionTask", content))
    assert task.name == "work"
    assert record_of(task).content == content
    assert not trace.exists()
    assert pickle.loads(pickle.dumps(task)) == task
    task.validate()
    assert task.run(TaskContext(lambda message: None)) == 7
    assert trace.exists()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no.such.module:work", "cannot be imported: ModuleNotFoundError"),
        ("math:no", "cannot be"),
        ("math:pi", "is no function"),
    ],
)
def test_a_function_that_is_not_there(path: str, why: str) -> None:
    task = FunctionTask(path)
    for fail in (task.validate, lambda: task.run(TaskContext(lambda message: None))):
        with pytest.raises(InputError, match=why) as caught:
            fail()
        assert "\n" not in str(caught.value)


@pytest.mark.promise("nothing-executed")
def test_a_task_that_is_only_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        pytest.fail(f"{name} was imported")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(InputError, match="import antigravity before"):
        task_of(Record("antigravity:Anything", None), may_import=False)


def test_a_list_that_holds_another_twice_and_so_on_is_not_written() -> None:
    value: list[object] = [1.0]
    for _ in range(40):
        value = [value, value]
    assert "one list many times" in why_not_json(value)
    with pytest.raises(NotDurableError, match="one list many times"):
        value_record(value)
    few: list[object] = [1.0]
    assert is_json([few, few])
