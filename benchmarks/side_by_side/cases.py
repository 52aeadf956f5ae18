"""What is fitted and sampled: measured data where they are, synthetic ones of the same size else.

Knows data and models' names; must not know how jobs are run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs import Dataset, read

__all__ = ["Case", "Sampling", "cases"]

SYNTHETIC_SEED = 20240229
NOISE = 0.03


@dataclass(frozen=True)
class Sampling:
    """How to sample; the same on both sides."""

    num_warmup: int = 500
    num_samples: int = 1000
    num_chains: int = 4
    seed: int = 1


@dataclass(frozen=True)
class Case:
    """A model and the data that it is fitted to.

    Attributes
    ----------
    model : str
        As both sides name it.
    data : Dataset
        For all jobs but the last.
    others : tuple of Dataset
        The same measurement with other numbers of points.
    fit_options : mapping
        What makes this project's fit minimise what RheoJAX's does.
    """

    model: str
    data: Dataset
    others: tuple[Dataset, ...]
    fit_options: Mapping[str, Any] = field(default_factory=lambda: {"weights": "relative"})

    @property
    def title(self) -> str:
        """Model, test and size on one line."""
        return f"{self.model}, {self.data.test_mode}, {len(self.data)} points ({self.data.name})"


def cases() -> list[Case]:
    """Give the cases, with measured data if they are to be had."""
    given = os.environ.get("RHEOJOBS_DATA")
    folder = Path(given) if given else Path(__file__).parents[3] / "shared" / "data"
    relaxation = _measured(folder / "ps145_relaxation.csv") or _relaxation(1799)
    oscillation = _measured(folder / "polyisoprene_483k_oscillation.csv") or _oscillation(170)
    return [
        Case("maxwell", relaxation.thin(12), tuple(relaxation.thin(n) for n in (13, 14, 15))),
        Case(
            "fractional_maxwell_liquid",
            oscillation,
            tuple(_without_last(oscillation, n) for n in (10, 20, 30)),
        ),
    ]


def _measured(path: Path) -> Dataset | None:
    return read(path) if path.is_file() else None


def _without_last(dataset: Dataset, count: int) -> Dataset:
    return replace(dataset, x=dataset.x[:-count].copy(), y=dataset.y[:-count].copy())


def _spectrum() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moduli / Pa and relaxation times / s of an entangled melt, more or less."""
    times = np.logspace(-4, 4, 17)
    return 2e5 * (times / times[0]) ** -0.25 * np.exp(-times / 3e3), times


def _relaxation(size: int) -> Dataset:
    moduli, times = _spectrum()
    t = np.logspace(np.log10(0.2), np.log10(4900), size)
    curve = np.sum(moduli * np.exp(-t[:, None] / times), axis=1)
    noise = np.random.default_rng(SYNTHETIC_SEED).standard_normal(size)
    curve = curve * (1 + NOISE * noise)
    return Dataset(t, curve, "relaxation", "SYNTHETIC", "relaxation modulus", "s", "Pa")


def _oscillation(size: int) -> Dataset:
    moduli, times = _spectrum()
    omega = np.logspace(-5, 5, size)
    phase = 1j * omega[:, None] * times
    curve = np.sum(moduli * phase / (1 + phase), axis=1)
    noise = np.random.default_rng(SYNTHETIC_SEED).standard_normal((2, size))
    curve = curve.real * (1 + NOISE * noise[0]) + 1j * curve.imag * (1 + NOISE * noise[1])
    return Dataset(omega, curve, "oscillation", "SYNTHETIC", "complex modulus", "rad/s", "Pa")
