"""The cases that `make test` leaves to `make test-all`.

The gate must end in time. Where many cases, or a long one, hold the same code against the same
truth, it runs those that are listed here for a test, and all other cases are marked ``thorough``.
"""

from __future__ import annotations

import pytest

__all__ = ["mark_thorough"]

FITS, MODELS, SAMPLING = "inference/fits/", "inference/models/", "inference/sampling/"
RHEOJAX = f"{MODELS}rheojax/"
NONE: set[str] = set()

GATE: dict[str, set[str]] = {
    "test_docs.py::test_each_command_line_runs": {"jobs list", "models --mode oscillation"},
    "cli/jobs/test_commands.py::"
    "test_a_sampling_that_was_killed_draws_what_it_would_have_drawn": NONE,
    "cli/test_fit.py::test_each_measured_file": {
        "polyisoprene_483k_oscillation.csv-options0-oscillation-None",
        "ps160_creep.csv-options2-creep-0.99",
        "tts_frequency_sweep.txt-options5-oscillation-0.98",
    },
    "engine/test_cpython_elsewhere.py::test_another_python_runs_them": NONE,
    "faults/test_campaign.py::test_whatever_is_killed_nothing_is_lost_doubled_or_left": {"3"},
    "inference/comparison/test_ranking.py::test_leave_one_out_agrees_with_leaving_each_out": NONE,
    f"{FITS}test_global_search.py::test_it_finds_the_minimum_that_no_start_leads_to": {
        "fractional_zener_ll-oscillation"
    },
    f"{FITS}least_squares/test_losses.py::test_errors_and_profiles_cover_the_truth": {
        "0.0-None-huber",
        "0.0-1.0-cauchy",
        "0.1-1.0-huber",
        "0.1-None-soft_l1",
    },
    f"{FITS}test_task.py::test_parameters_agree_with_scipy": {
        "carreau",
        "fractional_maxwell_model",
        "maxwell",
        "zener",
    },
    f"{FITS}test_task_starts.py::test_the_best_of_16_starts_is_not_beaten_by_a_global_search": {
        "ethylcellulose_5pct_flow.csv-carreau-config7",
        "fish_muscle_relaxation.csv-zener-config3",
        "polyisoprene_483k_oscillation.csv-generalized_maxwell-config6",
        "ps160_creep.csv-fractional_burgers-config12",
    },
    f"{MODELS}test_dry_run.py::test_every_declared_pair_runs_as_a_pure_function_or_is_refused": {
        "one test of each model"
    },
    f"{MODELS}test_models_page.py::test_a_model_fits_its_own_data_as_well_as_the_truth_does": {
        "springpot-creep",
        "vlb-startup",
        "zener-relaxation",
    },
    f"{MODELS}test_models_page.py::"
    "test_zeros_and_the_wrong_constants_are_one_line_or_a_problem": NONE,
    f"{RHEOJAX}test_model_cards.py::"
    "test_a_second_process_imports_nothing_heavy_and_draws_the_same": {"maxwell"},
    f"{RHEOJAX}test_model_cards.py::test_rheojax_may_come_in_while_a_program_is_traced": NONE,
    f"{RHEOJAX}test_replacements.py::test_a_test_begins_at_zero_wherever_the_data_begin": {
        "fikh-laos-constants4",
        "giesekus-creep-constants1",
    },
    f"{RHEOJAX}test_replacements.py::"
    "test_the_flow_curve_of_hebraud_and_lequeux_is_about_that_of_rheojax": NONE,
    f"{RHEOJAX}test_replacements.py::test_models_that_solve_equations_have_a_jacobian": {
        "fluidity_local-creep"
    },
    f"{RHEOJAX}test_slow_models.py::test_a_slow_fit_reports_and_is_cancelled_where_it_stands": {
        "fit-fluidity_nonlocal",
        "start-fluidity_nonlocal",
    },
    "inference/posterior/test_posterior.py::test_padding_changes_neither_density_nor_gradient": {
        "maxwell",
        "zener",
    },
    f"{SAMPLING}test_bad_luck.py::test_a_model_without_values_in_a_part_of_the_prior": NONE,
    f"{SAMPLING}warmup/test_curved_whitening.py::test_volume_is_kept": NONE,
    f"{SAMPLING}test_bad_luck.py::test_data_that_determine_nothing": {
        *(f"{data}-constant" for data in ("constant", "zero", "one point, again", "one time")),
        "zero-relative",
        "one time-relative",
        "constant-relative",
    },
    f"{SAMPLING}test_bad_luck.py::test_few_points_with_each_likelihood": {
        *(f"{n}-{name}" for n in (2, 3, 4) for name in ("constant", "student_t")),
        "2-sigma",
    },
    f"{SAMPLING}test_bad_luck.py::test_huge_and_small_stresses": {
        "constant-1e-12",
        "relative-1000000000000000.0",
    },
    f"{SAMPLING}test_bad_luck.py::test_parameters_that_the_data_do_not_determine": NONE,
    f"{SAMPLING}test_bad_luck.py::test_very_many_points": NONE,
    f"{SAMPLING}test_reference.py::test_an_older_processor_draws_the_same_within_rounding": NONE,
    f"{SAMPLING}test_sbc.py::test_ranks_are_uniform": {"decay"},
    f"{SAMPLING}test_task_rheojax.py::test_posterior_means_are_those_of_fit_bayesian": {"maxwell"},
    "integrations/rheojax/test_same_results.py::test_a_posterior_is_the_same": {
        "maxwell-ps145_relaxation.csv-relaxation"
    },
    "integrations/rheojax/test_window.py::test_on_one_core_cancel_works": NONE,
    "qt/test_closing.py::test_an_application_that_is_closed_leaves_no_word_and_no_process": {
        "compiling-Cancel",
        "fitting-Wait",
        "many-Leave",
        "sampling-Cancel",
    },
    "qt/test_closing.py::test_closed_while_a_fit_or_a_sampling_is": {
        "compiling-Leave",
        "fitting-Cancel",
        "fitting-Leave",
        "many-Cancel",
        "preparing-Cancel",
        "sampling-Leave",
        "sampling-Wait",
        "sampling_paused-Wait",
        "warming_up-Cancel",
    },
    "qt/test_leaks.py::test_opened_and_closed_many_times_nothing_is_left": {"12"},
}
"""Test -> the ids of the cases that the gate runs; none if it runs no case of it."""


def mark_thorough(items: list[pytest.Item], is_whole: bool) -> None:
    """Mark the cases that the gate leaves out.

    Parameters
    ----------
    items : list of Item
        The tests that were collected.
    is_whole : bool
        Whether these are all tests; then an entry of `GATE` that names none is an error.
    """
    known: dict[str, set[str]] = {}
    for item in items:
        test, _, case = item.nodeid.removeprefix("tests/").partition("[")
        case = case.removesuffix("]")
        known.setdefault(test, set()).add(case)
        if test in GATE and case not in GATE[test]:
            item.add_marker("thorough")
    lost = [test for test, cases in GATE.items() if cases - known.get(test, set())]
    lost += [test for test in GATE if test not in known]
    if is_whole and lost:
        raise pytest.UsageError(f"tests/thorough.py names what is not there: {lost}")
