"""`PosteriorView`: the convergence and the draws of a sampling, live and afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QTabWidget, QVBoxLayout, QWidget

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.thresholds import MIN_ESS
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.refresh import Refresher
from rheojobs.qt.widgets.common.texts import divergences_text, duration, number, sentence
from rheojobs.qt.widgets.posterior.convergence_table import ConvergenceTable
from rheojobs.qt.widgets.posterior.pairs_plot import PairsPlot
from rheojobs.qt.widgets.posterior.rank_plot import RankPlot
from rheojobs.qt.widgets.posterior.traces_plot import PosteriorPlot

__all__ = ["PosteriorView"]

_NUMBERS = ("r_hat", "ess_bulk", "ess_tail", "mean", "std")


class PosteriorView(QWidget):
    """The page of a sampling.

    Attributes
    ----------
    status : QLabel
        Draws, divergences, acceptance, step size and depth of the trees.
    message : MessageBar
        Warnings about the draws.
    table : ConvergenceTable
        R-hat and ESS.
    plot : PosteriorPlot
        Traces and marginals.
    pairs, ranks : PairsPlot, RankPlot
        Plots of a sampling that has ended.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status = QLabel(self)
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setAccessibleName(self.tr("How far the sampling is"))
        self.status.setContentsMargins(8, 6, 8, 0)
        self.message = MessageBar(self)
        self.table = ConvergenceTable(self)
        self.plot = PosteriorPlot(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.status, self.message, self.table):
            layout.addWidget(widget)
        self.pairs = PairsPlot()
        self.ranks = RankPlot()
        self.pages = QTabWidget(self)
        self.pages.setDocumentMode(True)
        self.pages.addTab(self.plot, self.tr("Traces"))
        self.pages.addTab(self.pairs, self.tr("Pairs"))
        self.pages.addTab(self.ranks, self.tr("Ranks"))
        layout.addWidget(self.pages, 1)
        self._units: Mapping[str, str] = {}
        self._wanted = MIN_ESS
        self._metrics: dict[str, Any] = {}
        self._traces: tuple[Any, Any] | None = None
        self._is_preview = False
        self._refresher = Refresher(self._draw, self)
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self._refresher.cancel()
        self._metrics, self._traces = {}, None
        self._is_preview = False
        for page in (self.plot, self.pairs, self.ranks):
            page.clear()
        self.message.clear()
        self.status.hide()
        self.table.hide()

    def prepare(self, count: int) -> None:
        """Make the widgets for this number of parameters, before their draws come."""
        self.plot.prepare(count)

    def begin(self, units: Mapping[str, str], wanted_ess: float | None) -> None:
        """Show that a sampling begins; the units are those of the parameters."""
        self.clear()
        self._units, self._wanted = units, wanted_ess or MIN_ESS
        self.pages.setCurrentWidget(self.plot)
        self.status.setText(self.tr("Waiting for the first draws"))
        self.status.show()

    def take_progress(self, metrics: Mapping[str, Any]) -> None:
        """Take the progress of a running sampling; it is drawn soon."""
        if "chains" not in metrics and "preview" not in metrics:
            return
        self._metrics = dict(metrics)
        if "traces" in metrics:
            self._traces = metrics["traces"], metrics["trace_draws"]
        self._refresher.request()

    def show_result(self, result: BayesianResult) -> None:
        """Show the draws of a sampling."""
        self._refresher.cancel()
        self.status.setText(self._result_text(result))
        self.status.show()
        numbers = {
            key: {name: row[key] for name, row in result.summary.items()} for key in _NUMBERS
        }
        self.table.show_numbers(numbers, result.units, self._wanted)
        self.table.show()
        self._is_preview = False
        self._tell(result)
        self.plot.show_posterior(result)
        self.pairs.show_result(result)
        self.ranks.show_result(result)

    def end(self) -> None:
        """Show that the sampling has ended."""
        self._refresher.cancel()
        if self.table.isHidden() or self._is_preview:
            self.clear()

    def _tell(self, result: BayesianResult) -> None:
        if concerns := result.concerns:
            said = (sentence(text, result.posterior_samples) for text in concerns)
            self.message.say("warning", "\n".join(said))
        else:
            self.message.clear()

    def _draw(self) -> None:
        self.status.setText(self._live_text(self._metrics))
        if self._metrics.get("r_hat"):
            numbers = {key: self._metrics[key] for key in _NUMBERS}
            self.table.show_numbers(numbers, self._units, self._wanted)
            self.table.show()
            self._is_preview = False
        elif summary := self._metrics.get("preview", {}).get("summary"):
            self.table.show_preview(summary, self._units)
            self.table.show()
            self._is_preview = True
        if self._traces is not None:
            traces, at = self._traces
            self._traces = None
            self.plot.show_traces(traces, at, self._units)

    def _live_text(self, metrics: Mapping[str, Any]) -> str:
        parts = self._chain_texts(metrics) if "chains" in metrics else []
        if preview := metrics.get("preview"):
            parts.append(str(preview["words"]))
        return " · ".join(parts)

    def _chain_texts(self, metrics: Mapping[str, Any]) -> list[str]:
        warmup = int(metrics["num_warmup"])
        drawn = [max(0, int(done) - warmup) for done in metrics["chains"]]
        warming = any(done < warmup for done in metrics["chains"])
        if warming:
            steps = ", ".join(str(min(int(done), warmup)) for done in metrics["chains"])
            first = self.tr("Warm-up: {steps} of {total} steps").format(steps=steps, total=warmup)
        else:
            counts = ", ".join(str(count) for count in drawn)
            first = self.tr("Draws of each chain: {counts}").format(counts=counts)
        parts = [first, divergences_text(int(metrics["divergences"]))]
        if metrics.get("acceptance"):
            parts += [
                self.tr("acceptance {values}").format(values=_each(metrics["acceptance"], 2)),
                self.tr("step size {values}").format(values=_each(metrics["step_size"], 2)),
                self.tr("tree depth {values}").format(values=_each(metrics["tree_depth"], 2)),
            ]
        return parts

    def _result_text(self, result: BayesianResult) -> str:
        parts = [
            self.tr("{chains} × {draws} draws in {time}").format(
                chains=result.num_chains,
                draws=result.num_samples,
                time=duration(result.sampling_time),
            ),
            divergences_text(int(result.diagnostics["divergences"])),
        ]
        acceptance = result.diagnostics.get("acceptance")
        if acceptance is not None:
            values = acceptance if isinstance(acceptance, list | tuple) else [acceptance]
            parts.append(self.tr("acceptance {values}").format(values=_each(values, 2)))
        if starts := result.diagnostics.get("starts"):
            parts.append(self.tr("started {words}").format(words=starts["words"]))
        return " · ".join(parts)


def _each(values: Sequence[float], digits: int) -> str:
    """Write one number if all are equal, else the smallest and the largest."""
    low, high = (number(end, digits) for end in (min(values), max(values)))
    return low if low == high else f"{low}–{high}"
