from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from scipy import stats

from rheojobs.errors import InputError
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.models.rheojax.registry import ORDER_PRIOR
from rheojobs.inference.posterior.densities import density, extent, share_within
from rheojobs.inference.posterior.prior_syntax import PRIOR_TYPES, prior_arguments
from rheojobs.qt.widgets.model.density_plot import DensityPlot
from rheojobs.qt.widgets.model.priors_editor import PriorsEditor

EXAMPLES = {
    "normal": ({"loc": 3.0, "scale": 0.5}, stats.norm(3.0, 0.5)),
    "uniform": ({"low": -1.0, "high": 4.0}, stats.uniform(-1.0, 5.0)),
    "lognormal": ({"loc": 1.0, "scale": 0.7}, stats.lognorm(0.7, scale=np.exp(1.0))),
    "loguniform": ({"low": 1e-3, "high": 1e5}, stats.loguniform(1e-3, 1e5)),
    "halfnormal": ({"scale": 2.0}, stats.halfnorm(scale=2.0)),
    "truncatednormal": (
        {"loc": 0.0, "scale": 1.0, "low": 6.0, "high": 9.0},
        stats.truncnorm(6.0, 9.0),
    ),
    "exponential": ({"rate": 0.2}, stats.expon(scale=5.0)),
    "gamma": ({"concentration": 0.5, "rate": 3.0}, stats.gamma(0.5, scale=1 / 3)),
    "beta": ({"concentration1": 2.0, "concentration0": 5.0}, stats.beta(2.0, 5.0)),
}

PARAMETERS = (
    Parameter("G0", 1e5, (1e-3, 1e9), "Pa"),
    Parameter("alpha", 0.5, (0.0, 1.0), "dimensionless", prior=ORDER_PRIOR),
)


@pytest.mark.parametrize("kind", PRIOR_TYPES)
def test_densities_are_scipys(kind: str) -> None:
    given, known = EXAMPLES[kind]
    _, arguments = prior_arguments("x", {"type": kind, **given})
    low, high = extent(kind, arguments)
    x = np.linspace(low - 1.0, high + 1.0, 301)
    np.testing.assert_allclose(density(kind, arguments, x), known.pdf(x), rtol=1e-9, atol=1e-12)
    assert known.cdf(high) - known.cdf(low) > 0.99
    middle = float(known.median())
    assert share_within(kind, arguments, -np.inf, middle) == pytest.approx(0.5, abs=0.03)


def test_a_beta_on_other_limits_and_a_logarithm_from_zero_on() -> None:
    given = {"concentration1": 2.0, "concentration0": 2.0, "low": -1.0, "high": 3.0}
    _, arguments = prior_arguments("x", {"type": "beta", **given})
    x = np.linspace(-0.9, 2.9, 50)
    np.testing.assert_allclose(density("beta", arguments, x), stats.beta(2, 2, -1, 4).pdf(x))
    _, arguments = prior_arguments(
        "x", {"type": "loguniform", "low": 0.0, "high": 1e6, "offset": 1e-3}
    )
    x = np.geomspace(1e-6, 9e5, 50)
    known = stats.loguniform(1e-3, 1e6 + 1e-3, loc=-1e-3)
    np.testing.assert_allclose(density("loguniform", arguments, x), known.pdf(x), rtol=1e-9)
    half = float(known.median())
    assert share_within("loguniform", arguments, 0.0, half) == pytest.approx(0.5, abs=0.01)


def test_a_default_is_shown_as_it_is_sampled(qtbot: QtBot) -> None:
    """An own parameter that ends in alpha is uniform; what may be zero is uniform in ln(x + c)."""
    editor = PriorsEditor()
    qtbot.addWidget(editor)
    editor.set_parameters(
        (
            Parameter("alpha", 0.5, (0.0, 1.0)),
            Parameter("eta_s", 1.0, (0.0, 1e6)),
            Parameter("tau", 1.0, (1e-6, 1e6), prior_is_centred=True),
        )
    )
    told = [editor.table.item(row, 1).text() for row in range(3)]
    assert told[:2] == ["default: Uniform(0, 1)", "default: LogUniform(0, 10⁶, 10⁻⁶)"]
    assert told[2] == "default: the model's own, about the initial value"


def test_a_prior_is_chosen_typed_and_checked_beside_its_field(qtbot: QtBot) -> None:
    editor = PriorsEditor()
    qtbot.addWidget(editor)
    editor.show()
    editor.set_parameters(PARAMETERS)
    assert editor.priors() == {}
    assert editor.table.item(0, 1).text() == "default: LogUniform(0.001, 10⁹)"
    assert editor.table.item(1, 1).text() == "default: Beta(2, 2)"
    editor.kinds.setCurrentIndex(editor.kinds.findData("normal"))
    editor.kinds.activated.emit(editor.kinds.currentIndex())
    assert list(editor.fields) == ["loc", "scale"]
    qtbot.keyClicks(editor.fields["scale"], "x")
    assert editor.message.kind == "error"
    assert "the prior of 'G0' (normal): scale must be a number" in editor.message.text()
    assert "\n" not in editor.message.text()
    assert editor.table.item(0, 1).text() == "⚠ incomplete"
    with pytest.raises(InputError, match="scale must be a number"):
        editor.priors()
    for field, text in (("loc", "2e5"), ("scale", "5e4")):
        editor.fields[field].clear()
        qtbot.keyClicks(editor.fields[field], text)
    assert editor.message.isHidden()
    assert editor.priors() == {"G0": {"type": "normal", "loc": "2e5", "scale": "5e4"}}
    x, y = editor.picture.curve.getData()
    assert x[np.argmax(y)] == pytest.approx(2e5, rel=0.02)
    # The share outside the bounds is shown; narrower bounds have their own default.
    editor.fields["loc"].setText("0")
    assert "50 % of this prior lies outside the bounds" in editor.message.text()
    editor.set_bounds({"alpha": (0.2, 0.4)})
    assert editor.priors()["alpha"] == {**ORDER_PRIOR, "low": 0.2, "high": 0.4}
    assert editor.table.item(1, 1).text() == "default: Beta(2, 2, 0.2, 0.4)"
    editor.choose("alpha")
    assert editor.kinds.currentData() == ""
    assert editor.fields == {}
    editor.choose("G0")
    editor.kinds.setCurrentIndex(0)
    editor.kinds.activated.emit(0)
    assert "G0" not in editor.priors()
    # Every kind begins with valid numbers.
    for kind in PRIOR_TYPES:
        editor.kinds.setCurrentIndex(editor.kinds.findData(kind))
        editor.kinds.activated.emit(editor.kinds.currentIndex())
        assert editor.message.kind != "error", kind
        assert editor.picture.curve.getData()[1].max() > 0


def test_a_picture_is_painted_on_both_kinds_of_axis(qtbot: QtBot) -> None:
    """An exception while Qt paints would end the process."""
    plot = DensityPlot()
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    for kind, (given, _) in EXAMPLES.items():
        for bounds in ((1e-3, 1e9), (0.0, 1.0), (-np.inf, np.inf)):
            plot.show_prior(prior_arguments("x", {"type": kind, **given}), bounds, "x / Pa")
            assert not plot.grab().isNull()
