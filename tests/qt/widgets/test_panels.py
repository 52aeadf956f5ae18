from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtTest import QAbstractItemModelTester
from qtpy.QtWidgets import QScrollArea

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.options.option import options_of
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.sampling.options import SampleOptions
from rheojobs.qt.widgets.common.option_form import has_field
from rheojobs.qt.widgets.data.data_panel import DataPanel
from rheojobs.qt.widgets.jobs.run_panel import RunPanel
from rheojobs.qt.widgets.model.model_list import DESCRIPTION_ROLE, EQUATION_ROLE
from rheojobs.qt.widgets.model.model_picker import ModelPicker
from rheojobs.qt.widgets.model.parameter_model import ParameterModel
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn
from rheojobs.qt.widgets.model.parameter_table import ParameterTable
from rheojobs.qt.widgets.plots.data_plot import DataPlot
from rheojobs.qt.widgets.plots.legend import emptiest_corner

PARAMETERS = (
    Parameter("G0", 1e5, (1e-3, 1e9), "Pa"),
    Parameter("alpha", 0.5, (0.0, 1.0), "dimensionless"),
)


def info(name: str, *modes: str) -> ModelInfo:
    return ModelInfo(name, modes, PARAMETERS, f"The {name} model.", "stress")


MODELS = (
    info("carreau", "flow_curve"),
    info("fractional_maxwell_liquid", "relaxation", "oscillation"),
    info("herschel_bulkley", "flow_curve"),
    info("maxwell", "relaxation", "oscillation", "flow_curve"),
    info("not_to_be_run"),
)


def names(picker: ModelPicker) -> list[str]:
    """Return the names of the models that can be chosen."""
    model = picker.names.model()
    rows = range(picker.names.count())
    flags = [model.flags(model.index(row, 0)) for row in rows]
    chosen = [bool(flag & Qt.ItemFlag.ItemIsEnabled) for flag in flags]
    assert chosen == sorted(chosen, reverse=True), "those that suit come first"
    return [picker.names.itemText(row) for row in rows if chosen[row]]


def test_the_models_that_suit_the_data_are_offered(qtbot: QtBot) -> None:
    picker = ModelPicker()
    qtbot.addWidget(picker)
    assert picker.model is None
    assert not picker.names.isEnabled()
    chosen: list[ModelInfo | None] = []
    picker.model_changed.connect(chosen.append)
    picker.set_models(MODELS)
    assert [item.name for item in chosen if item] == ["maxwell"]
    picker.set_test_mode("oscillation")
    assert names(picker) == ["fractional_maxwell_liquid", "maxwell"]
    assert len(chosen) == 1, "the model has not changed"
    assert not picker.choose("carreau")
    last = picker.names.count() - 1
    assert picker.names.itemText(last) == "not_to_be_run"
    told = [picker.names.itemData(row, DESCRIPTION_ROLE) for row in (0, 2, last)]
    assert told == [MODELS[1].description, "For flow curve only.", "It cannot be fitted here."]
    assert not picker.grab().isNull()
    picker.choose("fractional_maxwell_liquid")
    picker.set_test_mode("flow_curve")
    assert names(picker) == ["carreau", "herschel_bulkley", "maxwell"]
    assert picker.model is MODELS[2]


def test_a_part_of_a_name_is_searched_and_nonsense_taken_back(qtbot: QtBot) -> None:
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.set_models(MODELS)
    edit = picker.names.lineEdit()
    assert edit is not None
    edit.selectAll()
    qtbot.keyClicks(edit, "bulk")
    assert picker.names.completer().currentIndex().data() == "herschel_bulkley"
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert edit.text() == picker.names.currentText()
    assert picker.model is not None
    assert edit.text() == picker.model.name
    # Descriptions are searched as well.
    edit.selectAll()
    qtbot.keyClicks(edit, "the fractional")
    completer = picker.names.completer()
    assert completer.completionCount() == 1
    assert completer.pathFromIndex(completer.currentIndex()) == "fractional_maxwell_liquid"


def test_what_is_wrong_with_a_model_is_shown_before_it_is_fitted(qtbot: QtBot) -> None:
    picker = ModelPicker()
    qtbot.addWidget(picker)
    fault = "its steps are too long"
    picker.set_models([replace(MODELS[0], warnings={MODELS[0].test_modes[0]: fault})])
    assert fault not in picker.description.text()
    picker.set_test_mode(MODELS[0].test_modes[0])
    assert picker.description.text().endswith(f"⚠ {fault}")


