"""The sides of the study of posteriors sample what it says, and its tables say what is missing."""

from __future__ import annotations

import types

import numpy as np
import pytest
from posteriors_study.case import Case
from posteriors_study.curves import CURVES
from posteriors_study.efficiency import CASES, tables
from posteriors_study.names import MAXIMUM, OURS, POSTERIORS, SIDES
from scipy.special import gammaln

from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.jax_setup import configure_jax

NUMPY = types.SimpleNamespace(**{name: getattr(np, name) for name in dir(np)}, gammaln=gammaln)


def test_the_command_knows_all_cases() -> None:
    assert tuple(case.name for case in CASES) == POSTERIORS


@pytest.mark.parametrize("case", CASES, ids=POSTERIORS)
def test_formulas_for_pymc_are_the_models(case: Case) -> None:
    configure_jax()
    problem = Problem.of(case.model, case.dataset(1), case.settings.get("model_config"))
    if problem.model.name not in CURVES:
        assert problem.model.name == "giesekus"
        return
    seen = problem.observations
    random = np.random.default_rng(0)
    for _ in range(3):
        values = [
            parameter.default * random.uniform(0.7, 1.3) for parameter in problem.model.parameters
        ]
        named = dict(zip(problem.model.names, values, strict=True))
        ours = np.asarray(problem.components(seen.x, np.array(values)))[:, : seen.n]
        theirs = CURVES[problem.model.name](NUMPY, seen.x[: seen.n], named)
        np.testing.assert_allclose(np.stack(theirs), ours, rtol=1e-9, atol=1e-300)


def _row(ess: float, cpu: float) -> dict[str, float]:
    return {"ess": ess, "cpu": cpu, "r_hat": 1.0, "divergences": 0, "off": 0.01, "wide": 2.0}


def test_tables_say_what_is_missing() -> None:
    rows: dict[str, object] = {
        side: [_row(1000.0, 0.1), _row(1200.0, 0.1)] for side in SIDES if "nutpie" not in side
    }
    rows[MAXIMUM] = [_row(1000.0, 0.08), _row(1200.0, 0.08)]
    rows["nutpie, Numba"] = "no nutpie"
    rows["blackjax, jitted"] = "not expressed"
    rows["DREAM of bumps, from the maximum"] = [_row(5.0, 1.0) | {"off": 99.0}]
    quick, worst, means = tables({"maxwell 60": rows})
    [cells] = quick.rows
    found = dict(zip(quick.columns, cells, strict=True))
    assert found[OURS] == "11,000 (10,000)"
    assert found["nutpie, Numba"] == "no nutpie"
    assert found["blackjax, jitted"] == "–"
    assert "1.25 times" in quick.notes[-1]
    assert "to 1.25 (maxwell 60)" in quick.notes[-1]
    assert dict(zip(means.columns, means.rows[0], strict=True))[SIDES[-1]] == "lost"
    assert "1000, 1.000, 0 / 0" in worst.rows[0]
