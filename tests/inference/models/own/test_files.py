"""Models by a function in a file: what the signature tells, and that only its source is run."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from rheojobs import Dataset, InputError, fit
from rheojobs.engine.serialization import record_of, task_of
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.labels import name_of
from rheojobs.inference.models.loading import check_name, load
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.task import SampleTask

SOURCE = '''
"""Models of the laboratory."""

import jax.numpy as jnp

from rheojobs import Model


def stretched(t, G0: (1, 1e9) = 1e4, tau=1.0, beta: (0.1, 1) = 0.7):
    """Stretched exponential."""
    return G0 * jnp.exp(-((t / tau) ** beta))


def start(t, eta, tau, gamma_dot):
    return eta * gamma_dot * (1 - jnp.exp(-t / tau))


def both(x, G, tau, test_mode):
    if test_mode == "oscillation":
        return G * 1j * x * tau / (1 + 1j * x * tau)
    return G * jnp.exp(-x / tau)


def _two(t, p):
    return p[0] * jnp.exp(-t / p[1])


made = Model.from_function(_two, {"G": (1, 1e9), "tau": (1e-6, 1e6)}, test_modes="relaxation")
number = 5


def many(t, *args):
    return t


def bad_bounds(t, G: (5, 1)):
    return t


def bad_default(t, G="a"):
    return t


def none(t):
    return t
'''
T = np.geomspace(0.1, 100, 40)
DATA = Dataset(T, 1e4 * np.exp(-((T / 3.0) ** 0.6)), "relaxation")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lab.py"
    path.write_text(SOURCE)
    return path


def test_the_signature_gives_parameters_starts_and_bounds(file):
    model = load(f"{file}:stretched")
    assert model.name == "lab.py:stretched"
    assert model.description == "Stretched exponential."
    assert [(item.name, item.default, item.bounds) for item in model.parameters] == [
        ("G0", 1e4, (1.0, 1e9)),
        ("tau", 1.0, (1e-6, 1e6)),  # assumed
        ("beta", 0.7, (0.1, 1.0)),
    ]
    assert "relaxation" in model.test_modes
    assert "oscillation" not in model.test_modes
    assert load(f"{file}:start").test_modes == ("startup", "relaxation")
    assert "oscillation" in load(f"{file}:both").test_modes


def test_it_is_fitted(file):
    result = fit(DATA, f"{file}:stretched")
    assert result.model_name == "lab.py:stretched"
    assert result.parameters == pytest.approx({"G0": 1e4, "tau": 3.0, "beta": 0.6}, rel=1e-6)
    y = 50 * 10 * (1 - np.exp(-T / 5))
    started = fit((T, y), f"{file}:start", test_mode="startup", protocol={"gamma_dot": 10.0})
    assert started.parameters == pytest.approx({"eta": 50.0, "tau": 5.0}, rel=1e-6)
    sweep = Dataset(T, 1e3 * 2j * T / (1 + 2j * T), "oscillation")
    assert fit(sweep, f"{file}:both").parameters == pytest.approx({"G": 1e3, "tau": 2}, rel=1e-6)


def test_a_model_object_in_the_file_is_taken_as_it_is(file):
    model = load(f"{file}:made")
    assert (model.name, model.test_modes) == ("lab.py:made", ("relaxation",))
    assert model.parameter("G").bounds == (1.0, 1e9)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("strechted", "has no 'strechted'; did you mean 'stretched'"),
        ("number", "is a int: a function of x and parameters is needed"),
        ("many", "must name its parameters"),
        ("bad_bounds", "bounds of G are empty"),
        ("bad_default", "the default of G must be a number, not 'a'"),
        ("none", "has no parameters besides x"),
    ],
)
@pytest.mark.promise("one-line-errors")
def test_what_is_no_model_is_refused_in_one_line(file, name, words):
    with pytest.raises(InputError) as caught:
        load(f"{file}:{name}")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(t, G):\n  return G t\n", "cannot be executed"),
        ("1/0\n", "cannot be executed: ZeroDivisionError"),
        ("raise SystemExit(3)\n", "cannot be executed"),
        (
            "from __future__ import annotations\ndef f(t, G: (1, 2)): return G*t\n",
            "leave that out",
        ),
    ],
)
@pytest.mark.promise("one-line-errors")
def test_a_file_that_fails_is_named_in_one_line(tmp_path, source, words):
    path = tmp_path / "bad.py"
    path.write_text(source)
    with pytest.raises(InputError) as caught:
        load(f"{path}:f")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load(f"{tmp_path / 'missing.py'}:f")


def test_a_task_knows_path_and_digest_and_executes_nothing(tmp_path, monkeypatch):
    path, mark = tmp_path / "traced.py", tmp_path / "executed"
    path.write_text(f"open({str(mark)!r}, 'w').close()\n{SOURCE}")
    monkeypatch.chdir(tmp_path)
    task = FitTask("traced.py:stretched", DATA)
    task.validate()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert task.model == f"{path}:stretched@{digest}"
    assert task.model_name == name_of(task.model) == "traced.py:stretched"
    record = record_of(task)
    assert path.read_bytes() in record.blobs.values()
    again = task_of(record)
    again.validate()
    sampling = SampleTask("traced.py:stretched", DATA, checkpoint="")
    sampling.validate()
    assert path.read_bytes() in record_of(sampling).blobs.values()
    assert not mark.exists()


@pytest.mark.promise("nothing-executed")
def test_a_changed_file_is_refused_and_not_executed(file):
    task = FitTask(f"{file}:stretched", DATA)
    record = record_of(task)
    mark = file.with_name("executed")
    file.write_text(f"open({str(mark)!r}, 'w').close()\n{SOURCE}")
    again = task_of(record)
    assert again.name == "fit lab.py:stretched"
    with pytest.raises(InputError, match=r"has changed since the job was made .* submit a new job"):
        again.validate()
    with pytest.raises(InputError, match="has changed"):
        load(again.model)
    file.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        again.validate()
    assert not mark.exists()


def test_a_new_source_is_another_model_with_other_programs(file):
    first = fit(DATA, f"{file}:stretched")
    key = Problem.of(f"{file}:stretched", DATA, None).key
    file.write_text(SOURCE.replace("(t / tau) ** beta", "(2 * t / tau) ** beta"))
    problem = Problem.of(f"{file}:stretched", DATA, None)
    assert problem.key != key
    assert problem.identity() == ""  # what it imports may change: no program of it is stored
    second = fit(DATA, f"{file}:stretched")
    assert second.parameters["tau"] == pytest.approx(2 * first.parameters["tau"], rel=1e-6)


def test_another_process_loads_it_by_its_path(file, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    name = check_name(f"{file}:stretched")
    code = f"from rheojobs.inference.models.loading import load; print(load({name!r}).names)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=other,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert ran.stdout.strip() == "('G0', 'tau', 'beta')", ran.stderr


def test_its_functions_are_sent_by_value(file):
    model = load(f"{file}:stretched")
    code = cloudpickle.dumps(model)
    assert b"stretched" in code
    name = model.function._function.__module__
    module = sys.modules.pop(name)
    try:
        again = pickle.loads(code)
        np.testing.assert_allclose(
            again.predict(T, np.array([1e4, 3.0, 0.6]), "relaxation"), DATA.y, rtol=1e-12
        )
    finally:
        sys.modules[name] = module
