"""Fit, Sample, Pause and Cancel, how far they are, and how they ended. Starts nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from rheojobs.engine.events import Progress
from rheojobs.inference.posterior.likelihood_names import LIKELIHOODS
from rheojobs.inference.results.diagnostics import MIN_ESS
from rheojobs.qt.widgets.common.check_boxes import CheckBox
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.texts import divergences_text, number

__all__ = ["ChainBars", "RunPanel"]


class ChainBars(QWidget):
    """One thin bar per chain, with its count of steps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._bars: list[QProgressBar] = []
        self._counts: list[QLabel] = []

    def set_chains(self, count: int, total: int) -> None:
        """Begin with so many chains, of `total` steps each."""
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
        """Give the steps of each chain."""
        return [bar.value() for bar in self._bars]


class RunPanel(QWidget):
    """The buttons of a run, its settings and its progress.

    Attributes
    ----------
    fit_button, sample_button, pause_button, cancel_button : QPushButton
        To be connected to what they do; `pause_button` says what it does now.
    warmup, draws, chains : QSpinBox
        The settings of a sampling.
    noise : QComboBox
        How a sampling takes the data to scatter; `likelihood` gives the choice.
    stop_when_good : CheckBox
        Whether a sampling ends when its draws are good, and `good_ess` says how good.
    status : QLabel
        What is being done now.
    message : MessageBar
        How the last run ended.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fit_button = self._button(self.tr("&Fit"), self.tr("Fit the model (Ctrl+F)"))
        self.sample_button = self._button(
            self.tr("Sa&mple"), self.tr("Sample the posterior, from the fit on (Ctrl+B)")
        )
        self.pause_button = self._button(self.tr("&Pause"), self.tr("Let what runs wait (Ctrl+P)"))
        self.cancel_button = self._button(self.tr("&Cancel"), self.tr("Stop what runs (Esc)"))
        self.warmup = self._number(self.tr("Warm-up"), 500, 0, 100_000)
        self.draws = self._number(self.tr("Draws"), 1000, 1, 1_000_000)
        self.chains = self._number(self.tr("Chains"), 4, 1, 16)
        self.noise = self._noise_choice()
        self.stop_when_good = CheckBox(self.tr("Stop when &good: ESS of"), self)
        self.stop_when_good.setToolTip(
            self.tr(
                "Draw until each parameter has so many independent draws and the chains agree: "
                "fewer than the draws above, or up to ten times as many"
            )
        )
        self.good_ess = self._number(self.tr("Wanted ESS"), int(MIN_ESS), 1, 1_000_000)
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
        self._suited: str | None = None
        self._told: tuple[str, int] = ("", 0)
        buttons = QHBoxLayout()
        for button in (
            self.fit_button,
            self.sample_button,
            self.pause_button,
            self.cancel_button,
        ):
            buttons.addWidget(button, 1)
        settings = QHBoxLayout()
        for spin in (self.warmup, self.draws, self.chains):
            label = QLabel(spin.accessibleName(), self)
            label.setBuddy(spin)
            settings.addWidget(label)
            settings.addWidget(spin, 1)
        noise_label = QLabel(self.noise.accessibleName(), self)
        noise_label.setBuddy(self.noise)
        scatter = QHBoxLayout()
        scatter.addWidget(noise_label)
        scatter.addWidget(self.noise, 1)
        goodness = QHBoxLayout()
        goodness.addWidget(self.stop_when_good)
        goodness.addWidget(self.good_ess)
        goodness.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (buttons, settings, scatter, goodness):
            layout.addLayout(part)
        for widget in (self.status, self.busy, self.chain_bars, self.message):
            layout.addWidget(widget)
        self._running = self._paused = False
        self.set_ready(False)
        self._show_progress(False, False)

    def until_ess(self) -> float | None:
        """Give the ESS that ends a sampling; None where all draws are wanted."""
        return float(self.good_ess.value()) if self.stop_when_good.isChecked() else None

    def likelihood(self) -> str | None:
        """Give the likelihood of a sampling; None where there are no data yet."""
        chosen: str | None = self.noise.currentData()
        return chosen or self._suited

    def suit_noise(self, likelihood: str, reason: str) -> None:
        """Say which likelihood suits the data, and why: it is taken unless another is chosen."""
        self._suited = likelihood
        own = self.tr("their own standard deviations")
        row = self.noise.findData(likelihood)
        words = self.noise.itemText(row) if row >= 0 else own
        self.noise.setItemText(0, self.tr("as suits the data: {noise}").format(noise=words))
        self.noise.setItemData(0, f"{reason[:1].upper()}{reason[1:]}.", Qt.ItemDataRole.ToolTipRole)

    def set_ready(self, ready: bool) -> None:
        """Say whether there are data and a model."""
        self._ready = ready
        self._enable()

    def begin_fit(self, name: str) -> None:
        """Show that a fit was started."""
        self._begin(self.tr("{name}: waiting for a worker").format(name=name), False)

    def begin_sampling(self, name: str) -> None:
        """Show that a sampling was started."""
        self.chain_bars.set_chains(self.chains.value(), self.warmup.value() + self.draws.value())
        self._told = ("", 0)
        self._begin(self.tr("{name}: waiting for a worker").format(name=name), True)

    def set_status(self, text: str) -> None:
        """Say what is being done."""
        self.status.setText(text)

    def take_progress(self, progress: Progress) -> None:
        """Show what a fit or a sampling reports."""
        if progress.stage == "fit":
            self._tell_iteration(progress.current, float(progress.metrics["loss"]))
        elif progress.stage in ("warmup", "sampling"):
            self._tell_sampling(progress.stage, progress.metrics)
        else:
            self.status.setText(progress.message)

    def set_paused(self, paused: bool) -> None:
        """Show that what runs waits, or goes on."""
        self._paused = paused and self._running
        self._enable()
        if self._paused:
            self.status.setText(self.tr("Paused"))

    def end(self) -> None:
        """Show that nothing runs any more."""
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
        settings = (self.warmup, self.draws, self.chains, self.noise, self.stop_when_good)
        for widget in settings:
            widget.setEnabled(not self._running)
        self.good_ess.setEnabled(not self._running and self.stop_when_good.isChecked())
        self.busy.setRange(0, 1 if self._paused else 0)

    def _show_progress(self, running: bool, is_sampling: bool) -> None:
        self.status.setVisible(running)
        self.busy.setVisible(running and not is_sampling)
        self.chain_bars.setVisible(running and is_sampling)

    def _noise_choice(self) -> QComboBox:
        """Give the choice of a likelihood, of which the data may say which suits them."""
        box = QComboBox(self)
        box.setAccessibleName(self.tr("Noise"))
        box.setToolTip(self.tr("How the data scatter around the model, for a sampling"))
        names = {
            None: self.tr("as suits the data"),
            "constant": self.tr("of one size"),
            "relative": self.tr("a fraction of the value"),
            "student_t": self.tr("of one size, with outliers"),
            "relative_student_t": self.tr("a fraction of the value, with outliers"),
        }
        for name, words in names.items():
            box.addItem(words, name)
            if name is not None:
                tip = LIKELIHOODS[name]
                box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return box

    def _button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(hint)
        return button

    def _number(self, name: str, value: int, least: int, most: int) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(least, most)
        spin.setValue(value)
        spin.setSingleStep(100 if most > 1000 else 1)
        spin.setAccessibleName(name)
        return spin
