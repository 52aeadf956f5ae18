"""NIST's reference problems of nonlinear regression, read from their files, as data of one model.

One model holds all curves, so that one compiled program fits them all: the number of a problem and
that of an observation make its x.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model

FOLDER = Path(__file__).parent / "nist"


def _exponentials(x, b):
    return b[0] * jnp.exp(-b[1] * x) + b[2] * jnp.exp(-b[3] * x) + b[4] * jnp.exp(-b[5] * x)


def _gauss(x, b):
    peaks = [b[k] * jnp.exp(-(((x - b[k + 1]) / b[k + 2]) ** 2)) for k in (2, 5)]
    return b[0] * jnp.exp(-b[1] * x) + peaks[0] + peaks[1]


def _cubics(x, b):
    above = b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3
    return above / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def _enso(x, b):
    def wave(period, cosine, sine):
        return cosine * jnp.cos(2 * jnp.pi * x / period) + sine * jnp.sin(2 * jnp.pi * x / period)

    return b[0] + wave(12, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])


def _saturation(x, b):
    return b[0] * (1 - jnp.exp(-b[1] * x))


def _chwirut(x, b):
    return jnp.exp(-b[0] * x) / (b[1] + b[2] * x)


CURVES: dict[str, Callable[[Any, Any], Any]] = {
    "Bennett5": lambda x, b: b[0] * (b[1] + x) ** (-1 / b[2]),
    "BoxBOD": _saturation,
    "Chwirut1": _chwirut,
    "Chwirut2": _chwirut,
    "DanWood": lambda x, b: b[0] * x ** b[1],
    "ENSO": _enso,
    "Eckerle4": lambda x, b: b[0] / b[1] * jnp.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": _gauss,
    "Gauss2": _gauss,
    "Gauss3": _gauss,
    "Hahn1": _cubics,
    "Kirby2": lambda x, b: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Lanczos1": _exponentials,
    "Lanczos2": _exponentials,
    "Lanczos3": _exponentials,
    "MGH09": lambda x, b: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH10": lambda x, b: b[0] * jnp.exp(b[1] / (x + b[2])),
    "MGH17": lambda x, b: b[0] + b[1] * jnp.exp(-x * b[3]) + b[2] * jnp.exp(-x * b[4]),
    "Misra1a": _saturation,
    "Misra1b": lambda x, b: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
    "Misra1c": lambda x, b: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda x, b: b[0] * b[1] * x / (1 + b[1] * x),
    "Nelson": lambda x, b: b[0] - b[1] * x[0] * jnp.exp(-b[2] * x[1]),
    "Rat42": lambda x, b: b[0] / (1 + jnp.exp(b[1] - b[2] * x)),
    "Rat43": lambda x, b: b[0] / (1 + jnp.exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "Roszman1": lambda x, b: b[0] - b[1] * x - jnp.arctan(b[2] / (x - b[3])) / jnp.pi,
    "Thurber": _cubics,
}


NAMES = tuple(CURVES)
PARAMETERS = tuple(f"b{k}" for k in range(1, 10))
STRIDE = 1000


@dataclass(frozen=True, eq=False)
class Problem:
    """A problem with its two starts and its certified values.

    Attributes
    ----------
    data : Dataset
        The response.
    starts : tuple of dict
        Two sets of initial values.
    values, deviations : dict
        Certified estimates and their standard deviations.
    residual_sum : float
        Certified sum of squares.
    freedom : int
        Degrees of freedom.
    """

    data: Dataset
    starts: tuple[dict[str, float], dict[str, float]]
    values: dict[str, float]
    deviations: dict[str, float]
    residual_sum: float
    freedom: int

    @property
    def fixed(self) -> dict[str, float]:
        """The parameters of other problems."""
        return dict.fromkeys(PARAMETERS[len(self.values) :], 0.0)


def _text(name: str) -> str:
    return (FOLDER / f"{name}.dat").read_text(encoding="ascii")


def _columns(name: str) -> np.ndarray:
    """Return y and the predictors of a problem, shape (k, n)."""
    table = re.split(r"^Data: +y.*$", _text(name), flags=re.MULTILINE)[1]
    y, *x = np.array([line.split() for line in table.strip().splitlines()], dtype=float).T
    return np.array([np.log(y) if name == "Nelson" else y, *x])


@functools.cache
def model() -> Model:
    """Return the model of all problems."""
    table = np.ones((len(NAMES), 2, STRIDE))
    for place, name in enumerate(NAMES):
        for k, x in enumerate(_columns(name)[1:]):
            table[place, k, : x.size] = x
            table[place, k, x.size :] = x[-1]

    def function(x, params):
        number = jnp.round(x).astype(int)
        seen = jnp.asarray(table)[number // STRIDE - 1, :, number % STRIDE].T
        branches = [
            lambda seen, b, name=name: CURVES[name](seen if name == "Nelson" else seen[0], b)
            for name in NAMES
        ]
        return jax.lax.switch(number[0] // STRIDE - 1, branches, seen, params)

    bounds = dict.fromkeys(PARAMETERS, (-math.inf, math.inf))
    return Model.from_function(function, bounds, test_modes="relaxation", name="strd")


def read(name: str) -> Problem:
    """Read a problem from its file."""
    text = _text(name)
    rows = [
        [float(word) for word in line.partition("=")[2].split()]
        for line in re.findall(r"^ *b\d+ = .*$", text, re.MULTILINE)
    ]
    first, second, values, deviations = (
        dict(zip(PARAMETERS, column, strict=False)) for column in np.array(rows).T.tolist()
    )
    y = _columns(name)[0]
    residual_sum = re.search(r"Residual Sum of Squares: +(\S+)", text)
    deviation = re.search(r"Residual Standard Deviation: +(\S+)", text)
    assert residual_sum is not None
    assert deviation is not None
    return Problem(
        Dataset(STRIDE * (NAMES.index(name) + 1) + np.arange(float(y.size)), y, "relaxation"),
        (first, second),
        values,
        deviations,
        float(residual_sum[1]),
        # The file of Rat43 names 9 degrees of freedom; its certified deviation has the right 11.
        round(float(residual_sum[1]) / float(deviation[1]) ** 2),
    )


def digits(found: float, certified: float) -> float:
    """Return how many digits agree: the negative logarithm of the relative error."""
    error = abs(found - certified) / abs(certified)
    return 11.0 if error == 0 else min(11.0, -math.log10(error)) if math.isfinite(error) else 0.0
