"""Example data of a well-known polymer melt, IUPAC's LDPE "Melt I" at 150 °C.

The dynamic moduli are computed from the linear viscoelastic spectrum of H. M. Laun, Rheol. Acta 17
(1978) 1-15, with the noise of a rheometer; the file states the formula and the seed.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "MODULI",
    "NOISE",
    "POINTS_PER_DECADE",
    "RELAXATION_TIMES",
    "SEED",
    "MeltData",
    "csv_path",
    "make_dataset",
    "storage_and_loss_modulus",
    "write_csv",
    "zero_shear_viscosity",
]

type FloatArray = npt.NDArray[np.float64]

#: Moduli g of the spectrum in Pa (Laun 1978).
MODULI = (1.29e5, 9.48e4, 5.86e4, 2.67e4, 9.80e3, 1.89e3, 1.80e2, 1.00)
#: Relaxation times λ of the spectrum in s (Laun 1978).
RELAXATION_TIMES = (1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3)

#: How the shipped file was made.
POINTS_PER_DECADE = 10
NOISE = 0.03
SEED = 1978

_FILE_NAME = "ldpe_melt_i_150C.csv"


class MeltData(NamedTuple):
    """Small-amplitude oscillatory shear data of the melt.

    Attributes
    ----------
    omega : ndarray
        Angular frequency in rad/s, ascending.
    storage : ndarray
        Storage modulus G' in Pa.
    loss : ndarray
        Loss modulus G'' in Pa.
    """

    omega: FloatArray
    storage: FloatArray
    loss: FloatArray


def storage_and_loss_modulus(omega: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Compute the dynamic moduli of the spectrum.

    Parameters
    ----------
    omega : array_like
        Angular frequency in rad/s.

    Returns
    -------
    storage, loss : ndarray
        G' = Σ g (ωλ)² / (1 + (ωλ)²) and G'' = Σ g ωλ / (1 + (ωλ)²) in Pa, of the shape of `omega`.
    """
    x = np.multiply.outer(np.asarray(omega, dtype=np.float64), np.array(RELAXATION_TIMES))
    loss_terms = np.array(MODULI) * x / (1.0 + x**2)
    return (loss_terms * x).sum(axis=-1), loss_terms.sum(axis=-1)


def zero_shear_viscosity() -> float:
    """Return the viscosity at vanishing shear rate, η₀ = Σ g λ, in Pa s."""
    return sum(g * time for g, time in zip(MODULI, RELAXATION_TIMES, strict=True))


def make_dataset(
    points_per_decade: int = POINTS_PER_DECADE, noise: float = NOISE, seed: int = SEED
) -> MeltData:
    """Make a frequency sweep of the melt with the noise of a measurement.

    Parameters
    ----------
    points_per_decade : int
        Frequencies a decade, evenly spaced on the logarithmic scale from 1e-3 to 1e3 rad/s.
    noise : float
        Standard deviation of the Gaussian noise, relative to each value; independent for each
        value of G' and G''. Zero gives the spectrum's own moduli.
    seed : int
        Seed of the noise; the same seed gives the same data.

    Returns
    -------
    MeltData
        Frequencies and moduli.
    """
    omega = np.logspace(-3.0, 3.0, 6 * points_per_decade + 1)
    storage, loss = storage_and_loss_modulus(omega)
    deviates = np.random.default_rng(seed).standard_normal((2, omega.size))
    return MeltData(
        omega, storage * (1.0 + noise * deviates[0]), loss * (1.0 + noise * deviates[1])
    )


def write_csv(path: str | Path) -> None:
    """Write the default data set, with comment lines on what it is and how it was made.

    Parameters
    ----------
    path : str or Path
        The file to write.
    """
    spectrum = ", ".join(
        f"{g:.3g} Pa at {time:.0e} s" for g, time in zip(MODULI, RELAXATION_TIMES, strict=True)
    )
    lines = [
        '# LDPE "Melt I" (IUPAC) at 150 C: small-amplitude oscillatory shear, synthetic data.',
        "# Source: linear viscoelastic spectrum of H. M. Laun, Rheol. Acta 17 (1978) 1-15,",
        f"#   g at lambda: {spectrum}.",
        "# Formula: G' = sum g (omega lambda)^2 / (1 + (omega lambda)^2),",
        "#   G'' = sum g omega lambda / (1 + (omega lambda)^2);"
        f" {POINTS_PER_DECADE} frequencies a decade from 1e-3 to 1e3 rad/s.",
        f"# Noise: {100 * NOISE:g} % multiplicative Gaussian (standard deviation), independent on"
        " each value of G' and G''.",
        f"# Seed: {SEED} (numpy.random.default_rng; first all of G', then all of G'').",
        "# Made by: python -m rheojobs.inference.data.example_melt",
        "Angular Frequency (rad/s),Storage Modulus (Pa),Loss Modulus (Pa)",
    ]
    lines += [f"{w:.6g},{g1:.6g},{g2:.6g}" for w, g1, g2 in zip(*make_dataset(), strict=True)]
    Path(path).write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def csv_path() -> Path:
    """Return the path of the shipped data file."""
    package = importlib.resources.files("rheojobs.inference.data")
    return Path(str(package.joinpath("resources", _FILE_NAME)))


if __name__ == "__main__":
    write_csv(csv_path())
    print(csv_path())