def test_a_model_is_shown_with_its_equation_for_the_test(qtbot: QtBot) -> None:
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.set_models(MODELS)
    picker.set_test_mode("oscillation")
    assert picker.description.text().splitlines() == [
        "The maxwell model.",
        "G* = G₀ iωτ / (1 + iωτ), τ = η/G₀",
    ]
    picker.set_test_mode("relaxation")
    assert picker.description.text().endswith("G = G₀ exp(−t/τ), τ = η/G₀")
    row = picker.names.findText("fractional_maxwell_liquid")
    assert picker.names.itemData(row, EQUATION_ROLE) == "G = Gₘ E_α(−(t/τ_α)^α)"
    greyed = picker.names.findText("carreau")
    assert picker.names.itemData(greyed, EQUATION_ROLE) == ""
    edit = picker.names.lineEdit()
    assert edit is not None
    edit.selectAll()
    qtbot.keyClicks(edit, "exp(")
    completer = picker.names.completer()
    assert completer.pathFromIndex(completer.currentIndex()) == "maxwell"


def test_a_typed_value_is_a_start_and_nonsense_is_refused(qtbot: QtBot) -> None:
    model = ParameterModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_parameters(PARAMETERS)
    cell = model.index(0, ParameterColumn.VALUE)
    assert cell.data() == "estimated"
    assert model.setData(cell, "1,5e4")
    assert model.given_values() == {"G0": 1.5e4}
    for nonsense in ("abc", "nan", "inf"):
        assert not model.setData(cell, nonsense)
    assert model.given_values() == {"G0": 1.5e4}
    assert model.setData(cell, "")
    assert model.given_values() == {}
    assert not model.index(0, ParameterColumn.NAME).flags() & Qt.ItemFlag.ItemIsEditable


def fit_result(**values: float) -> FitResult:
    return FitResult(
        "m",
        values,
        0.99,
        1.0,
        1.0,
        0.1,
        datetime.now(UTC),
        5,
        True,
        uncertainties={name: 0.01 * value for name, value in values.items()},
        units={"G0": "Pa"},
    )


def test_a_fit_is_shown_with_uncertainties_and_what_is_at_its_bound(qtbot: QtBot) -> None:
    model = ParameterModel()
    table = ParameterTable(model)
    qtbot.addWidget(table)
    model.set_parameters(PARAMETERS)
    model.show_fit(fit_result(G0=12345.0, alpha=1.0))
    row = [model.index(0, column).data() for column in ParameterColumn]
    assert row[:6] == ["G₀", "1.234×10⁴", "123", "Pa", "", "0.001 … 10⁹"]
    hint = Qt.ItemDataRole.ToolTipRole
    assert model.index(0, ParameterColumn.VALUE).data(hint) is None
    assert "bound" in model.index(1, ParameterColumn.VALUE).data(hint)
    assert table.isColumnHidden(ParameterColumn.R_HAT)
    assert model.given_values() == {}


def test_what_a_sampling_found_is_read_whole_in_the_window_s_own_width(qtbot: QtBot) -> None:
    model = ParameterModel()
    table = ParameterTable(model)
    qtbot.addWidget(table)
    table.resize(427, 200)  # at 1280 by 800
    table.show()
    model.set_parameters((*PARAMETERS, Parameter("tau_alpha", 1.0, (1e-6, 1e6), "s")))
    names = ("G0", "alpha", "tau_alpha", "sigma_real", "sigma_imag")
    ones = np.ones(4)
    found = {"mean": 3.841e-4, "std": 6.7e-5, "r_hat": 1.001, "ess_bulk": 9e4, "ess_tail": 1e4}
    result = BayesianResult(
        "m", dict.fromkeys(names, ones), dict.fromkeys(names, found), {}, 4, 1, 1.0,
        datetime.now(UTC), None, units={"G0": "Pa", "tau_alpha": "s"},
    )  # fmt: skip
    model.show_posterior(result)
    assert not table.isColumnHidden(ParameterColumn.ESS)
    assert table.horizontalScrollBar().maximum() == 0
    for column in ParameterColumn:
        if column is not ParameterColumn.BOUNDS:
            assert table.columnWidth(column) >= table.sizeHintForColumn(column), column
    bounds = model.index(0, ParameterColumn.BOUNDS)
    assert bounds.data(Qt.ItemDataRole.ToolTipRole) == "0.001 … 10⁹ / Pa"


