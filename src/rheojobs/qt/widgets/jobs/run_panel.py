"""`RunPanel`: the buttons Fit, Sample, Pause and Cancel, with settings, progress and outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rheojobs.engine.events import Progress
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.options.option import options_of
from rheojobs.inference.results.thresholds import MIN_ESS
from rheojobs.inference.sampling.options import DRAWS, SampleOptions
from rheojobs.qt.widgets.common.check_boxes import CheckBox
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.option_form import OptionForm, has_field
from rheojobs.qt.widgets.common.texts import divergences_text, number

__all__ = ["ChainBars", "RunPanel"]

_SAMPLING = options_of(SampleOptions)
_COUNTS = ("num_warmup", "num_samples", "num_chains")
_SHOWN = {*_COUNTS, "likelihood", "until_ess"}
_MORE_SAMPLING = [o for name, o in _SAMPLING.items() if has_field(o) and name not in _SHOWN]
_MORE_FIT = [option for option in options_of(FitOptions).values() if has_field(option)]


class ChainBars(QWidget):
    """A thin progress bar per chain, with its count of steps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._bars: list[QProgressBar] = []
        self._counts: list[QLabel] = []

    def set_chains(self, count: int, total: int) -> None:
        """Show bars for the chains, of `total` steps each."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._bars, self._counts = [], []
        for chain in range(count):
            name = QLabel(self.tr("Chain {number}").format(number=chain + 1), self)
            bar = QProgressBar(self)
            bar.setTextVisible(False)
            bar.setFixedHeight(8)
            bar.setRange(0, max(total, 1))
            bar.setAccessibleName(name.text())
            steps = QLabel(f"0 / {total}", self)
            steps.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            widest = f"{total} / {total}"
            steps.setMinimumWidth(steps.fontMetrics().horizontalAdvance(widest))
            for column, widget in enumerate((name, bar, steps)):
                self._grid.addWidget(widget, chain, column)
            self._bars.append(bar)
            self._counts.append(steps)
        self._grid.setColumnStretch(1, 1)

    def set_progress(self, chain: int, done: int, total: int) -> None:
        """Show that a chain has taken `done` of `total` steps."""
        if chain < len(self._bars):
            self._bars[chain].setRange(0, max(total, 1))
            self._bars[chain].setValue(done)
            self._counts[chain].setText(f"{done} / {total}")

    def counts(self) -> list[int]:
        """Return the steps of each chain."""
        return [bar.value() for bar in self._bars]


class RunPanel(QWidget):
    """The buttons of a run, its settings and its progress. It starts nothing itself.

    Attributes
    ----------
    fit_button, sample_button, pause_button, cancel_button : QPushButton
        The window connects them; the text of `pause_button` changes with the run.
    warmup, draws, chains : QSpinBox
        The settings of a sampling.
    noise : QComboBox
        The likelihood of a sampling.
    stop_when_good : CheckBox
        Whether a sampling ends when each parameter has an ESS of `good_ess`.
    status : QLabel
        What is being done.
    message : MessageBar
        The outcome of the last run.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fit_button = self._button(self.tr("&Fit"), self.tr("Fit the model"))
        self.sample_button = self._button(
            self.tr("Sa&mple"), self.tr("Sample the posterior, starting from the fit")
        )
        self.pause_button = self._button(self.tr("&Pause"), self.tr("Pause the job"))
        self.cancel_button = self._button(self.tr("&Cancel"), self.tr("Stop the job"))
        self._counts = OptionForm([_SAMPLING[name] for name in _COUNTS], 3, self)
        self.warmup, self.draws, self.chains = (self._counts.field(name) for name in _COUNTS)
        self.draws.setSpecialValueText(self.tr("as needed"))
        self.draws.setSingleStep(100)
        self._noise = OptionForm([_SAMPLING["likelihood"]], 1, self)
        self.noise: QComboBox = self._noise.field("likelihood")
        narrow = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.noise.setSizeAdjustPolicy(narrow)  # its words grow with the data
        self.more_fit = OptionForm(_MORE_FIT, 2, self)
        self.more_sampling = OptionForm(_MORE_SAMPLING, 2, self)
        self.more = self._more_button()
        self.stop_when_good = CheckBox(self.tr("Stop when &good: ESS of"), self)
        self.stop_when_good.setToolTip(
            self.tr(
                "Draw until each parameter has this many independent draws and the chains agree: "
                "fewer than the draws above, or up to ten times as many"
            )
        )
        self.good_ess = QSpinBox(self)
        self.good_ess.setRange(1, 1_000_000)
        self.good_ess.setSingleStep(100)
        self.good_ess.setValue(int(MIN_ESS))
        self.good_ess.setAccessibleName(_SAMPLING["until_ess"].label)
        self.stop_when_good.toggled.connect(lambda _: self._enable())
        self.status = QLabel(self)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.status.setAccessibleName(self.tr("Status"))
        self.busy = QProgressBar(self)
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.busy.setFixedHeight(8)
        self.busy.setAccessibleName(self.tr("At work"))
        self.chain_bars = ChainBars(self)
        self.message = MessageBar(self)
        self._told: tuple[str, int] = ("", 0)
        buttons = QHBoxLayout()
        for button in (
            self.fit_button,
            self.sample_button,
            self.pause_button,
            self.cancel_button,
        ):
            buttons.addWidget(button, 1)
        goodness = QHBoxLayout()
        goodness.addWidget(self.stop_when_good)
        goodness.addWidget(self.good_ess)
        goodness.addStretch(1)
        goodness.addWidget(self.more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self._counts)
        layout.addWidget(self._noise)
        layout.addLayout(goodness)
        for widget in (self.status, self.busy, self.chain_bars, self.message):
            layout.addWidget(widget)
        self._running = self._paused = False
        self.set_ready(False)
        self._show_progress(False, False)

    def until_ess(self) -> float | None:
        """Return the ESS that ends a sampling; None if all draws are wanted."""
        draws = self.draws.value() or None
        return SampleOptions(num_samples=draws, until_ess=self._given_ess()).wanted_ess

    def fit_options(self) -> dict[str, Any]:
        """Return the options of a fit that differ from the default; may raise `InputError`."""
        return self.more_fit.values()

    def sample_options(self) -> dict[str, Any]:
        """Return the options of a sampling that differ from the default; may raise `InputError`."""
        chosen = self._counts.values() | self._noise.values() | self.more_sampling.values()
        return chosen | ({} if (ess := self._given_ess()) is None else {"until_ess": ess})

    def _given_ess(self) -> float | None:
        return float(self.good_ess.value()) if self.stop_when_good.isChecked() else None

    def suit_noise(self, likelihood: str, reason: str) -> None:
        """Show which likelihood suits the data, and why; it is used unless another is chosen."""
        self.noise.setItemText(0, self.tr("as suits the data: {noise}").format(noise=likelihood))
        self.noise.setItemData(0, f"{reason[:1].upper()}{reason[1:]}.", Qt.ItemDataRole.ToolTipRole)

    def set_ready(self, ready: bool) -> None:
        """Set whether there are data and a model."""
        self._ready = ready
        self._enable()

    def begin_fit(self, name: str) -> None:
        """Show that a fit was started."""
        self._begin(self.tr("{name}: waiting for a worker").format(name=name), False)

    def begin_sampling(self, name: str) -> None:
        """Show that a sampling was started."""
        draws = self.draws.value() or DRAWS
        self.chain_bars.set_chains(self.chains.value(), self.warmup.value() + draws)
        self._told = ("", 0)
        self._begin(self.tr("{name}: waiting for a worker").format(name=name), True)

    def set_status(self, text: str) -> None:
        """Show what is being done."""
        self.status.setText(text)

    def take_progress(self, progress: Progress) -> None:
        """Show the progress of a fit or a sampling."""
        if progress.stage == "fit":
            self._tell_iteration(progress.current, float(progress.metrics["loss"]))
        elif progress.stage in ("warmup", "sampling"):
            self._tell_sampling(progress.stage, progress.metrics)
        else:
            self.status.setText(progress.message)

    def set_paused(self, paused: bool) -> None:
        """Show that the run is paused, or resumed."""
        self._paused = paused and self._running
        self._enable()
        if self._paused:
            self.status.setText(self.tr("Paused"))

    def end(self) -> None:
        """Show that the run has ended."""
        self._running = self._paused = False
        self._enable()
        self._show_progress(False, False)

    def _begin(self, text: str, is_sampling: bool) -> None:
        self._running, self._paused = True, False
        self.message.clear()
        self.status.setText(text)
        self._enable()
        self._show_progress(True, is_sampling)

    def _tell_iteration(self, iteration: int, loss: float) -> None:
        words = self.tr("Iteration {iteration}, loss {loss}")
        self.status.setText(words.format(iteration=iteration, loss=number(loss)))

    def _tell_sampling(self, stage: str, metrics: Mapping[str, Any]) -> None:
        total = metrics["num_warmup"] + metrics["num_samples"]
        for chain, done in enumerate(metrics["chains"]):
            self.chain_bars.set_progress(chain, done, total)
        if (stage, metrics["divergences"]) != self._told:  # else "Stopping…" stays
            self._told = stage, metrics["divergences"]
            name = self.tr("Warm-up") if stage == "warmup" else self.tr("Sampling")
            self.status.setText(f"{name}, {divergences_text(metrics['divergences'])}")

    def _enable(self) -> None:
        can_start = self._ready and not self._running
        self.fit_button.setEnabled(can_start)
        self.sample_button.setEnabled(can_start)
        self.cancel_button.setEnabled(self._running)
        self.pause_button.setEnabled(self._running)
        self.pause_button.setText(self.tr("&Resume") if self._paused else self.tr("&Pause"))
        settings = (self._counts, self._noise, self.more_fit, self.more_sampling)
        for widget in settings:
            widget.setEnabled(not self._running)
        self.stop_when_good.setEnabled(not self._running)
        self.good_ess.setEnabled(not self._running and self.stop_when_good.isChecked())
        self.busy.setRange(0, 1 if self._paused else 0)

    def _show_progress(self, running: bool, is_sampling: bool) -> None:
        self.status.setVisible(running)
        self.busy.setVisible(running and not is_sampling)
        self.chain_bars.setVisible(running and is_sampling)

    def _more_button(self) -> QToolButton:
        """Return the button that opens the dialog of the less common options, or closes it."""
        dialog = QDialog(self)
        dialog.setWindowTitle(self.tr("More options"))
        layout = QVBoxLayout(dialog)
        for title, form in (
            (self.tr("Fit"), self.more_fit),
            (self.tr("Sample"), self.more_sampling),
        ):
            group = QGroupBox(title, dialog)
            QVBoxLayout(group).addWidget(form)
            layout.addWidget(group)
        button = QToolButton(self)
        button.setText(self.tr("More &options"))
        button.setCheckable(True)
        button.toggled.connect(dialog.setVisible)
        dialog.finished.connect(lambda _: button.setChecked(False))
        return button

    def _button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(hint)
        return button
