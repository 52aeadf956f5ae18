"""What a fit and draws have against them: one rule for the command, the window and notebooks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult

NOW = datetime.now(UTC)
FIT = FitResult("maxwell", {"G0": 1.0}, 0.999, 1.0, 1.0, 0.1, NOW, 5, True, message="ftol")
GOOD = {"r_hat": {"G0": 1.0}, "ess_bulk": {"G0": 900.0}, "ess_tail": {"G0": 900.0}}


def draws(**diagnostics: object) -> BayesianResult:
    told = GOOD | {"divergences": 0, "warnings": []} | diagnostics
    return BayesianResult("maxwell", {"G0": np.ones(4)}, {}, told, 2, 2, 0.1, NOW)


def test_a_fit_without_warnings_has_no_concerns() -> None:
    assert FIT.concerns == []
    assert replace(FIT, warnings=["G0 is hardly determined"]).concerns == [
        "G0 is hardly determined"
    ]


def test_what_makes_a_fit_doubtful_comes_first_and_once() -> None:
    stopped = replace(FIT, success=False, message="too many iterations")
    assert stopped.concerns == ["the fit did not converge: too many iterations"]
    named = "the fit did not converge: too many iterations"
    assert replace(stopped, warnings=["another", named]).concerns == [named, "another"]
    missing = replace(FIT, r_squared=0.3, warnings=["another"])
    assert missing.concerns == ["the curve misses the data (R² = 0.3)", "another"]
    assert "another" in missing._repr_html_()
    assert "misses the data" in missing._repr_html_()


def test_draws_have_the_warnings_of_their_diagnostics() -> None:
    assert draws().concerns == []
    assert draws(warnings=["few draws"]).concerns == ["few draws"]
    apart = draws(r_hat={"G0": 1.2}).concerns
    assert apart == ["the chains did not converge: R-hat of G0 is above 1.01"]


def test_draws_of_a_stopped_sampling_say_so_first() -> None:
    partial = replace(draws(warnings=["few draws"]), is_partial=True)
    assert partial.concerns == ["the sampling was stopped before it was done", "few draws"]