def test_the_data_panel_asks_for_a_test_mode_that_is_not_known(qtbot: QtBot) -> None:
    panel = DataPanel()
    qtbot.addWidget(panel)
    panel.show_names(["a"], 0)
    panel.show_dataset(Dataset(np.array([1.0]), np.array([2.0]), name="a", notes=("<b>kept</b>",)))
    assert panel.message.kind == "warning"
    assert panel.modes.currentIndex() == -1
    assert panel.notes.text() == "• <b>kept</b>"
    panel.show_names(["a", "b"], 1)
    panel.show_dataset(Dataset(np.array([1.0]), np.array([2.0]), "creep", name="b"))
    assert panel.message.kind == ""
    assert panel.modes.currentText() == "creep"
    assert [panel.names.itemText(row) for row in (0, 1)] == ["a", "b"]
    notes = tuple(f"note {number}" for number in range(7))
    panel.show_dataset(Dataset(np.array([1.0]), np.array([2.0]), "creep", notes=notes))
    assert panel.notes.text().splitlines()[-1] == "• … and 3 more"
    assert "note 6" in panel.notes.toolTip()
    assert panel.close_button.isEnabled()
    panel.show_names([], -1)
    panel.show_dataset(None)
    assert panel.names.count() == 0
    assert panel.summary.isHidden()
    assert panel.notes.isHidden()
    assert not panel.modes.isEnabled()
    assert not panel.close_button.isEnabled()


@pytest.mark.parametrize("mode", ["oscillation", "relaxation", "flow_curve", "startup", None])
def test_every_kind_of_data_is_drawn_on_light_and_on_dark(mode: str | None, qtbot: QtBot) -> None:
    plot = DataPlot()
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    x = np.array([10.0, 0.1, 1.0])
    y = x * (1 + 2j) if mode == "oscillation" else x - (0.1 if mode == "startup" else 0.0)
    plot.show_data(Dataset(x, y, mode, x_unit="s", y_unit="Pa"))
    plot.show_curve("fit", 1.1 * y)
    palette = QPalette(plot.palette())
    palette.setColor(QPalette.ColorRole.Base, QColor("#101010"))
    palette.setColor(QPalette.ColorRole.Text, QColor("#f0f0f0"))
    plot.setPalette(palette)
    corner = plot.grab().toImage().pixelColor(2, 2)
    assert corner.lightness() < 40
    curves = [item for item in plot.plot.listDataItems() if item.opts["symbol"] is None]
    assert len(curves) == (2 if mode == "oscillation" else 1)
    # Those of a start-up begin at zero; x spans decades in all.
    assert plot.plot.getAxis("bottom").logMode
    assert plot.plot.getAxis("left").logMode is (mode != "startup")


@pytest.mark.parametrize(
    ("curve", "corner"),
    [
        (lambda x: x, (0, 1)),
        (lambda x: 1 / x, (1, 1)),
        (lambda x: x / (1 + x), (1, 0)),
        (lambda x: 1 / (1 + x), (0, 0)),
        (lambda x: 1 + x, (0, 1)),
    ],
)
def test_the_legend_lies_where_no_data_are(
    curve: Callable[[np.ndarray], np.ndarray], corner: tuple[int, int]
) -> None:
    """The corner is (1, 1) for right and above."""
    x = np.geomspace(1e-3, 1e3, 60)
    assert emptiest_corner([(np.log(x), np.log(curve(x)))]) == corner


def test_ticks_stay_true_when_other_data_come(qtbot: QtBot) -> None:
    """pyqtgraph scales the ticks of a labelled axis with values below 1 or very large ones."""
    plot = DataPlot()
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    x = np.geomspace(1e-3, 0.5, 4000)
    for _ in range(2):
        plot.show_data(Dataset(x, 1e12 * x, "relaxation"))
        assert not plot.grab().isNull()
    for side in ("left", "bottom"):
        assert plot.plot.getAxis(side).autoSIPrefixScale == 1.0
    (points,) = plot.plot.listDataItems()
    assert points.getOriginalDataset()[0].size == 1500


