"""All models in all test modes: a sample of the table of docs/models.md, and nonsense."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from tests.inference.models import every_model, models_page
from tests.physics.held_against import held_against

from rheojobs.errors import InputError
from rheojobs.inference.data.protocol import MODE_CONSTANTS
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.catalogue import catalogue
from rheojobs.inference.models.loading import load
from rheojobs.inference.problem.problem import Problem, prepare_data

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
# Each takes about a second; of every family and mode.
SAMPLE = [
    ("bingham", "flow_curve"),
    ("herschel_bulkley", "flow_curve"),
    ("maxwell", "oscillation"),
    ("zener", "relaxation"),
    ("springpot", "creep"),
    ("fractional_kelvin_voigt", "oscillation"),
    ("sgr_generic", "oscillation"),
    ("vlb", "laos"),
    ("vlb", "startup"),
    ("tnt_multi_species", "oscillation"),
]


@pytest.mark.parametrize(("name", "mode"), SAMPLE[:3])
def test_a_model_finds_the_parameters_that_made_its_data(name, mode):
    assert every_model.fit_pair(name, mode)["status"] == "recovered"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), SAMPLE[3:])
def test_a_model_fits_its_own_data_as_well_as_the_truth_does(name, mode):
    row = every_model.fit_pair(name, mode)
    assert row["status"] in ("recovered", "weak"), row["note"]
    assert row["converged"]
    assert row["loss"] < 1.05


@pytest.mark.slow
def test_a_model_of_differential_equations_fits_its_own_data():
    row = every_model.fit_pair("tnt_single_mode", "startup")
    assert row["converged"]
    assert row["loss"] < 1.05


def test_the_page_has_every_pair_and_no_other():
    text = PAGE.read_text(encoding="utf-8")
    cells = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-2]]
        for line in text.splitlines()
        if line.startswith("| ") and line.count("|") == len(TEST_MODES) + 3
    }
    for info in catalogue():
        shown = dict(zip(TEST_MODES, cells[info.name], strict=True))
        assert {mode for mode in TEST_MODES if shown[mode]} == {*info.test_modes, *info.refused}
        assert {mode for mode in TEST_MODES if shown[mode] == "–"} == set(info.refused)
        for reason in info.refused.values():
            assert reason in text


def test_the_page_lists_what_is_held_against_nature_and_what_runs_under_a_warning():
    text = PAGE.read_text(encoding="utf-8")
    for (name, mode), words in held_against().items():
        line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert all(one in line for one in words), (name, mode)
    for info in catalogue():
        for fault in info.warnings.values():
            assert fault in text


def test_the_page_says_why_wherever_a_pair_did_not_end_well():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    reasons = [line for line in lines if line.startswith("- **")]
    badly = [line for line in reasons if line.split(": ", 1)[1][0] in "▽…!?"]
    assert badly
    assert all("; the cause: " in line for line in badly), badly


def test_the_page_read_back_makes_the_same_page():
    rows = models_page.with_second_names(models_page.read_page(PAGE), every_model.declared_pairs())
    again = models_page.table(rows, "").splitlines()
    text = PAGE.read_text(encoding="utf-8").splitlines()
    for heading in ("| mark |", "| model |"):
        start = next(k for k, line in enumerate(text) if line.startswith(heading))
        first = next(k for k, line in enumerate(again) if line.startswith(heading))
        assert again[first : first + 8] == text[start : start + 8]
    reasons = [line for line in text if line.startswith("- **")]
    assert reasons == [line for line in again if line.startswith("- **")]


def test_the_readme_counts_as_the_page_does():
    page, readme = (
        path.read_text(encoding="utf-8") for path in (PAGE, PAGE.parents[1] / "README.md")
    )
    good = re.search(r"cannot\. (\d+) were fitted", page)
    told = re.search(r"(\d+) of the others are fitted", readme)
    assert good is not None
    assert told is not None
    assert told[1] == good[1]


def nonsense(mode: str) -> dict[str, object]:
    """Data of three points that mean nothing, one of them a NaN."""
    y = np.array([0.0, 0.0, np.nan])
    return {"x": np.array([1.0, 2.0, 3.0]), "y": y * (1 + 1j) if mode == "oscillation" else y}


def problem_of(name: str, mode: str, data: object, protocol: dict[str, float]) -> Problem:
    """Do what a fit does before it computes anything."""
    return Problem.of(name, prepare_data(name, data, mode, protocol), {})


def test_nonsense_for_any_model_in_any_mode_is_one_line():
    for info, mode in itertools.product(catalogue(), TEST_MODES):
        with pytest.raises(InputError) as caught:
            problem_of(info.name, mode, nonsense(mode), {})
        assert "\n" not in str(caught.value), (info.name, mode)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_zeros_and_the_wrong_constants_are_one_line_or_a_problem():
    x, wrong = np.linspace(0.1, 3.0, 40), {"gamma_dot": 1.0, "sigma_0": -1.0}
    for info, mode in itertools.product(catalogue(), TEST_MODES):
        zeros = np.zeros(40, dtype=complex if mode == "oscillation" else float)
        lacking = set(MODE_CONSTANTS[mode]) - set(wrong)
        refusal = refused(info.name, mode, (x, zeros), wrong)
        if refusal is None:  # then it needs none of what it was not given
            assert not lacking & set(load(info.name).missing_protocol(mode, {})), (info.name, mode)
        else:
            assert "\n" not in refusal, (info.name, mode)


def refused(name: str, mode: str, data: object, protocol: dict[str, float]) -> str | None:
    """Give what a fit says against its input, or None."""
    try:
        problem_of(name, mode, data, protocol)
    except InputError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("name", "mode"), [("maxwell", "relaxation"), ("bingham", "flow_curve"), ("zener", "creep")]
)
def test_a_fit_to_zeros_ends_in_a_result(name, mode):
    result = fit((np.linspace(0.1, 3.0, 10), np.zeros(10)), name, test_mode=mode)
    assert np.isfinite(list(result.parameters.values())).all()
