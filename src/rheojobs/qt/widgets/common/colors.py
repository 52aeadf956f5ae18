"""Colours that can be distinguished on light and dark backgrounds, also by the colour-blind."""

from __future__ import annotations

from qtpy.QtGui import QColor, QPalette

__all__ = ["alarm", "caution", "good", "is_dark", "muted", "series"]

# After M. Okabe and K. Ito, Color Universal Design (2008).
_ON_LIGHT = ("#0072b2", "#c2500a", "#00845f", "#a8528a", "#6b6b6b", "#8a6d00")
_ON_DARK = ("#56b4e9", "#f0a050", "#2fc79b", "#d98cbc", "#b8b8b8", "#f0e442")


def is_dark(palette: QPalette) -> bool:
    """Return whether text is drawn on a dark background."""
    return palette.color(QPalette.ColorRole.Base).lightness() < 128


def series(palette: QPalette, index: int, alpha: int = 255) -> QColor:
    """Return the colour of the `index`-th curve; they repeat."""
    colors = _ON_DARK if is_dark(palette) else _ON_LIGHT
    color = QColor(colors[index % len(colors)])
    color.setAlpha(alpha)
    return color


def muted(palette: QPalette) -> QColor:
    """Return the colour of secondary text."""
    text = QColor(palette.color(QPalette.ColorRole.Text))
    text.setAlpha(165)
    return text


def alarm(palette: QPalette) -> QColor:
    """Return the colour of numbers that need attention."""
    return QColor("#ff8a7a" if is_dark(palette) else "#b3261e")


def caution(palette: QPalette) -> QColor:
    """Return the colour of warnings."""
    return QColor("#f0b84a" if is_dark(palette) else "#8a5300")


def good(palette: QPalette) -> QColor:
    """Return the colour of good numbers."""
    return QColor("#5fd3a5" if is_dark(palette) else "#00704a")
