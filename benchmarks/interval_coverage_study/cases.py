"""Simulated data of three models: their formulas in NumPy, so that no code of ours makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs import Dataset

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """A model with known parameters, and how its data scatter.

    Attributes
    ----------
    model, test_mode : str
        As the catalogue names them.
    truth : mapping of str to float
        The parameters.
    x : ndarray, shape (n,)
        Time, angular frequency or shear rate.
    curve : callable
        ``(x, **truth) -> y``, shape (n,); complex for an oscillation.
    noise : float
        Relative standard deviation of the data, Gaussian.
    quantity, y_unit : str
        Of the data.
    """

    model: str
    test_mode: str
    truth: Mapping[str, float]
    x: NDArray[np.float64]
    curve: Callable[..., NDArray[Any]]
    noise: float
    quantity: str = ""
    y_unit: str = ""

    def dataset(self, seed: int) -> Dataset:
        """Return the data of one seed; G' and G'' scatter independently."""
        random, clean = np.random.default_rng(seed), self.curve(self.x, **self.truth)
        factors = 1.0 + self.noise * random.standard_normal((2, clean.size))
        y = clean.real * factors[0]
        if np.iscomplexobj(clean):
            y = y + 1j * clean.imag * factors[1]
        return Dataset(self.x, y, self.test_mode, quantity=self.quantity, y_unit=self.y_unit)


def maxwell(t: NDArray[np.float64], G0: float, eta: float) -> NDArray[np.float64]:
    """Relaxation modulus of a spring and a dashpot in series."""
    return G0 * np.exp(-t * G0 / eta)


def zener(w: NDArray[np.float64], Ge: float, Gm: float, eta: float) -> NDArray[np.complex128]:
    """Complex modulus of a spring beside a spring and a dashpot in series."""
    turn = 1j * w * eta / Gm
    return np.asarray(Ge + Gm * turn / (1.0 + turn))


def carreau(
    rate: NDArray[np.float64], eta0: float, eta_inf: float, lambda_: float, n: float
) -> NDArray[np.float64]:
    """Viscosity between two plateaus."""
    return eta_inf + (eta0 - eta_inf) * (1.0 + (lambda_ * rate) ** 2) ** (0.5 * (n - 1.0))


CASES = {
    case.model: case
    for case in (
        Case(
            "maxwell",
            "relaxation",
            {"G0": 2e4, "eta": 3e4},
            np.geomspace(0.01, 8.0, 30),
            maxwell,
            0.05,
        ),
        Case(
            "zener",
            "oscillation",
            {"Ge": 1e4, "Gm": 4e4, "eta": 4e4},
            np.geomspace(0.02, 50.0, 20),
            zener,
            0.05,
        ),
        Case(
            "carreau",
            "flow_curve",
            {"eta0": 200.0, "eta_inf": 0.5, "lambda_": 2.0, "n": 0.3},
            np.geomspace(0.01, 1e4, 40),
            carreau,
            0.05,
            "viscosity",
            "Pa s",
        ),
    )
}
