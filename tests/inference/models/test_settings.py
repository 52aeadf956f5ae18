"""The settings of models: read from RheoJAX's constructors, and declared as options."""

from __future__ import annotations

import pytest

from rheojobs.errors import InputError
from rheojobs.inference.models.catalogue import ModelInfo, catalogue
from rheojobs.inference.models.loading import describe
from rheojobs.inference.models.settings import ModelSetting
from rheojobs.inference.options.kinds import Choice, Count, Flag, Number, Text

pytest.importorskip("rheojax")


@pytest.fixture(scope="module")
def models() -> dict[str, ModelInfo]:
    return {info.name: info for info in catalogue()}


def settings(info: ModelInfo) -> dict[str, ModelSetting]:
    return {item.name: item for item in info.settings}


def test_the_modes_are_a_whole_number_with_the_constructors_default_and_words(models) -> None:
    modes = settings(models["generalized_maxwell"])["n_modes"]
    assert modes.default == 3
    assert modes.help.startswith("Number of exponential relaxation modes")
    assert modes.option.check(6) == 6
    with pytest.raises(InputError, match="n_modes must be a whole number"):
        modes.option.check(2.5)


@pytest.mark.parametrize(
    ("model", "name", "kind", "default"),
    [
        ("tnt_single_mode", "breakage", Choice, "constant"),
        ("ml_ikh", "yield_mode", Choice, "per_mode"),
        ("vlb_variant", "temperature", Flag, False),
        ("fikh", "alpha_structure", Number, 0.5),
        ("lattice_epm", "L", Count, 64),
        ("tensorial_epm", "yield_criterion", Text, "von_mises"),
    ],
)
def test_each_setting_has_the_kind_of_its_default(models, model, name, kind, default) -> None:
    found = settings(models[model])[name]
    assert isinstance(found.option.kind, kind)
    assert found.default == default


def test_the_words_of_a_setting_are_those_of_its_annotation(models) -> None:
    found = settings(models["tnt_single_mode"])["breakage"]
    assert list(found.words) == ["constant", "bell", "power_law", "stretch_creation"]
    with pytest.raises(InputError, match="breakage cannot be 'bel'; did you mean 'bell'"):
        found.option.check("bel")


def test_formulas_can_be_chosen_only_if_some_are_replaced(models) -> None:
    assert "formula" in settings(models["fractional_maxwell_liquid"])
    assert "formula" not in settings(models["maxwell"])
    assert settings(models["maxwell"]) == {}


def test_every_default_is_taken_by_its_model(models) -> None:
    for name in ("generalized_maxwell", "tnt_single_mode", "hvm", "fikh"):
        defaults = {item.name: item.default for item in models[name].settings}
        assert [p.name for p in describe(name, defaults).parameters] == [
            p.name for p in models[name].parameters
        ]


def test_a_model_is_described_with_its_settings() -> None:
    found = describe("generalized_maxwell", {"n_modes": 6})
    assert len(found.parameters) == 13
    assert found.config == {"n_modes": 6}
    assert found.label == "generalized_maxwell, n_modes = 6"
    with pytest.raises(InputError, match="has no setting 'n_mode'"):
        describe("generalized_maxwell", {"n_mode": 6})
