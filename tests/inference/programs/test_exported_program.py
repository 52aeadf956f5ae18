"""Traced programs on disk: found by another process, traced anew where anything has changed."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import grimp
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rheojobs.inference
from rheojobs.inference.programs import exported_program
from rheojobs.inference.programs.devices import on_device
from rheojobs.inference.programs.exported_program import SOURCES, StoredProgram, source_files
from rheojobs.inference.programs.jax_setup import configure_jax

pytestmark = pytest.mark.promise("compiled-once")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    configure_jax()
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path))
    return tmp_path / "xla" / "traced"


class Counted:
    """A function that counts how often it is traced."""

    def __init__(self) -> None:
        self.traced = 0

    def __call__(self, pair, factor):
        self.traced += 1
        return {"sum": factor * (pair[0] + pair[1]), "first": pair[0]}


SHAPE = {"sum": 0, "first": 0}
PAIR = (np.arange(3.0), np.ones(3))


def test_a_second_program_of_the_same_identity_traces_nothing(folder):
    first, second = Counted(), Counted()
    expected = StoredProgram(first, SHAPE, "it")(PAIR, 2.0)
    found = StoredProgram(second, SHAPE, "it")(PAIR, 2.0)
    assert (first.traced, second.traced) == (1, 0)
    assert len(list(folder.iterdir())) == 1
    np.testing.assert_array_equal(found["sum"], [2.0, 4.0, 6.0])
    assert np.asarray(found["sum"]).tobytes() == np.asarray(expected["sum"]).tobytes()


def test_numbers_are_arguments_and_shapes_are_not():
    function = Counted()
    program = StoredProgram(function, SHAPE, "it")
    assert float(program(PAIR, 2.0)["sum"][0]) == 2.0
    assert float(program(PAIR, 3.0)["sum"][0]) == 3.0
    assert function.traced == 1
    program((np.arange(4.0), np.ones(4)), 2.0)
    assert function.traced == 2


@pytest.mark.parametrize("identity", ["it", ""])
def test_what_it_gives_it_takes_again_without_compiling(compilations, identity):
    """JAX takes results of a program from disk for bound to their device, unlike NumPy's arrays."""
    program = StoredProgram(Counted(), SHAPE, identity)
    found = program(PAIR, np.float64(2.0))
    compilations.clear()
    again = program((found["sum"], found["first"]), np.float64(2.0))
    np.testing.assert_array_equal(again["sum"], [4.0, 10.0, 16.0])
    again = program((found["sum"], PAIR[1]), on_device(2.0))
    np.testing.assert_array_equal(again["sum"], [6.0, 10.0, 14.0])
    assert compilations == []


def test_arrays_of_jax_are_not_fetched():
    array = jnp.ones(3)
    (kept, made), _ = exported_program._flat((array, 2.0))
    assert kept is array
    assert (type(made), made.dtype) == (np.ndarray, np.float64)


def test_another_identity_is_another_program(folder):
    first, second = Counted(), Counted()
    StoredProgram(first, SHAPE, "it")(PAIR, 2.0)
    StoredProgram(second, SHAPE, "another")(PAIR, 2.0)
    assert second.traced == 1
    assert len(list(folder.iterdir())) == 2


def test_changed_source_is_traced_anew(monkeypatch):
    first, second = Counted(), Counted()
    StoredProgram(first, SHAPE, "it")(PAIR, 2.0)
    monkeypatch.setattr(exported_program, "source_digest", lambda: "another version")
    StoredProgram(second, SHAPE, "it")(PAIR, 2.0)
    assert second.traced == 1


def inside(name: str) -> bool:
    return any(name == source or name.startswith(f"{source}.") for source in SOURCES)


def test_the_digest_is_of_what_programs_are_traced_from_and_of_nothing_else():
    root = Path(rheojobs.inference.__file__).parent
    files = {str(path.relative_to(root)) for path in source_files() if path.is_relative_to(root)}
    assert {
        "sampling/nuts.py",
        "models/rheojax/function.py",
        "posterior/likelihood.py",
        "data/protocol.py",
    } <= files
    rooms = {name.split("/")[0] for name in files}
    assert not rooms & {"batch", "comparison", "readiness", "reports", "results"}
    assert {name for name in files if name.startswith("data/")} == {
        "data/protocol.py",
        "data/test_modes.py",
    }


