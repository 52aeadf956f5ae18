"""`OptionsDialog`: all options of fits and samplings, and the settings of the chosen model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from rheojobs.errors import InputError
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.options.option import Group, Option, options_of
from rheojobs.inference.sampling.options import SampleOptions
from rheojobs.qt.widgets.common.building import group
from rheojobs.qt.widgets.common.message_bar import MessageBar
from rheojobs.qt.widgets.common.option_form import OptionForm, has_field
from rheojobs.qt.widgets.settings.ties_editor import TiesEditor

__all__ = ["OptionsDialog"]

_WIDTH = 640


def _fields(declaring: type, group: Group, without: Iterable[str] = ()) -> list[Option]:
    """Return the options of a group that a form can show."""
    return [
        option
        for name, option in options_of(declaring).items()
        if option.group == group and has_field(option) and name not in without
    ]


class OptionsDialog(QDialog):
    """Opens beside the window; its values last as long as the window.

    Parameters
    ----------
    without : iterable of str
        Names in Python of options of a sampling that the window has elsewhere.
    parent : QWidget, optional
        The Qt parent.

    Attributes
    ----------
    changed : Signal()
        An option was edited.
    model_changed : Signal(dict)
        The settings of the model were edited, and are valid.
    model_form : OptionForm
        The settings of the present model.
    fit_form, tolerances_form, sampling_form : OptionForm
        The options by their groups.
    ties : TiesEditor
        The tied parameters.
    message : MessageBar
        What is wrong with a value.
    """

    changed = Signal()
    model_changed = Signal(dict)

    def __init__(self, without: Iterable[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Options"))
        self._model: ModelInfo | None = None
        self._configs: dict[str, dict[str, Any]] = {}
        self.fit_form = OptionForm(_fields(FitOptions, Group.MODEL), 1, self)
        self.tolerances_form = OptionForm(_fields(FitOptions, Group.TOLERANCES), 1, self)
        self.sampling_form = OptionForm(_fields(SampleOptions, Group.SAMPLING, without), 1, self)
        self.model_form = OptionForm([], 1, self)
        self.ties = TiesEditor(self)
        self._no_settings = QLabel(self)
        self._no_settings.setWordWrap(True)
        self.message = MessageBar(self)
        self._model_box = group("", self._no_settings, self.model_form)
        left = QVBoxLayout()
        left.addWidget(self._model_box)
        left.addWidget(group(str(Group.MODEL), self.fit_form))
        left.addWidget(group(self.tr("Ties between parameters, in fits"), self.ties))
        left.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(group(str(Group.SAMPLING), self.sampling_form))
        right.addWidget(group(str(Group.TOLERANCES), self.tolerances_form))
        right.addStretch(1)
        columns = QHBoxLayout()
        columns.addLayout(left, 1)
        columns.addLayout(right, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.reset_button = buttons.addButton(
            self.tr("&Reset to defaults"), QDialogButtonBox.ButtonRole.ResetRole
        )
        assert self.reset_button is not None
        self.reset_button.clicked.connect(self.reset)
        buttons.rejected.connect(self.reject)
        for button in buttons.findChildren(QPushButton):
            button.setAutoDefault(False)  # Return ends the typing of a value, and resets nothing
        whole = QVBoxLayout(self)
        whole.addLayout(columns, 1)
        whole.addWidget(self.message)
        whole.addWidget(buttons)
        self.resize(_WIDTH, 0)
        for part in (self.fit_form, self.tolerances_form, self.sampling_form, self.ties):
            part.changed.connect(self._on_changed)
        self.set_model(None)

    # ---------------------------------------------------------------- the model

    def set_model(self, model: ModelInfo | None) -> None:
        """Show the settings of a model as they were when it was last chosen."""
        same = model is not None and self._model is not None and model.name == self._model.name
        self._model = model
        parameters = model.parameters if model is not None else ()
        self.ties.set_parameters(
            model.name if model is not None else "", [item.name for item in parameters]
        )
        if not same:
            self._make_model_form(model)
        self._on_changed()

    def config_of(self, name: str) -> dict[str, Any]:
        """Return the settings of a model that differ from the defaults."""
        return dict(self._configs.get(name, {}))

    def set_config(self, name: str, config: dict[str, Any]) -> None:
        """Use settings of a model, such as those of an earlier result."""
        self._configs[name] = dict(config)
        if self._model is not None and self._model.name == name:
            self.model_form.set_values(config)
            self._on_changed()

    def _make_model_form(self, model: ModelInfo | None) -> None:
        settings = model.settings if model is not None else ()
        name = model.name if model is not None else ""
        title = self.tr("Settings of {model}").format(model=name) if name else self.tr("Model")
        self._model_box.setTitle(title)
        self._no_settings.setText(self.tr("It has no settings.") if name else "")
        self._no_settings.setVisible(not settings)
        form = OptionForm([item.option for item in settings], 1, self)
        form.set_values(self._configs.get(name, {}))
        layout = self._model_box.layout()
        assert layout is not None
        layout.replaceWidget(self.model_form, form)
        self.model_form.deleteLater()
        self.model_form = form
        form.setVisible(bool(settings))
        form.changed.connect(self._on_settings)

    def _on_settings(self) -> None:
        self._on_changed()
        if self._model is None:
            return
        try:
            config = self.model_form.values()
        except InputError:
            return  # the message says what is wrong
        if config != self._configs.get(self._model.name, {}):
            self._configs[self._model.name] = config
            self.model_changed.emit(dict(config))

    # ---------------------------------------------------------------- the options

    def fit_options(self) -> dict[str, Any]:
        """Return the options of a fit that differ from the default; may raise `InputError`."""
        tied = self.ties.values()
        return (
            self.fit_form.values()
            | self.tolerances_form.values()
            | ({"tied": tied} if tied else {})
        )

    def sample_options(self) -> dict[str, Any]:
        """Return the options of a sampling that differ from the default; may raise `InputError`."""
        return self.sampling_form.values()

    def check_model(self) -> None:
        """Raise `InputError` if a setting of the model is invalid."""
        self.model_form.values()

    def differing(self) -> list[str]:
        """Return what differs from the defaults, in words: ``n_modes = 6``."""
        forms = (self.model_form, self.fit_form, self.tolerances_form, self.sampling_form)
        told = [f"{label} = {value}" for form in forms for label, value in form.differing().items()]
        lines = map(str.strip, self.ties.text.toPlainText().splitlines())
        return told + [line for line in lines if line]

    def reset(self) -> None:
        """Restore all defaults, of the model too."""
        self.ties.set_values({})
        for form in (self.fit_form, self.tolerances_form, self.sampling_form, self.model_form):
            form.reset()

    def set_locked(self, locked: bool) -> None:
        """Forbid or allow editing, as while a job runs."""
        for form in (self.fit_form, self.tolerances_form, self.sampling_form, self._model_box):
            form.setEnabled(not locked)
        self.ties.setEnabled(not locked)
        assert self.reset_button is not None
        self.reset_button.setEnabled(not locked)

    def _on_changed(self) -> None:
        self.message.clear()
        checks: tuple[Callable[[], Any], ...] = (
            self.check_model,
            self.fit_options,
            self.sample_options,
        )
        for check in checks:
            try:
                check()
            except InputError as error:
                self.message.say("error", str(error))
                break
        self.changed.emit()
