"""The test modes: their names, their x, and how they are inferred from units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.units import parse_unit
from rheojobs.inference.options.kinds import Text
from rheojobs.inference.options.option import Group, option

if TYPE_CHECKING:
    from rheojobs.inference.data.dataset import Dataset

__all__ = ["TEST_MODES", "canonical_test_mode", "detect_test_mode", "mode_option", "x_of"]

TEST_MODES = ("relaxation", "creep", "oscillation", "flow_curve", "startup", "laos")

_MODE_ALIASES: dict[str, tuple[str, ...]] = {
    "relaxation": ("relax", "stress_relaxation", "step_strain", "relaxation_modulus"),
    "creep": ("creep_compliance", "step_stress"),
    "oscillation": ("oscillatory", "saos", "frequency_sweep", "dynamic", "dma"),
    "flow_curve": ("flow", "flow_sweep", "rotation", "rotational", "steady_shear", "steady_flow"),
    "startup": ("start_up", "startup_shear", "start_up_shear", "shear_startup", "stress_growth"),
    "laos": ("large_amplitude_oscillatory_shear", "large_amplitude_oscillation"),
}
_MODE_NAMES = {mode: mode for mode in TEST_MODES} | {
    alias: mode for mode, aliases in _MODE_ALIASES.items() for alias in aliases
}
_X_OF_MODE = {"oscillation": ("angular frequency", "ω"), "flow_curve": ("shear rate", "γ̇")}


def x_of(test_mode: str) -> tuple[str, str]:
    """Return the quantity and the symbol of x in a test: ``("angular frequency", "ω")``."""
    return _X_OF_MODE.get(test_mode, ("time", "t"))


def canonical_test_mode(name: str) -> str:
    """Return the test mode that a user's word stands for.

    Parameters
    ----------
    name : str
        A member of `TEST_MODES` or a usual other name (``"saos"``, ``"Frequency sweep"``,
        ``"flow"``); case, spaces and hyphens do not matter.

    Returns
    -------
    str
        The member of `TEST_MODES`.

    Raises
    ------
    InputError
        If no test mode has this name; the nearest is named.
    """
    folded = re.sub(r"[\s\-_]+", "_", str(name).strip().casefold())
    if folded in _MODE_NAMES:
        return _MODE_NAMES[folded]
    raise InputError(f"unknown test mode {str(name)!r}: {_nearest_mode(folded)}")


def _nearest_mode(folded: str) -> str:
    hint = nearest(folded, _MODE_NAMES)
    return hint if hint.startswith("did you mean") else f"known: {', '.join(TEST_MODES)}"


def detect_test_mode(dataset: Dataset) -> str | None:
    """Infer the test mode from quantity, units and values; None if they leave it open."""
    import numpy as np  # the names of tests are needed without NumPy

    if np.iscomplexobj(dataset.y):
        return "oscillation"
    for word, mode in (("relaxation modulus", "relaxation"), ("compliance", "creep")):
        if word in dataset.quantity:
            return mode
    x_unit = parse_unit(dataset.x_unit) if dataset.x_unit else None
    y_unit = parse_unit(dataset.y_unit) if dataset.y_unit else None
    if x_unit is not None and x_unit[1:] == (0, -1):
        is_frequency = re.search(r"rad|hz", dataset.x_unit, re.IGNORECASE) is not None
        return "oscillation" if is_frequency else "flow_curve"
    if x_unit is None or x_unit[1:] != (0, 1):
        return None
    if y_unit is not None and y_unit[1:] == (-1, 0):
        return "creep"
    # Of the tests over time only a relaxation falls; a rising stress is ambiguous.
    if not dataset.quantity and y_unit is not None and y_unit[1:] == (1, 0) and len(dataset) > 2:
        steps = np.diff(dataset.y[np.argsort(dataset.x, kind="stable")])
        if np.mean(steps <= 0) >= 0.7 and np.sum(steps) < 0:
            return "relaxation"
    return None


def mode_option(source: str, *, word: str = "", is_stored: bool = True) -> Any:
    """Declare the option of the test mode, which `source` reveals if it is not given."""
    return option(
        None,
        Text(canonical_test_mode, "MODE"),
        "Test mode: relaxation, creep, oscillation, flow_curve, startup or laos. Detected from "
        f"the {source} by default.",
        group=Group.DATA,
        word=word,
        is_stored=is_stored,
    )
