"""What is fitted: a model, a start, and data with relative noise; and what all sides minimize.

That is the sum of the squares of ln(curve / data), as our fits have it for relative noise. All
sides search the logarithms of positive parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs import Dataset

__all__ = ["PROBLEMS", "Problem"]

NOISE = 0.02

START = 1.7
"""The sides start from values that are off by that factor."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A model to be fitted.

    Attributes
    ----------
    model : str
        Its name in the catalogue.
    test_mode, quantity : str
        Of the data.
    curve : callable
        ``(library, x, *parameters)``; the library is `numpy` or `jax.numpy`.
    truth, start : mapping of str to float
        Parameters.
    range : (float, float)
        Of x.
    linear : tuple of str
        Parameters that are searched as they are, the others by their logarithm.
    """

    model: str
    test_mode: str
    curve: Callable[..., Any]
    truth: Mapping[str, float]
    start: Mapping[str, float]
    range: tuple[float, float]
    quantity: str = ""
    linear: tuple[str, ...] = ()

    @property
    def begin(self) -> Floats:
        """The start in the coordinates that are searched."""
        return np.array([self._coordinate(*item) for item in self.start.items()])

    def _coordinate(self, name: str, value: float) -> float:
        return value if name in self.linear else float(np.log(value))

    def data(self, size: int, seed: int) -> tuple[Floats, Floats]:
        """Return x and y, both (size,), with noise; another seed is another dataset."""
        random = np.random.default_rng((seed, size))
        x = np.geomspace(*self.range, size)
        truth = self.truth if seed == 0 else self._varied(random)
        noise = NOISE * random.standard_normal(size)
        return x, self.curve(np, x, *truth.values()) * np.exp(noise)

    def dataset(self, x: Floats, y: Floats) -> Dataset:
        """Return data as our fits take them."""
        return Dataset(x, y, self.test_mode, quantity=self.quantity)

    def _varied(self, random: np.random.Generator) -> dict[str, float]:
        """Return parameters about the truth, so that no two datasets are alike."""
        factors = random.uniform(-0.3, 0.3, len(self.truth))
        return {
            name: value * float(np.exp(factor if name not in self.linear else 0.3 * factor))
            for (name, value), factor in zip(self.truth.items(), factors, strict=True)
        }

    def parameters(self, library: Any, u: Any) -> list[Any]:
        """Return the parameters at coordinates; traceable."""
        return [
            u[k] if name in self.linear else library.exp(u[k]) for k, name in enumerate(self.truth)
        ]

    def logarithm(self, library: Any, x: Any, *u: Any) -> Any:
        """Return the logarithm of the curve at coordinates; traceable."""
        return library.log(self.curve(library, x, *self.parameters(library, u)))

    def cost(self, found: Floats, x: Floats, y: Floats) -> float:
        """Return the sum of the squares at parameters."""
        return float(np.sum(np.log(self.curve(np, x, *found) / y) ** 2))


def _maxwell(library: Any, t: Any, G0: Any, eta: Any) -> Any:
    return G0 * library.exp(-t * G0 / eta)


def _carreau(library: Any, rate: Any, eta0: Any, eta_inf: Any, lambda_: Any, n: Any) -> Any:
    return eta_inf + (eta0 - eta_inf) * (1 + (lambda_ * rate) ** 2) ** ((n - 1) / 2)


def _off(truth: Mapping[str, float], **others: float) -> dict[str, float]:
    return {name: START * value for name, value in truth.items()} | others


_MAXWELL = {"G0": 1e5, "eta": 3e5}
_CARREAU = {"eta0": 1e3, "eta_inf": 100.0, "lambda_": 10.0, "n": 0.4}

PROBLEMS = {
    "maxwell": Problem("maxwell", "relaxation", _maxwell, _MAXWELL, _off(_MAXWELL), (0.01, 8.0)),
    "carreau": Problem(
        "carreau",
        "flow_curve",
        _carreau,
        _CARREAU,
        _off(_CARREAU, n=0.48),
        (1e-3, 1e3),
        "viscosity",
        ("n",),
    ),
}
