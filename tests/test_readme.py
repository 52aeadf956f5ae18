"""The README's Python examples run as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rheojobs.inference.data import example_melt

pytestmark = pytest.mark.slow

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)

# What the examples take for granted that the reader has.
GIVEN = """
import time
import numpy as np

t = np.logspace(-1, 2, 60)
G = 1e4 * np.exp(-((t / 3.0) ** 0.6))
def slow_function():
    time.sleep(0.1)
    return "done"
"""


@pytest.mark.parametrize("number", range(3))
def test_example(number, tmp_path):
    assert len(EXAMPLES) == 3
    shutil.copy(example_melt.csv_path(), tmp_path / "sweep.csv")
    t = np.logspace(-1, 1, 40)
    noise = 1 + 0.01 * np.random.default_rng(0).standard_normal(40)
    table = np.column_stack([t, 1e5 * np.exp(-t / 2) * noise])
    np.savetxt(
        tmp_path / "relaxation.csv", table, delimiter=",", header="Time (s),G(t) (Pa)", comments=""
    )
    done = subprocess.run(
        [sys.executable, "-c", GIVEN + EXAMPLES[number]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        env=None,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    expected = ("'G0': {'mean'", "'beta'", "done")[number]
    assert expected in done.stdout
