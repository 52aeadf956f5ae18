"""`Dataset`: one measured curve with its quantity, units, test mode and constants."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.arrays import components, numeric, own
from rheojobs.inference.data.conditions import check_conditions
from rheojobs.inference.data.protocol import (
    MODE_CONSTANTS,
    PROTOCOL_ALIASES,
    PROTOCOL_CONSTANTS,
    check_protocol,
)
from rheojobs.inference.data.strain_history import constants_of_strain
from rheojobs.inference.data.test_modes import (
    TEST_MODES,
    canonical_test_mode,
    detect_test_mode,
    x_of,
)
from rheojobs.inference.data.units import parse_unit

__all__ = ["Dataset"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Dataset:
    """One measured curve, with all that is needed to fit it.

    Attributes
    ----------
    x : ndarray of float64, shape (n,)
        Time / s, angular frequency / rad s⁻¹ or shear rate / s⁻¹.
    y : ndarray of float64 or complex128, shape (n,)
        The measured quantity in SI units; ``G' + i G''`` / Pa for an oscillation.
    test_mode : str or None
        A member of `TEST_MODES`, or None if it is not known.
    name : str
        The user's name for it, usually the file's name.
    quantity : str
        What `y` is: ``"relaxation modulus"``, ``"shear stress"``, ...
    x_unit, y_unit : str
        The units of the values; empty if unknown.
    protocol : mapping of str to float
        Constants of the test, by `PROTOCOL_CONSTANTS`, in SI units.
    notes : tuple of str
        What the reader recognized, converted or dropped, in plain words.
    sigma : ndarray of float64 or complex128, shape (n,), or None
        The standard deviation of each value of `y`; σ of G' + i σ of G'' for an oscillation.
    conditions : mapping of str to float
        Of the sample: ``"T"`` / K, ``"c"``, or others. No model uses them; results are compared
        against them.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64] | NDArray[np.complex128]
    test_mode: str | None = None
    name: str = ""
    quantity: str = ""
    x_unit: str = ""
    y_unit: str = ""
    protocol: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sigma: NDArray[np.float64] | NDArray[np.complex128] | None = None
    conditions: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A mapping proxy or a user's own mapping may not be picklable.
        object.__setattr__(self, "protocol", dict(self.protocol))
        object.__setattr__(self, "conditions", dict(self.conditions))
        object.__setattr__(self, "notes", tuple(self.notes))

    def __len__(self) -> int:
        return int(self.x.shape[0])

    @classmethod
    def of(
        cls,
        data: object,
        test_mode: str | None = None,
        protocol: Mapping[str, float] | None = None,
    ) -> Dataset:
        """Make a dataset of data in one of several forms; copy and check them.

        Parameters
        ----------
        data : Dataset, object with ``x`` and ``y``, mapping with ``"x"`` and ``"y"``, or pair
            A real `y` of shape (n, 2) is taken as the columns G' and G''.
        test_mode : str, optional
            Overrides the test mode of the data.
        protocol : mapping of str to float, optional
            Constants of the test, added to those of the data, which they override.

        Returns
        -------
        Dataset
            With a `test_mode` of None if it is neither given nor can be inferred from the units.

        Raises
        ------
        InputError
            If `data` is none of these, or as `validate` raises.
        """
        source = _fields_of(data)
        x = numeric(source["x"], "x")
        if np.iscomplexobj(x):
            raise InputError("x is complex: it must be a time, a frequency or a shear rate")
        y = components(source["y"], "y")
        sigma = None if source.get("sigma") is None else components(source["sigma"], "sigma")
        given = test_mode if test_mode is not None else source.get("test_mode")
        known = None if given is None or str(given) in ("", "unknown") else str(given)
        texts = {
            key: str(source.get(key) or "") for key in ("name", "quantity", "x_unit", "y_unit")
        }
        notes = source.get("notes")
        kind = np.complex128 if np.iscomplexobj(y) else np.float64
        mode = None if known is None else canonical_test_mode(known)
        constants = check_protocol(source.get("protocol")) | check_protocol(protocol)
        strain = source.get("strain")
        if mode and strain is not None and not constants.keys() >= set(MODE_CONSTANTS[mode]):
            history = np.asarray(numeric(strain, "strain"), dtype=np.float64)
            constants = constants_of_strain(mode, np.asarray(x, float), history) | constants
        dataset = cls(
            own(x, np.float64),
            own(y, kind),
            mode,
            protocol=constants,
            notes=notes if isinstance(notes, tuple) else (),
            sigma=None if sigma is None else own(sigma, kind),
            conditions=check_conditions(source.get("conditions")),
            **texts,
        )
        dataset.validate()
        if dataset.test_mode is None and (detected := detect_test_mode(dataset)) is not None:
            logger.debug("test mode %s inferred from the units and the values", detected)
            dataset = replace(
                dataset,
                test_mode=detected,
                notes=(*dataset.notes, f"test mode {detected}: told from the units and values"),
            )
            dataset.validate()
        return dataset

    def validate(self) -> None:
        """Raise an `InputError` of one line if these data cannot be fitted."""
        for label, values in (("x", self.x), ("y", self.y)):
            if values.ndim != 1:
                raise InputError(f"{label} must be one-dimensional: its shape is {values.shape}")
        if self.x.size != self.y.size:
            raise InputError(f"x has {self.x.size} values, y has {self.y.size}: they must pair up")
        if self.x.size == 0:
            raise InputError("the data are empty: x and y have no values")
        for label, values in (("x", self.x), ("y", self.y)):
            bad = np.flatnonzero(~np.isfinite(values))
            if bad.size:
                raise InputError(
                    f"{label} has {bad.size} NaN or infinite of {values.size} values, the first "
                    f"at index {bad[0]}: leave these rows out"
                )
        self._check_sigma()
        quantity, _ = x_of(self.test_mode or "")
        zero_allowed = self.test_mode in (None, "startup", "laos")
        bad = np.flatnonzero(self.x < 0 if zero_allowed else self.x <= 0)
        if bad.size:
            what = quantity if self.test_mode else "x"
            raise InputError(
                f"{what} must be {'zero or more' if zero_allowed else 'positive'}: {bad.size} of "
                f"{self.x.size} values are not, the first at index {bad[0]} ({self.x[bad[0]]:g}); "
                "leave these rows out"
            )
        if self.test_mode is None:
            return
        if np.iscomplexobj(self.y) and self.test_mode != "oscillation":
            raise InputError(
                f"y is complex, but {self.test_mode} needs real values: only an oscillation has "
                "G' + iG''"
            )
        if self.test_mode == "oscillation" and not np.iscomplexobj(self.y):
            raise InputError(
                "an oscillation needs G' and G'': y is real; give G' + iG'' or two columns"
            )

    def _check_sigma(self) -> None:
        if self.sigma is None:
            return
        if self.sigma.shape != self.y.shape:
            raise InputError(f"sigma has shape {self.sigma.shape}, y has {self.y.shape}")
        parts = [self.sigma.real, *([self.sigma.imag] if np.iscomplexobj(self.y) else [])]
        bad = np.flatnonzero(~np.all([(part > 0) & np.isfinite(part) for part in parts], axis=0))
        if bad.size:
            is_zero = any(bool((part[bad] == 0).any()) for part in parts)
            why = "a zero is mostly a single reading, or rounded: " if is_zero else ""
            raise InputError(
                f"sigma must be positive and finite: it is not at {bad.size} of {self.y.size} "
                f"points, the first at index {bad[0]}; {why}give the smallest deviation that "
                "the instrument resolves there, or leave these points or sigma out"
            )

    def require_test_mode(self) -> str:
        """Return the test mode, or raise an `InputError` that says how to name it."""
        if self.test_mode is None:
            whose = f" of {self.name}" if self.name else ""
            raise InputError(
                f"the test mode{whose} cannot be inferred from the data: name it with "
                f"{{test_mode}}; known: {', '.join(TEST_MODES)}",
                options=("test_mode",),
            )
        return self.test_mode

    def summary(self) -> str:
        """Describe the data on one line: ``relaxation, 1,799 points, t = 0.2009-4,900 s``."""
        symbol = x_of(self.test_mode)[1] if self.test_mode else "x"
        count = f"{len(self):,} point{'' if len(self) == 1 else 's'}"
        parts = [self.test_mode or "unknown test mode", count]
        if len(self):
            low, high = f"{self.x.min():,.4g}", f"{self.x.max():,.4g}"
            span = low if low == high else f"{low}–{high}"
            parts.append(f"{symbol} = {span} {self.x_unit}".rstrip())
        parts += [f"{key} = {value:g}" for key, value in self.protocol.items()]
        return ", ".join(parts)

    def as_flow_quantity(self, quantity: Literal["stress", "viscosity"]) -> Dataset:
        """Return a flow curve as shear stress / Pa or as viscosity / Pa s.

        Values of unknown quantity are assumed to be of the requested one, with a note.

        Raises
        ------
        InputError
            If this is no flow curve, or `quantity` is neither word.
        """
        if quantity not in ("stress", "viscosity"):
            raise InputError(f"unknown quantity {quantity!r}: {nearest(quantity, _FLOW)}")
        if self.test_mode != "flow_curve":
            raise InputError(
                f"{self.test_mode or 'data of unknown test mode'}: only a flow curve can be "
                f"turned into {quantity}"
            )
        unit = parse_unit(self.y_unit) if self.y_unit else None
        present = next((word for word in _FLOW if word in self.quantity), None)
        if present is None and unit is not None:
            present = {(1, 0): "stress", (1, 1): "viscosity"}.get(unit[1:])
        full, si_unit = _FLOW[quantity]
        if present is None:
            notes = (*self.notes, f"y has no quantity and no unit: taken as {full} / {si_unit}")
            return replace(self, quantity=full, y_unit=si_unit, notes=notes)
        if present == quantity:
            return self
        factor = self.x if quantity == "stress" else 1.0 / self.x
        y, sigma = self.y * factor, None if self.sigma is None else self.sigma * factor
        notes = (*self.notes, f"{full} computed from {_FLOW[present][0]} and shear rate")
        return replace(self, y=y, sigma=sigma, quantity=full, y_unit=si_unit, notes=notes)

    def thin(self, every: int) -> Dataset:
        """Keep every n-th row, beginning with the first; `every` is a count of at least 1."""
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise InputError(f"cannot keep every {every!r}-th row: give a whole number from 1 up")
        if every == 1:
            return self
        x, y = self.x[::every].copy(), self.y[::every].copy()
        sigma = None if self.sigma is None else self.sigma[::every].copy()
        notes = (*self.notes, f"kept {x.size} of {len(self)} rows, 1 in {every}")
        return replace(self, x=x, y=y, sigma=sigma, notes=notes)


