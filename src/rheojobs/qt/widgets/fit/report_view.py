"""`FitReportView`: the full report of a fit: outcome, warnings, parameters, fit diagnostics."""

from __future__ import annotations

import math
import re
from html import escape

from qtpy.QtCore import QEvent
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QTextBrowser, QWidget

from rheojobs.inference.expressions.parameter_symbols import parameter_symbol, with_symbols
from rheojobs.inference.results.fit_report import facts, remark
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.common.colors import alarm, caution, good, muted
from rheojobs.qt.widgets.common.texts import estimate, number, sentence, unit_text

__all__ = ["FitReportView"]


class FitReportView(QTextBrowser):
    """The report of one fit, which can be scrolled, selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: FitResult | None = None
        self.setOpenLinks(False)
        self.setAccessibleName(self.tr("Report of the fit"))
        self.setPlaceholderText(self.tr("Fit a model to see its report (F5)"))
        self.document().setDocumentMargin(8)

    def show_result(self, result: FitResult | None) -> None:
        """Show a result, or nothing."""
        self._result = result
        self.setHtml("" if result is None else self._html(result))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._result is not None:
            self.show_result(self._result)

    def _html(self, result: FitResult) -> str:
        palette = self.palette()
        concerns = result.concerns
        if not result.success:
            word, color = self.tr("not converged"), alarm(palette)
        elif concerns:
            word, color = self.tr("converged, with warnings"), caution(palette)
        else:
            word, color = self.tr("converged"), good(palette)
        parts = [f"<b>{escape(result.model_name)}</b> – {_span(word, color)}"]
        parts += [
            _span(f"⚠ {sentence(text, result.parameters)}", caution(palette)) for text in concerns
        ]
        head = "".join(f"<p style='margin: 0 0 6px 0'>{part}</p>" for part in parts)
        return head + self._parameters(result) + self._facts(result)

    def _parameters(self, result: FitResult) -> str:
        rows = []
        for name, value in result.parameters.items():
            error = result.uncertainties.get(name, math.nan)
            settled = name in result.fixed or math.isnan(error)
            spread = "" if settled else f"± {number(error, 2, trim=False)}"
            low_high = result.intervals.get(name)
            if low_high is not None:
                spread += f" ({number(low_high[0])} … {number(low_high[1])})"
            remarked = remark(result, name)
            told = with_symbols(remarked, result.parameters)
            rows.append(
                _row(
                    f"<b>{escape(parameter_symbol(name))}</b>",
                    escape(number(value) if settled else estimate(value, error)),
                    escape(spread),
                    escape(unit_text(result.units.get(name, ""))),
                    told if remarked in ("", "fixed") else _span(told, caution(self.palette())),
                )
            )
        return _table(rows)

    def _facts(self, result: FitResult) -> str:
        color = muted(self.palette())
        return _table([_row(_span(what, color), _said(text)) for what, text in facts(result)])


def _said(text: str) -> str:
    """Write negative numbers with a minus sign, as elsewhere in the window."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", escape(text))


def _span(text: str, color: QColor) -> str:
    shade = f"rgba({color.red()}, {color.green()}, {color.blue()}, {color.alphaF():.2f})"
    return f"<span style='color: {shade}'>{escape(text)}</span>"


def _row(*cells: str) -> str:
    tds = "".join(f"<td style='padding: 1px 12px 1px 0'>{cell}</td>" for cell in cells)
    return f"<tr>{tds}</tr>"


def _table(rows: list[str]) -> str:
    return f"<table cellspacing='0' style='margin-bottom: 6px'>{''.join(rows)}</table>"
