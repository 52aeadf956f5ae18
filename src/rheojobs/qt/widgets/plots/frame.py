"""`Frame`: what the axes of the data plot show, and how data and curves are brought into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.axis_labels import x_label, y_label, y_symbol
from rheojobs.inference.data.axis_scales import are_logarithmic
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.curves import Curve, components
from rheojobs.inference.results.oscillation_views import VIEWS, OscillationView

__all__ = ["Frame"]

type _Values = NDArray[np.float64]
type _Points = tuple[_Values, tuple[_Values, ...]]


@dataclass(frozen=True, eq=False)
class Frame:
    """The quantities and scales of the axes.

    Attributes
    ----------
    view : OscillationView or None
        The view of an oscillation; None for other data.
    x_label, y_label : str
        With units.
    symbols : tuple of str
        The components.
    log : (bool, bool)
        Whether x and y are logarithmic.
    """

    view: OscillationView | None
    x_label: str
    y_label: str
    symbols: tuple[str, ...]
    log: tuple[bool, bool]

    @classmethod
    def of(cls, data: Dataset, view: OscillationView, wanted_log: bool | None) -> Frame:
        """Return the frame of data; `view` counts if they are an oscillation.

        Parameters
        ----------
        data : Dataset
            The data.
        view : OscillationView
            What is shown of an oscillation.
        wanted_log : bool or None
            Whether both axes are logarithmic; None for as usual.
        """
        if np.iscomplexobj(data.y) and not view.is_modulus_view:
            log = view.log if wanted_log is None else (wanted_log, wanted_log)
            return cls(view, view.x_label, view.y_label, view.symbols, log)
        is_complex = np.iscomplexobj(data.y)
        values = np.concatenate(components(data.y))
        usual = are_logarithmic(data.test_mode, data.x, values)
        return cls(
            view if is_complex else None,
            x_label(data.test_mode, data.x_unit),
            y_label(data.test_mode, data.quantity, data.y_unit),
            view.symbols if is_complex else (y_symbol(data.test_mode, data.quantity),),
            usual if wanted_log is None else (wanted_log, wanted_log),
        )

    @property
    def shows_x(self) -> bool:
        """Whether the axis of x is that of the data."""
        return self.view is None or self.view.x_label == VIEWS[0].x_label

    @property
    def shows_y(self) -> bool:
        """Whether the data are shown as they are measured, so that bands can be drawn."""
        return self.view is None or self.view.is_modulus_view

    def points(self, data: Dataset) -> _Points:
        """Return x and the components of data."""
        return self._viewed(data.x, tuple(components(data.y)))

    def line(self, curve: Curve) -> _Points:
        """Return x and the components of a curve, in the order of the curve."""
        return self._viewed(curve.x, curve.parts)

    def visible(self, x: _Values, y: _Values) -> NDArray[np.bool_]:
        """Return which points the axes can show."""
        shown = np.isfinite(x) & np.isfinite(y)
        for values, is_log in zip((x, y), self.log, strict=True):
            shown &= values > 0 if is_log else True
        return shown

    def scaled(self, x: _Values, y: _Values) -> tuple[_Values, _Values]:
        """Return points in the coordinates of the axes: logarithms, if they are logarithmic."""
        x, y = (
            np.log10(values) if is_log else values
            for values, is_log in zip((x, y), self.log, strict=True)
        )
        return x, y

    def _viewed(self, x: _Values, parts: tuple[_Values, ...]) -> _Points:
        return (x, parts) if self.view is None else self.view.points(x, *parts)
