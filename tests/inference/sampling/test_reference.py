"""Draws kept as text, so that a change of a single bit shows where nothing should have changed.

On a machine like the one that wrote them, with the same libraries, the draws must be equal to the
bit; elsewhere to 1e-6. A chain is chaotic: each leapfrog and each choice among the states of a tree
carries on what rounding differs by, and in a few hundred steps two machines are on other paths.
So the runs are short, 10 steps of warm-up and 20 draws from a start that is given, and hold for
the sampler's arithmetic, not for its statistics (test_sbc.py and test_sampling.py have these).

``python -m tests.inference.sampling.test_reference`` writes the files anew. Whoever has to
do that has changed what a seed gives: the changelog must say so.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.inference.helpers import decay_data, decay_model

from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.programs.jax_setup import _processor_fingerprint
from rheojobs.inference.sampling.sample import sample

pytestmark = pytest.mark.promise("same-draws")

FOLDER = Path(__file__).parent / "reference"
ELSEWHERE = 1e-6
LIBRARIES = ("jax", "jaxlib", "numpyro", "numpy", "rheojax")

SHORT = {"num_warmup": 10, "num_samples": 20, "num_chains": 2, "seed": 11, "checkpoint": ""}
PINNED = {"default_priors": "rheojax", "target_accept": 0.9}
"""No default of ours: a better one is no reason to write the files anew."""

DECAY = {"warm_start": {"G0": 2e4, "tau": 1.5}}
CASES: dict[str, dict[str, Any]] = {
    "decay_constant": DECAY | {"likelihood": "constant"},
    "decay_relative_student_t": DECAY | {"likelihood": "relative_student_t"},
    "maxwell_melt": {
        "likelihood": "constant",
        "warm_start": {"G0": 1.2e5, "tau": 0.011},
        "priors": {"tau": {"type": "lognormal", "loc": -4.0, "scale": 1.0}},
    },
}


def draws_of(name: str) -> dict[str, np.ndarray]:
    """Sample a case; each parameter's draws, shape (40,), chain after chain."""
    if name == "maxwell_melt":
        data, model = read(example_melt.csv_path()), "maxwell"
    else:
        data, model = decay_data(), decay_model()
    return sample(data, model, **SHORT, **PINNED, **CASES[name]).posterior_samples


def machine() -> dict[str, str]:
    """Say what the bits depend on."""
    versions = {library: importlib.metadata.version(library) for library in LIBRARIES}
    return {"processor": _processor_fingerprint(), **versions}


def write(name: str, folder: Path = FOLDER) -> None:
    """Write a case's draws, each number as the hexadecimal text that keeps all of its bits."""
    draws = draws_of(name)
    lines = [f"# {key}: {value}" for key, value in machine().items()]
    lines += [" ".join(draws)]
    lines += [" ".join(map(float.hex, row)) for row in zip(*draws.values(), strict=True)]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


def kept(name: str, folder: Path = FOLDER) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Read a case's file: the machine, and each parameter's draws."""
    lines = (folder / f"{name}.txt").read_text(encoding="ascii").splitlines()
    head = dict(line[2:].split(": ") for line in lines if line.startswith("#"))
    names, *rows = [line.split() for line in lines if not line.startswith("#")]
    columns = zip(*([float.fromhex(text) for text in row] for row in rows), strict=True)
    return head, {key: np.array(column) for key, column in zip(names, columns, strict=True)}


def largest_difference(
    found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> float:
    """Give the largest relative difference between draws; infinite where the names differ."""
    if list(found) != list(expected):
        return np.inf
    return max(
        float(np.max(np.abs(found[name] - values) / np.abs(values)))
        for name, values in expected.items()
    )


@pytest.mark.parametrize("name", CASES)
def test_draws_are_those_that_were_kept(name):
    written_on, expected = kept(name)
    found = draws_of(name)
    assert list(found) == list(expected)
    if written_on == machine():
        for parameter, values in expected.items():
            assert found[parameter].tobytes() == values.tobytes(), parameter
    else:
        assert largest_difference(found, expected) < ELSEWHERE


@pytest.mark.parametrize("name", CASES)
def test_the_draws_that_were_kept_move(name):
    """Else their equality would say little."""
    _, expected = kept(name)
    for parameter, values in expected.items():
        assert values.shape == (40,)
        assert np.unique(values).size > 20, parameter


def test_a_single_bit_shows():
    _, expected = kept("decay_constant")
    changed = {name: values.copy() for name, values in expected.items()}
    changed["tau"][17] = np.nextafter(changed["tau"][17], 2.0)
    assert 0 < largest_difference(changed, expected) < ELSEWHERE
    assert changed["tau"].tobytes() != expected["tau"].tobytes()
    assert largest_difference({"G0": expected["G0"]}, expected) == np.inf


def test_what_is_written_is_read_again(tmp_path):
    write("decay_constant", tmp_path)
    head, values = kept("decay_constant", tmp_path)
    assert head == machine()
    assert largest_difference(draws_of("decay_constant"), values) == 0


@pytest.mark.slow
@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"),
    reason="an older instruction set can be asked for on x86 alone",
)
def test_an_older_processor_draws_the_same_within_rounding(tmp_path):
    """XLA without AVX and fused multiply-add stands for the machine elsewhere."""
    environment = os.environ | {
        "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
        "RHEOJOBS_CACHE_DIR": str(tmp_path / "cache"),
    }
    command = [sys.executable, "-m", "tests.inference.sampling.test_reference", str(tmp_path)]
    root = Path(__file__).parents[3]
    subprocess.run(command, env=environment, cwd=root, check=True, timeout=240)
    differences = {}
    for name in CASES:
        _, elsewhere = kept(name, tmp_path)
        _, here = kept(name)
        differences[name] = largest_difference(elsewhere, here)
    assert max(differences.values()) < ELSEWHERE, differences
    assert max(differences.values()) > 0  # else it was the same machine


if __name__ == "__main__":
    for case in CASES:
        write(case, Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
