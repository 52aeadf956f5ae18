"""The digest of a formula: the same in every process, and another for every other formula."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

import cloudpickle
import jax
import numpy as np

from rheojobs.inference.models.code_digest import code_digest

SCALE = 2.0
TABLE = np.array([1.0, 2.0])


def helper(x):
    return x + 1.0


def with_helper(x, p):
    return helper(x) * p[0] * SCALE + TABLE[0] + len({"a", "b", "c"} & {"a"})


class Callable:
    def __init__(self, power):
        self.power = power

    def __call__(self, x, p):
        return p[0] * x**self.power


def closed(value):
    return lambda x, p: p[0] * x + value


def recursive(x, p):
    return x if p is None else recursive(x, None)


def test_another_formula_has_another_digest():
    different = [
        lambda x, p: p[0] * x,
        lambda x, p: p[0] + x,
        lambda x, p: p[0] * x * 2.0,
        lambda x, p: p[0] * x * 2.000000000001,
        lambda x, p: p[1] * x,
        lambda x, p, n=1: p[0] * x**n,
        lambda x, p, n=2: p[0] * x**n,
        lambda x, p: np.exp(x) * p[0],
        lambda x, p: np.sin(x) * p[0],
        closed(1.0),
        closed(1.0000000000001),
        closed(np.arange(3.0)),
        functools.partial(with_helper, p=[1.0]),
        functools.partial(with_helper, p=[2.0]),
        Callable(2),
        Callable(3),
        Callable(2).__call__,
        with_helper,
        recursive,
    ]
    assert len({code_digest(function) for function in different}) == len(different)


def test_what_a_formula_refers_to_counts(monkeypatch):
    before = code_digest(with_helper)
    assert code_digest(with_helper) == before
    for name, value in (
        ("SCALE", 2.0000000000001),
        ("TABLE", np.array([1.0, 2.5])),
        ("helper", lambda x: x + 2.0),
    ):
        monkeypatch.setitem(globals(), name, value)
        assert code_digest(with_helper) != before, name
        monkeypatch.undo()
    assert code_digest(with_helper) == before


def test_a_copy_and_a_compiled_one_are_the_same():
    for function in (with_helper, closed(3.0), Callable(2), functools.partial(with_helper, p=[1])):
        again = cloudpickle.loads(cloudpickle.dumps(function))
        assert code_digest(again) == code_digest(function)
    assert code_digest(jax.jit(with_helper)) == code_digest(with_helper)


def test_it_is_the_same_in_another_process():
    """Also with other hashes of text, by which sets are ordered."""
    command = (
        "from tests.inference.models.test_code_digest import *; "
        "print(code_digest(with_helper), code_digest(closed(1.5)))"
    )
    wanted = f"{code_digest(with_helper)} {code_digest(closed(1.5))}"
    path = Path(__file__).parents[3]
    environment = {"PYTHONHASHSEED": "77", "PYTHONPATH": f"{path}/src:{path}"}
    ran = subprocess.run(
        [sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == wanted
