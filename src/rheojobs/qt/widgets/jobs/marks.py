"""Marks drawn in code, for the states of jobs and for the buttons of their actions.

They are drawn in the colours of the palette, so they need no pictures for light and dark.
"""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

__all__ = ["MARKS", "draw_mark"]

_LINE = 0.13
"""The width of a line, as a fraction of the side of a mark."""


def draw_mark(painter: QPainter, name: str, rect: QRectF, color: QColor) -> None:
    """Draw a mark in the largest square in the middle of `rect`; `name` is one of `MARKS`."""
    side = min(rect.width(), rect.height())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.center().x() - side / 2, rect.center().y() - side / 2)
    painter.scale(side, side)
    pen = QPen(color, _LINE)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines, filled = _PATHS[name]()
    painter.drawPath(lines)
    painter.fillPath(filled, color)
    painter.restore()


def _lines(*parts: tuple[tuple[float, float], ...]) -> QPainterPath:
    path = QPainterPath()
    for first, *others in parts:
        path.moveTo(*first)
        for point in others:
            path.lineTo(*point)
    return path


def _area(*points: tuple[float, float]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(*point) for point in points]))
    path.closeSubpath()
    return path


def _ring() -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QRectF(0.14, 0.14, 0.72, 0.72))
    return path


_Shape = tuple[QPainterPath, QPainterPath]
_NOTHING = QPainterPath


def _play() -> _Shape:
    return _NOTHING(), _area((0.22, 0.1), (0.9, 0.5), (0.22, 0.9))


def _pause() -> _Shape:
    path = QPainterPath()
    path.addRect(QRectF(0.2, 0.14, 0.22, 0.72))
    path.addRect(QRectF(0.58, 0.14, 0.22, 0.72))
    return _NOTHING(), path


def _stop() -> _Shape:
    path = QPainterPath()
    path.addRect(QRectF(0.18, 0.18, 0.64, 0.64))
    return _NOTHING(), path


def _check() -> _Shape:
    return _lines(((0.12, 0.54), (0.4, 0.82), (0.88, 0.2))), _NOTHING()


def _cross() -> _Shape:
    return _lines(((0.18, 0.18), (0.82, 0.82)), ((0.18, 0.82), (0.82, 0.18))), _NOTHING()


def _waits() -> _Shape:
    return _ring(), _NOTHING()


def _blocked() -> _Shape:
    path = _ring()
    path.addPath(_lines(((0.32, 0.5), (0.68, 0.5))))
    return path, _NOTHING()


def _slashed() -> _Shape:
    path = _ring()
    path.addPath(_lines(((0.26, 0.74), (0.74, 0.26))))
    return path, _NOTHING()


def _broken() -> _Shape:
    half = QPainterPath(QPointF(0.5, 0.14))
    half.arcTo(QRectF(0.14, 0.14, 0.72, 0.72), 90, 180)
    half.closeSubpath()
    return _ring(), half


def _again() -> _Shape:
    path = QPainterPath()
    path.arcMoveTo(QRectF(0.16, 0.18, 0.68, 0.68), 60)
    path.arcTo(QRectF(0.16, 0.18, 0.68, 0.68), 60, 285)
    return path, _area((0.5, 0.02), (0.86, 0.2), (0.52, 0.42))


def _bin() -> _Shape:
    path = _lines(
        ((0.12, 0.26), (0.88, 0.26)),
        ((0.38, 0.24), (0.38, 0.1), (0.62, 0.1), (0.62, 0.24)),
        ((0.22, 0.28), (0.28, 0.92), (0.72, 0.92), (0.78, 0.28)),
    )
    return path, _NOTHING()


def _show() -> _Shape:
    path = _lines(
        ((0.1, 0.1), (0.1, 0.9), (0.92, 0.9)),
        ((0.28, 0.7), (0.48, 0.4), (0.64, 0.54), (0.88, 0.18)),
    )
    return path, _NOTHING()


def _save() -> _Shape:
    path = _lines(((0.1, 0.62), (0.1, 0.9), (0.9, 0.9), (0.9, 0.62)), ((0.5, 0.08), (0.5, 0.5)))
    return path, _area((0.26, 0.42), (0.74, 0.42), (0.5, 0.72))


def _details() -> _Shape:
    rows = (0.2, 0.5, 0.8)
    dots = QPainterPath()
    for y in rows:
        dots.addEllipse(QPointF(0.14, y), 0.08, 0.08)
    return _lines(*(((0.36, y), (0.92, y)) for y in rows)), dots


_PATHS: dict[str, Callable[[], _Shape]] = {
    "play": _play,
    "pause": _pause,
    "stop": _stop,
    "check": _check,
    "cross": _cross,
    "waits": _waits,
    "blocked": _blocked,
    "slashed": _slashed,
    "broken": _broken,
    "again": _again,
    "bin": _bin,
    "show": _show,
    "save": _save,
    "details": _details,
}

MARKS = tuple(_PATHS)
"""The names of the marks."""
