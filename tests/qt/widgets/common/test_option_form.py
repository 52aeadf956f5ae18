"""Fields made from declarations: labels, limits, defaults and values."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from rheojobs.errors import InputError
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.options.option import options_of
from rheojobs.inference.sampling.options import SampleOptions
from rheojobs.qt.widgets.common.option_form import OptionForm, has_field


@pytest.fixture(params=[FitOptions, SampleOptions])
def form(qtbot: QtBot, request: pytest.FixtureRequest) -> OptionForm:
    form = OptionForm([o for o in options_of(request.param).values() if has_field(o)], 2)
    qtbot.addWidget(form)
    return form


def test_untouched_it_gives_nothing(form: OptionForm) -> None:
    assert form.values() == {}


def test_each_field_says_what_it_is(form: OptionForm) -> None:
    for name, option in form._options.items():
        assert form.field(name).accessibleName() == option.label
        assert form.field(name).toolTip() == option.help


def sampling(qtbot: QtBot) -> OptionForm:
    form = OptionForm([o for o in options_of(SampleOptions).values() if has_field(o)])
    qtbot.addWidget(form)
    return form


def test_what_is_chosen_is_given_by_its_name_in_python(qtbot: QtBot) -> None:
    form = sampling(qtbot)
    form.field("num_samples").setValue(300)
    noise = form.field("likelihood")
    noise.setCurrentIndex(noise.findData("student_t"))
    form.field("until_ess").setText("400")
    form.field("max_samples").setValue(9)
    assert form.values() == {
        "num_samples": 300,
        "likelihood": "student_t",
        "until_ess": 400.0,
        "max_samples": 9,
    }


def test_limits_are_the_declarations(qtbot: QtBot) -> None:
    form = sampling(qtbot)
    assert form.field("num_chains").minimum() == 1
    form.field("num_warmup").setValue(0)
    assert form.values() == {"num_warmup": 0}


@pytest.mark.parametrize("text", ["much", "-3", "nan"])
def test_what_is_no_number_is_named_by_its_label(qtbot: QtBot, text: str) -> None:
    form = sampling(qtbot)
    form.field("until_ess").setText(text)
    with pytest.raises(InputError, match=r"^Stop at ESS must be a positive number, got"):
        form.values()