_FLOW = {"stress": ("shear stress", "Pa"), "viscosity": ("viscosity", "Pa s")}


def _fields_of(data: object) -> dict[str, object]:
    """Return the fields of any data that `Dataset.of` accepts."""
    if isinstance(data, Dataset):
        return {key: getattr(data, key) for key in Dataset.__dataclass_fields__}
    if isinstance(data, Mapping):
        missing = [key for key in ("x", "y") if key not in data]
        if missing:
            raise InputError(
                f"the data have no {missing[0]!r}: {nearest(missing[0], map(str, data))}"
            )
        return dict(data)
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return {"x": data[0], "y": data[1]}
    x, y = getattr(data, "x", None), getattr(data, "y", None)
    if x is None or y is None:
        raise InputError(
            f"data must be a Dataset, a RheoData, a mapping with 'x' and 'y' or a pair (x, y), "
            f"not {type(data).__name__}; a file is read with rheojobs.read(path)"
        )
    metadata = getattr(data, "metadata", None)
    metadata = metadata if isinstance(metadata, Mapping) else {}
    # RheoData's `test_mode` guesses, with a warning, if none was given: only use a given one.
    said = metadata.get("test_mode") or getattr(data, "_explicit_test_mode", None)
    if said is None and not hasattr(type(data), "test_mode"):
        said = getattr(data, "initial_test_mode", None) or getattr(data, "test_mode", None)
    names = (*PROTOCOL_CONSTANTS, *PROTOCOL_ALIASES)
    protocol = {key: metadata[key] for key in names if metadata.get(key) is not None}
    return {
        "x": x,
        "y": y,
        "test_mode": said,
        "name": metadata.get("name") or metadata.get("sample_name"),
        "x_unit": getattr(data, "x_units", None),
        "y_unit": getattr(data, "y_units", None),
        "protocol": protocol,
        "strain": metadata.get("strain"),
    }
