"""`RunPanel`: the buttons Fit, Sample, Pause and Cancel, with settings, progress and outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rheojobs.engine.events import Progress
from rheojobs.inference.options.option import options_of
from rheojobs.inference.results.thresholds import MIN_ESS
from rheojobs.inference.sampling.options import DRAWS, SampleOptions
from rheojobs.qt.widgets.common.check_boxes import CheckBox
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.option_form import OptionForm
from rheojobs.qt.widgets.common.texts import divergences_text, number
from rheojobs.qt.widgets.jobs.chain_bars import ChainBars
from rheojobs.qt.widgets.settings.options_dialog import OptionsDialog

__all__ = ["RunPanel"]

_SAMPLING = options_of(SampleOptions)
_COUNTS = ("num_warmup", "num_samples", "num_chains")
_SHOWN = {*_COUNTS, "likelihood", "until_ess"}

_LINES = 3
"""Height of the outcome in lines: longer messages are scrolled."""


class _Flowing(QWidget):
    """The inside of a scroll area whose height follows from its width alone."""

    def minimumSizeHint(self) -> QSize:
        """Return none: wrapped text would be counted as if it were narrow."""
        return QSize(0, 0)


class RunPanel(QWidget):
    """The buttons of a run, its settings and its progress. It starts nothing itself.

    Its height is the same before, during and after a run, so that no button moves away.

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
    options : OptionsDialog
        All other options, and the settings of the model.
    options_button : QToolButton
        Opens and closes `options`; its text counts those that differ from the defaults.
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
        self.options = OptionsDialog(_SHOWN, self)
        self.options_button = self._options_button()
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
        goodness.addWidget(self.options_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self._counts)
        layout.addWidget(self._noise)
        layout.addLayout(goodness)
        layout.addWidget(self._outcome())
        self._running = self._paused = False
        self.set_ready(False)
        self._count_options()
        self._show_progress(False, False)

    def until_ess(self) -> float | None:
        """Return the ESS that ends a sampling; None if all draws are wanted."""
        draws = self.draws.value() or None
        return SampleOptions(num_samples=draws, until_ess=self._given_ess()).wanted_ess

    def fit_options(self) -> dict[str, Any]:
        """Return the options of a fit that differ from the default; may raise `InputError`."""
        self.options.check_model()
        return self.options.fit_options()

    def sample_options(self) -> dict[str, Any]:
        """Return the options of a sampling that differ from the default; may raise `InputError`."""
        self.options.check_model()
        chosen = self._counts.values() | self._noise.values() | self.options.sample_options()
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
        for widget in (self._counts, self._noise):
            widget.setEnabled(not self._running)
        self.options.set_locked(self._running)
        self.stop_when_good.setEnabled(not self._running)
        self.good_ess.setEnabled(not self._running and self.stop_when_good.isChecked())
        self.busy.setRange(0, 1 if self._paused else 0)

    def _show_progress(self, running: bool, is_sampling: bool) -> None:
        self.status.setVisible(running)
        self.busy.setVisible(running and not is_sampling)
        self.chain_bars.setVisible(running and is_sampling)

    def _outcome(self) -> QScrollArea:
        """Return the part with the progress or the outcome, of a height that never changes."""
        inside = _Flowing(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.status, self.busy, self.chain_bars, self.message):
            column.addWidget(widget)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        area.setFixedHeight(_LINES * self.fontMetrics().lineSpacing() + 14)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _options_button(self) -> QToolButton:
        """Return the button that opens the dialog of all other options, or closes it."""
        button = QToolButton(self)
        button.setCheckable(True)
        button.toggled.connect(self.options.setVisible)
        self.options.finished.connect(lambda _: button.setChecked(False))
        self.options.changed.connect(self._count_options)
        return button

    def _count_options(self) -> None:
        """Show how many options differ from the defaults, so that none is hidden."""
        told = self.options.differing()
        words = self.tr("&Options ({count})").format(count=len(told))
        self.options_button.setText(words if told else self.tr("&Options"))
        hint = self.tr("All options of fits and samplings, and the settings of the model")
        self.options_button.setToolTip("\n".join((hint, *told)))

    def _button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(hint)
        return button
