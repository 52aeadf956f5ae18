"""The constants of tests, such as the shear rate of a start-up: names, units and checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.number import as_number
from rheojobs.inference.options.kinds import Numbers
from rheojobs.inference.options.option import Group, option

__all__ = [
    "MODE_CONSTANTS",
    "PROTOCOL_ALIASES",
    "PROTOCOL_CONSTANTS",
    "check_protocol",
    "protocol_option",
]

PROTOCOL_CONSTANTS: dict[str, str] = {
    "gamma_dot": "shear rate, 1/s",
    "sigma_applied": "applied stress, Pa",
    "gamma_0": "strain amplitude",
    "omega": "angular frequency, rad/s",
    "sigma_0": "initial stress, Pa",
}
"""Name of a constant -> its quantity and unit."""

PROTOCOL_ALIASES: dict[str, str] = {
    "gdot": "gamma_dot",
    "stress_target": "sigma_applied",
    "gamma0": "gamma_0",
    "omega_laos": "omega",
}
"""Other names that RheoJAX's models have for constants -> the name here."""

# A frequency sweep and a flow curve have no constants besides x.
MODE_CONSTANTS: dict[str, tuple[str, ...]] = {
    "relaxation": ("gamma_dot", "gamma_0", "sigma_0"),
    "creep": ("sigma_applied",),
    "oscillation": (),
    "flow_curve": (),
    "startup": ("gamma_dot",),
    "laos": ("gamma_0", "omega"),
}
"""Test mode -> the constants that a model of it may need."""


def check_protocol(protocol: object) -> dict[str, float]:
    """Check the constants of a test.

    Parameters
    ----------
    protocol : mapping of str to float or None
        Such as ``{"gamma_dot": 10.0}``.

    Returns
    -------
    dict of str to float
        The same, as floats.

    Raises
    ------
    InputError
        For anything but a mapping, a name that is neither in `PROTOCOL_CONSTANTS` nor in
        `PROTOCOL_ALIASES`, two values of one constant, or a value that is no finite number.
    """
    if protocol is None:
        return {}
    if not isinstance(protocol, Mapping):
        raise InputError(f"protocol must map names to numbers, not be a {type(protocol).__name__}")
    checked: dict[str, float] = {}
    for given, value in protocol.items():
        name = PROTOCOL_ALIASES.get(given, given)
        if name not in PROTOCOL_CONSTANTS:
            hint = nearest(str(name), PROTOCOL_CONSTANTS)
            raise InputError(f"protocol has no constant {name!r}; {hint}")
        number = as_number(f"protocol constant {given} ({PROTOCOL_CONSTANTS[name]})", value)
        if checked.setdefault(name, number) != number:
            raise InputError(
                f"protocol gives {name} twice, as {checked[name]:g} and as {given} = {number:g}"
            )
    return checked


def protocol_option(*, is_stored: bool = True) -> Any:
    """Declare the option of the constants of a test."""
    return option(
        {},
        Numbers(PROTOCOL_CONSTANTS),
        "A constant of the test: gamma_dot (1/s), sigma_applied (Pa), gamma_0, omega (rad/s), "
        "sigma_0 (Pa).",
        group=Group.DATA,
        word="at",
        is_stored=is_stored,
    )
