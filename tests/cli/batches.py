"""Data and plans of batches."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import yaml

ENDED = (0, 3)
"""The statuses of a command that ended; its few draws or its simple model may be doubtful."""


def write_run(path: Path, tau: float, seed: int = 0) -> None:
    """Relaxation of a Zener solid with 2 % of noise."""
    t = np.geomspace(0.01, 100.0, 40)
    noise = 1 + 0.02 * np.random.default_rng(seed).standard_normal(t.size)
    y = (1e4 + 4e4 * np.exp(-t / tau)) * noise
    rows = "".join(f"{a:.6g},{b:.6g}\n" for a, b in zip(t, y, strict=True))
    path.write_text("time (s),relaxation modulus (Pa)\n" + rows)


def write_plan(folder: Path, **parts: object) -> Path:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"files": ["run*.csv"], "models": ["zener"]} | parts))
    return path


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "batch-results" / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
