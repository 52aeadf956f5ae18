"""The four samplings that both windows run: alike in model, data and number of draws."""

from __future__ import annotations

from rheojobs import Dataset
from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.read import read

__all__ = ["CHAINS", "DRAWS", "MODELS", "WARMUP", "data"]

MODELS = (
    "fractional_maxwell_liquid",
    "fractional_zener_ss",
    "maxwell",
    "fractional_kelvin_voigt",
)
"""Each is another program to compile."""

WARMUP, DRAWS, CHAINS = 1000, 200_000, 2
"""More draws than there is time for: they are stopped when the measuring is over."""


def data() -> Dataset:
    """Give the melt that is shipped with the project, G' and G'' over angular frequency."""
    return read(example_melt.csv_path())