def test_options_open_in_a_dialog_of_their_own(qtbot: QtBot) -> None:
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.show()
    height = panel.sizeHint().height()
    panel.options_button.setChecked(True)
    dialog = panel.options
    assert dialog.isVisible()
    assert dialog.isWindow()
    assert panel.sizeHint().height() == height
    assert panel.options_button.text() == "&Options"
    dialog.sampling_form.field("seed").setValue(7)
    dialog.fit_form.field("multi_start").setValue(4)
    assert panel.options_button.text() == "&Options (2)"
    assert "Seed = 7" in panel.options_button.toolTip()
    dialog.close()
    assert not panel.options_button.isChecked()
    assert panel.sample_options() == {"seed": 7}
    assert panel.fit_options() == {"multi_start": 4}
    dialog.reset()
    assert panel.sample_options() == {} == panel.fit_options()
    assert panel.options_button.text() == "&Options"


def test_each_option_of_a_run_can_be_set_in_the_window() -> None:
    """Those without a field here have a place of their own: table, priors, panel of the data."""
    elsewhere = {"test_mode", "protocol", "model_config", "fixed", "bounds", "priors"}
    for declaring in (FitOptions, SampleOptions):
        for name, option in options_of(declaring).items():
            assert name in elsewhere | {"tied"} or has_field(option), name


def test_return_in_a_field_of_the_options_resets_nothing(qtbot: QtBot) -> None:
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.options.show()
    field = panel.options.sampling_form.field("target_accept")
    field.setFocus()
    qtbot.keyClicks(field, "0.9")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.sample_options() == {"target_accept": 0.9}
    assert panel.options.isVisible()
    panel.options.close()


def test_a_wrong_option_is_named_at_once_by_its_label(qtbot: QtBot) -> None:
    panel = RunPanel()
    qtbot.addWidget(panel)
    dialog = panel.options
    field = dialog.sampling_form.field("target_accept")
    field.setText("2")
    assert dialog.message.kind == "error"
    assert dialog.message.text().startswith("Target accept must be between 0 and 1")
    field.setText("0.9")
    assert dialog.message.kind == ""
    assert panel.sample_options() == {"target_accept": 0.9}


@pytest.mark.parametrize("chains", [1, 2, 4, 5, 16])
def test_the_bars_of_the_chains_take_the_place_that_is_kept_for_them(
    qtbot: QtBot, chains: int
) -> None:
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.set_ready(True)
    panel.show()
    before = panel.sizeHint()
    panel.chains.setValue(chains)
    panel.begin_sampling("Sampling")
    assert panel.sizeHint().height() == before.height()
    assert len(panel.chain_bars.counts()) == chains
    area = panel.findChild(QScrollArea)
    assert area is not None
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
    panel.resize(440, panel.height())
    panel.end()
    for count, is_scrolled in ((1, False), (5, False), (40, True)):
        panel.message.say("warning", "Some words of a message. " * count)
        qtbot.waitUntil(lambda seen=is_scrolled: (area.verticalScrollBar().maximum() > 0) is seen)
        assert panel.sizeHint().height() == before.height()


def test_a_tied_parameter_says_so_and_takes_no_value() -> None:
    model = ParameterModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_parameters(PARAMETERS)
    value, fixed = (model.index(1, c) for c in (ParameterColumn.VALUE, ParameterColumn.FIXED))
    assert model.setData(value, "0.3")
    model.set_ties({"alpha": "1e-6*G0"})
    assert model.given_values() == {}
    assert not value.flags() & Qt.ItemFlag.ItemIsEditable
    assert fixed.data(Qt.ItemDataRole.CheckStateRole) is None
    assert "alpha = 1e-6*G0" in value.data(Qt.ItemDataRole.ToolTipRole)
    model.set_parameters(PARAMETERS)
    assert value.data() == "tied"
    model.set_ties({})
    assert value.data() == "estimated"
    assert value.flags() & Qt.ItemFlag.ItemIsEditable


def test_bounds_may_reach_beyond_the_models_where_it_allows_that() -> None:
    model = ParameterModel()
    model.set_parameters(PARAMETERS)
    modulus, order = (model.index(row, ParameterColumn.BOUNDS) for row in (0, 1))
    assert model.setData(modulus, "1e-6 … 1e12")
    assert not model.setData(modulus, "-1 … 1")
    assert not model.setData(order, "0 … 2")
    assert model.edited_bounds() == {"G0": (1e-6, 1e12)}
