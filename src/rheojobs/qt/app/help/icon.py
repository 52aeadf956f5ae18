"""The icon of the application, drawn in code: a flow curve with its points."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

__all__ = ["app_icon"]

_SIZES = (16, 24, 32, 48, 64, 128, 256)
_POINTS = ((0.2, 0.74), (0.38, 0.62), (0.57, 0.5), (0.78, 0.24))


def app_icon() -> QIcon:
    """Return the icon, in the sizes that desktops use."""
    icon = QIcon()
    for size in _SIZES:
        icon.addPixmap(_pixmap(size))
    return icon


def _pixmap(size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size, size)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#0a4f7d"))
    painter.drawRoundedRect(QRectF(0.02, 0.02, 0.96, 0.96), 0.2, 0.2)
    curve = QPainterPath(QPointF(0.12, 0.82))
    curve.cubicTo(0.4, 0.66, 0.62, 0.6, 0.88, 0.14)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(QColor("#ffffff"), 0.085)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawPath(curve)
    if size >= 32:  # below, the points would only blur the curve
        painter.setPen(QPen(QColor("#0a4f7d"), 0.03))
        painter.setBrush(QColor("#f0a050"))
        for point in _POINTS:
            painter.drawEllipse(QPointF(*point), 0.085, 0.085)
    painter.end()
    return pixmap
