"""`ModelConfiguration`: the chosen model with its settings, whose parameters a worker reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from qtpy.QtCore import QObject, QSignalBlocker, QTimer, Signal

from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.loading import describe
from rheojobs.inference.models.own.formula import formula_model
from rheojobs.inference.models.own.reference import is_formula
from rheojobs.qt.widgets.model.model_picker import ModelPicker
from rheojobs.qt.widgets.settings.options_dialog import OptionsDialog
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["ModelConfiguration"]

_PATIENCE_MS = 250
"""How long a setting must last before a worker reads its parameters: it may be being typed."""

Then = Callable[[], object]


class ModelConfiguration(QObject):
    """Combines the model of the picker with the settings in the dialog of options.

    Parameters
    ----------
    pool : WorkerPool
        Runs the jobs that describe a model with settings.
    picker : ModelPicker
        Chooses the model.
    options : OptionsDialog
        Has the settings of each model.
    parent : QObject
        The Qt parent.

    Attributes
    ----------
    picker : ModelPicker
        Chooses the model.
    changed : Signal(object)
        The model with its settings, a `ModelInfo`, or None. Also emitted if it is the same.
    waiting : Signal()
        A worker describes the model with its settings; `changed` follows.
    told : Signal(str, str)
        The kind of a message and its text: what is awaited, or why the model does not take the
        settings, in place of which those before are restored.
    """

    changed = Signal(object)
    waiting = Signal()
    told = Signal(str, str)

    def __init__(
        self, pool: WorkerPool, picker: ModelPicker, options: OptionsDialog, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._pool, self._options, self.picker = pool, options, picker
        self._model: ModelInfo | None = None
        self._known: dict[str, ModelInfo] = {}
        self._job = ""
        self._wanted: tuple[ModelInfo, Then | None] | None = None
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self.renew)
        picker.model_changed.connect(self.renew)
        picker.settings_button.clicked.connect(options.show)
        picker.settings_button.clicked.connect(options.raise_)
        options.model_changed.connect(lambda _: self._patience.start())
        pool.job_completed.connect(self._on_described)
        pool.job_failed.connect(self._on_failed)

    @property
    def model(self) -> ModelInfo | None:
        """The model with the settings that hold now."""
        return self._model

    def renew(self) -> None:
        """Use what is chosen now, and emit `changed`, at once or when a worker has answered."""
        chosen = self.picker.model
        config = self._options.config_of(chosen.name) if chosen is not None else {}
        self._use(chosen, config)

    def choose(self, name: str, config: Mapping[str, Any], then: Then) -> None:
        """Choose a model with settings, then call a function; `changed` is emitted before."""
        self._options.set_config(name, dict(config))
        with QSignalBlocker(self.picker):
            if not self.picker.choose(name) and is_formula(name):
                self.picker.add(ModelInfo.of(formula_model(name)))
        self._use(self.picker.model, self._options.config_of(name), then)

    # ---------------------------------------------------------------- inside

    def _use(
        self, chosen: ModelInfo | None, config: Mapping[str, Any], then: Then | None = None
    ) -> None:
        self._patience.stop()
        self._job, self._wanted = "", None
        if chosen is None or not config:
            self._set(_of_test(chosen, self.picker.test_mode), then)
            return
        wanted = replace(chosen, config=dict(config))
        known = self._known.get(wanted.label)
        if known is not None:
            self._set(known, then)
            return
        if self._model is None or self._model.name != chosen.name:
            self._set(chosen, None)  # the data are shown meanwhile
        self._wanted = wanted, then
        self._job = self._pool.run(describe, chosen.name, dict(config))
        self.waiting.emit()
        words = self.tr("Reading the parameters of {model} …").format(model=wanted.label)
        self.told.emit("info", words)

    def _set(self, model: ModelInfo | None, then: Then | None) -> None:
        self._model = model
        self._options.set_model(model)
        self.picker.show_settings(model)
        self.changed.emit(model)
        if then is not None:
            then()

    def _on_described(self, job_id: str, found: object) -> None:
        if job_id != self._job or self._wanted is None or not isinstance(found, ModelInfo):
            return
        (wanted, then), self._wanted, self._job = self._wanted, None, ""
        self._known[wanted.label] = replace(found, settings=wanted.settings)
        self._set(self._known[wanted.label], then)

    def _on_failed(self, job_id: str, message: str) -> None:
        if job_id != self._job or self._wanted is None:
            return
        (wanted, then), self._wanted, self._job = self._wanted, None, ""
        before = self._model
        self._options.set_config(wanted.name, dict(before.config) if before is not None else {})
        self._set(before, then)
        self.told.emit("error", message)


def _of_test(model: ModelInfo | None, test_mode: str | None) -> ModelInfo | None:
    """Return a formula with the units and bounds that its parameters have in a test."""
    if model is None or test_mode not in model.test_modes or not is_formula(model.name):
        return model
    return replace(model, parameters=formula_model(model.name).for_test(test_mode).parameters)
