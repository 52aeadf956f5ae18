"""Devices by name; fits and samplings on the second of two, which are both this processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from rheojobs import PRELOAD, FitTask, InputError, JobEngine, ProcessExecutor, worker_environment
from rheojobs.inference.programs import devices, jax_setup
from rheojobs.inference.programs.devices import default_device, device_named, on_device, platform

TWO = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
TIMEOUT = 120.0

FIT_AND_SAMPLING = """
import hashlib, json
import jax
import numpy as np
from rheojobs import Model, fit, sample
from rheojobs.inference.programs.exported_program import StoredProgram

compiled, places, moved, programs = [], set(), [], set()

def note(event, duration, **details):
    if event == "/jax/core/compile/backend_compile_duration":
        compiled.append(details.get("fun_name"))

jax.monitoring.register_event_duration_secs_listener(note)
called = StoredProgram.__call__
named = lambda array: [f"{device.platform}:{device.id}" for device in array.devices()]

def watched(program, *args):
    result = called(program, *args)
    programs.add(program)
    for leaf in jax.tree.leaves(result):
        places.update(named(leaf))
    if program._name == "advance" and np.ndim(args[1]) == 0 and args[1] > 1:
        moved.append(max(np.size(leaf) for leaf in jax.tree.leaves(args)
                         if not isinstance(leaf, jax.Array)))
    return result

StoredProgram.__call__ = watched
t = np.geomspace(0.01, 10.0, 40)
seen = lambda progress: places.update(name for a in jax.live_arrays() for name in named(a))

def run(seed, model):
    scatter = np.random.default_rng(seed).standard_normal(t.size)
    data = t, 1e5 * np.exp(-t / 2.0) * (1 + 0.02 * scatter)
    found = fit(data, model, test_mode="relaxation", callback=seen)
    drawn = sample(data, model, test_mode="relaxation", warm_start=found.parameters,
                   num_warmup=100, num_samples=200, num_chains=2, checkpoint="", callback=seen)
    draws = b"".join(values.tobytes() for values in drawn.posterior_samples.values())
    numbers = [value.hex() for value in found.parameters.values()]
    return [*numbers, hashlib.sha256(draws).hexdigest()]

own = Model.from_function(lambda t, p: p[0] * jax.numpy.exp(-t / p[1]),
                          {"G0": (1, 1e9), "tau": (1e-6, 1e6)}, test_modes="relaxation")
found = [run(0, MODEL)]
first = len(compiled)
found.append(run(1, MODEL))
print(json.dumps({
    "found": found,
    "again": len(compiled) - first,
    "stored": compiled.count("jit(call)"),
    "kinds": sum(len(program._programs) for program in programs if program._identity),
    "places": sorted(places),
    "moved": max(moved),
}))
"""


def run_on(device: str, model: str, cache: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", FIT_AND_SAMPLING.replace("MODEL", model)],
        env={**os.environ, **TWO, "RHEOJOBS_DEVICE": device, "RHEOJOBS_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.slow
@pytest.mark.promise("compiled-once", "same-draws")
@pytest.mark.parametrize("model", ["'maxwell'", "own"])
def test_a_fit_and_a_sampling_stay_on_their_device(model: str, tmp_path: Path) -> None:
    """The numbers do not depend on it, nothing is compiled twice, by the second job not at all.

    A user's own function is not stored on disk, and compiled in another way.
    """
    if model != "own":
        pytest.importorskip("rheojax")
    first, second = (run_on(name, model, tmp_path) for name in ("cpu:0", "cpu:1"))
    assert first["places"] == ["cpu:0"]
    assert second["places"] == ["cpu:1"]
    assert first["found"] == second["found"]
    for told in (first, second):
        assert told["again"] == 0
        assert told["stored"] == told["kinds"]
    # A call of a chain moves only single numbers to the device.
    assert first["moved"] == second["moved"] == 1


def device_and_hold(context: Any, other: str, own: str) -> tuple[str, list[str]]:
    """Return the device of this worker and that of an array, once the other worker is here."""
    Path(own).touch()
    while not Path(other).exists():
        context.check()
        time.sleep(0.01)
    made = jax.numpy.zeros(3)
    return name_of(default_device()), [name_of(device) for device in made.devices()]


def name_of(device: jax.Device) -> str:
    return f"{device.platform}:{device.id}"


def test_two_workers_on_two_devices_get_one_each(tmp_path: Path) -> None:
    env = [{**worker_environment(device=name), **TWO} for name in ("cpu:0", "cpu:1")]
    executor = ProcessExecutor(2, preload=PRELOAD, env=env, spares=0)
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    with JobEngine(executor) as engine:
        jobs = [engine.run(device_and_hold, *pair) for pair in ((here, there), (there, here))]
        found = sorted(job.result(TIMEOUT) for job in jobs)
    assert found == [(name, [name]) for name in ("cpu:0", "cpu:1")]


def test_a_device_that_is_not_there_is_one_line_of_each_task() -> None:
    env = {**worker_environment(device="cpu:2"), **TWO}
    t = np.geomspace(0.1, 10.0, 20)
    with JobEngine(ProcessExecutor(1, preload=PRELOAD, env=env)) as engine:
        job = engine.submit(
            FitTask("maxwell", (t, np.exp(-t)), options={"test_mode": "relaxation"})
        )
        with pytest.raises(InputError, match=r"no device 'cpu:2'; JAX finds here: cpu:0, cpu:1$"):
            job.result(TIMEOUT)


@pytest.mark.parametrize("name", ["", "cpu:", ":0", "cpu:x", "cpu:-1", "cpu:7", "gpu:0", "nothing"])
def test_names_of_no_device(name: str) -> None:
    with pytest.raises(InputError, match=r"there is no device '.*'; JAX finds here: cpu:0"):
        device_named(name)


@pytest.mark.parametrize("name", ["cpu", "cpu:0", " CPU:0 "])
def test_names_of_a_device(name: str) -> None:
    assert device_named(name) == jax.devices("cpu")[0]


def test_the_default_device_is_that_of_jax() -> None:
    (device,) = jax.numpy.zeros(1).devices()
    assert default_device() == device
    with jax.default_device("cpu"):
        assert default_device() == device
    with jax.default_device(device):
        assert default_device() is device


def test_no_program_of_one_platform_is_loaded_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX calls the devices of both CUDA and ROCm "gpu"."""

    class Gpu:
        platform = "gpu"

    monkeypatch.setattr(devices.export, "default_export_platform", lambda: "rocm")
    assert platform(Gpu()) == "rocm"  # type: ignore[arg-type]
    assert platform(jax.devices("cpu")[0]) == "cpu"


def test_what_is_on_the_device_has_its_structure_and_strong_types() -> None:
    made = on_device({"a": 1.0, "b": (np.arange(3), None)})
    assert made["b"][1] is None
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(made))
    assert not made["a"].weak_type


def test_a_processor_is_chosen_without_starting_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to = {}
    monkeypatch.setattr(jax.config, "update", set_to.__setitem__)
    jax_setup._choose_device("cpu:0")
    assert set_to == {"jax_platforms": "cpu", "jax_default_device": jax.devices("cpu")[0]}
