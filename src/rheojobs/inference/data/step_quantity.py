"""Convert the data of a step or start-up test to the quantity that a model predicts."""

from __future__ import annotations

from dataclasses import replace

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.protocol import PROTOCOL_CONSTANTS
from rheojobs.inference.data.units import SI_UNITS, parse_unit

__all__ = ["as_step_quantity", "divided"]

# Test mode -> what is measured, what it is divided by, and the quotient.
_QUOTIENTS = {
    "relaxation": ("shear stress", "gamma_0", "relaxation modulus"),
    "creep": ("strain", "sigma_applied", "creep compliance"),
    "startup": ("shear stress", "gamma_dot", "viscosity"),
}


def divided(dataset: Dataset) -> Dataset:
    """Return the modulus of a relaxation's stress, or the compliance of a creep's strain.

    Unchanged if it is neither, or if the constant by which it is divided, the strain ``gamma_0``
    or the stress ``sigma_applied``, is not known; a note then says so.
    """
    if dataset.test_mode not in ("relaxation", "creep"):
        return dataset
    measured, constant, quotient = _QUOTIENTS[dataset.test_mode]
    if dataset.quantity != measured:
        return dataset
    if constant not in dataset.protocol:
        note = f"y is a {measured}: without {constant} it gives no {quotient}"
        return replace(dataset, notes=(*dataset.notes, note))
    return _scaled(dataset, quotient, 1 / _nonzero(dataset, constant), f"divided by {constant}")


def as_step_quantity(dataset: Dataset, quantity: str, model: str) -> Dataset:
    """Return the data of a test over time as the quantity that a model predicts.

    Parameters
    ----------
    dataset : Dataset
        Of a relaxation, creep, start-up or LAOS. Data of unknown quantity are assumed to be of
        the requested one.
    quantity : str
        What the model predicts, a key of `SI_UNITS`.
    model : str
        Its name, for the error.

    Raises
    ------
    InputError
        If the data are of another quantity and the constant that relates them is not known.
    """
    mode, present = dataset.test_mode, dataset.quantity
    if mode not in (*_QUOTIENTS, "laos") or present not in SI_UNITS or _alike(present, quantity):
        return dataset
    measured, constant, quotient = _QUOTIENTS.get(mode, ("", "", ""))
    if {present, quantity} != {measured, quotient}:
        raise InputError(f"{_whose(dataset)} {present}; {model} predicts the {quantity}")
    if constant not in dataset.protocol:
        if present == quotient and mode == "relaxation":
            note = f"y is a {quotient}, but {model} predicts the {measured}"
            return replace(dataset, notes=(*dataset.notes, note))
        raise InputError(
            f"{_whose(dataset)} {present}, but {model} predicts the {quantity}: "
            f"give {constant} ({PROTOCOL_CONSTANTS[constant]}) with {{protocol}}",
            options=("protocol",),
        )
    held = _nonzero(dataset, constant)
    if present == measured:
        return _scaled(dataset, quantity, 1 / held, f"divided by {constant}")
    return _scaled(dataset, quantity, held, f"multiplied by {constant}")


def _alike(first: str, second: str) -> bool:
    """Whether two quantities have one dimension, as G' and G(t); a strain is none of these."""
    return parse_unit(SI_UNITS[first]) == parse_unit(SI_UNITS.get(second, "")) and not (
        "stress" in first + second and "modulus" in first + second
    )


def _whose(dataset: Dataset) -> str:
    return f"the data{f' of {dataset.name}' if dataset.name else ''} are a"


def _nonzero(dataset: Dataset, constant: str) -> float:
    value = dataset.protocol[constant]
    if value == 0:
        raise InputError(f"{constant} is zero: {dataset.quantity} cannot be related to it")
    return value


def _scaled(dataset: Dataset, quantity: str, factor: float, how: str) -> Dataset:
    sigma = None if dataset.sigma is None else dataset.sigma * abs(factor)
    return replace(
        dataset,
        y=dataset.y * factor,
        sigma=sigma,
        quantity=quantity,
        y_unit=SI_UNITS[quantity],
        notes=(*dataset.notes, f"{quantity}: the {dataset.quantity} {how}"),
    )