INNOCENT = {
    "rheojobs",
    "rheojobs.engine",
    "rheojobs.engine.errors",
    "rheojobs.errors",
    "rheojobs.extras",
    "rheojobs.lazy",
    "rheojobs.machine",
    "rheojobs.markup",
    "rheojobs.whole_files",
    "rheojobs.inference",
    "rheojobs.inference.data",
    "rheojobs.inference.data.arrays",
    "rheojobs.inference.data.conditions",
    "rheojobs.inference.data.dataset",
    "rheojobs.inference.data.number",
    "rheojobs.inference.data.step_quantity",
    "rheojobs.inference.data.strain_history",
    "rheojobs.inference.data.unit_names",
    "rheojobs.inference.data.units",
    "rheojobs.inference.options",
    "rheojobs.inference.options.kinds",
    "rheojobs.inference.options.option",
    "rheojobs.inference.results",
    "rheojobs.inference.results.bayesian_result",
    "rheojobs.inference.results.fit_result",
    "rheojobs.inference.results.html_view",
    "rheojobs.inference.results.json_format",
    "rheojobs.inference.results.predictions",
    "rheojobs.inference.results.records",
    "rheojobs.inference.results.fit_report",
    "rheojobs.inference.results.segments",
    "rheojobs.inference.results.thresholds",
    "rheojobs.inference.results.inference_arrays",
}
"""What modules with traced functions import besides, of which no number of a program depends."""


@pytest.mark.parametrize(
    "traced", ["sampling.programs", "fits.objective", "models.rheojax.registry"]
)
def test_whatever_traced_modules_import_is_hashed_or_known_to_be_innocent(traced):
    """A new import of such a module has to be looked at: does a program depend on it?"""
    found = graph().find_upstream_modules(f"rheojobs.inference.{traced}")
    assert {name for name in found if not inside(name)} <= INNOCENT


@functools.cache
def graph():
    return grimp.build_graph("rheojobs", exclude_type_checking_imports=True)


def test_a_function_of_the_users_is_kept_nowhere(folder):
    function = Counted()
    found = StoredProgram(function, SHAPE, "")(PAIR, 2.0)
    np.testing.assert_array_equal(found["sum"], [2.0, 4.0, 6.0])
    assert not folder.exists()


@jax.tree_util.register_pytree_node_class
class Odd:
    """A node that is told apart by where it lies in memory."""

    def __init__(self, value, static=None) -> None:
        self.value, self.static = value, static or object()

    def tree_flatten(self):
        return (self.value,), self.static

    @classmethod
    def tree_unflatten(cls, static, values):
        return cls(values[0], static)


def test_what_other_processes_would_name_otherwise_is_kept_nowhere(folder):
    program = StoredProgram(lambda odd: 2 * odd.value, 0, "it")
    np.testing.assert_array_equal(program(Odd(np.ones(2))), [2.0, 2.0])
    assert not folder.exists()


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_program_is_traced_anew(folder, damage):
    StoredProgram(Counted(), SHAPE, "it")(PAIR, 2.0)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    function = Counted()
    found = StoredProgram(function, SHAPE, "it")(PAIR, 2.0)
    np.testing.assert_array_equal(found["sum"], [2.0, 4.0, 6.0])
    assert function.traced == 1
    again = Counted()
    StoredProgram(again, SHAPE, "it")(PAIR, 2.0)
    assert again.traced == 0


def test_a_whole_entry_that_is_no_program_is_traced_anew(folder):
    """Its checksum is right: JAX itself has to refuse it."""
    StoredProgram(Counted(), SHAPE, "it")(PAIR, 2.0)
    (path,) = folder.iterdir()
    key = path.stem
    path.unlink()
    cache = exported_program.ProgramCache(folder, folder.parent, 1 << 20)
    cache.put(key, b"no flatbuffer at all, but whole")
    function = Counted()
    found = StoredProgram(function, SHAPE, "it")(PAIR, 2.0)
    np.testing.assert_array_equal(found["sum"], [2.0, 4.0, 6.0])
    again = Counted()
    StoredProgram(again, SHAPE, "it")(PAIR, 2.0)
    assert (function.traced, again.traced) == (1, 0)


def test_what_jax_does_not_export_runs_all_the_same(folder):
    def calls_back(x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    found = StoredProgram(calls_back, 0, "it")(jnp.ones(2))
    np.testing.assert_allclose(found, np.sin(1.0))
    assert not folder.exists()


PROCESS = """
import json
from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.sampling.sample import sample
from jax import export

traces = []
original = export.export
export.export = lambda *args, **kwargs: traces.append(1) or original(*args, **kwargs)
start = {"G0": 1.2e5, "eta": 1.3e3}
result = sample(read(example_melt.csv_path()), "maxwell", warm_start=start, num_warmup=10,
                num_samples=20, num_chains=1, checkpoint="")
draws = {name: [value.hex() for value in values] for name, values in
         result.posterior_samples.items()}
print(json.dumps({"traces": len(traces), "draws": draws}))
"""


@pytest.mark.slow
def test_a_new_process_traces_none_of_a_samplings_programs_and_draws_the_same(folder):
    """Whatever the seed of its hashes, which orders what NumPyro keeps in sets."""
    pytest.importorskip("rheojax")
    told = []
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(json.loads(done.stdout.splitlines()[-1]))
    assert told[0]["traces"] > 0
    assert [one["traces"] for one in told[1:]] == [0, 0]
    assert told[1]["draws"] == told[0]["draws"] == told[2]["draws"]
