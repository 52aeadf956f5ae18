"""The sides of the study of fits minimize the same, and its tables compare them."""

from __future__ import annotations

import numpy as np
import pytest
from fitting_study import batches, large, single
from fitting_study.problems import PROBLEMS
from fitting_study.single import JOB
from fitting_study.small_lm import minimized
from fitting_study.solvers import OURS, SOLVERS

from rheojobs import fit

OTHERS = [side for side in SOLVERS if side != OURS]


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("side", OTHERS)
def test_all_sides_find_one_minimum(name: str, side: str) -> None:
    for module in ("optimistix", "nlsq"):
        if module in side.lower():
            pytest.importorskip(module)
    problem = PROBLEMS[name]
    x, y = problem.data(60, 3)
    ours = fit(
        problem.dataset(x, y), problem.model, initial_params=problem.start, weights="relative"
    )
    theirs = SOLVERS[side](problem)(x, y)
    assert problem.cost(theirs, x, y) == pytest.approx(ours.chi_squared, rel=1e-8)
    np.testing.assert_allclose(theirs, list(ours.parameters.values()), rtol=1e-4)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_small_optimizer_finds_it_for_many_at_once(name: str) -> None:
    import jax
    import jax.numpy as jnp

    problem = PROBLEMS[name]
    x, y = (np.stack(rows) for rows in zip(*(problem.data(50, k) for k in range(4)), strict=True))

    def solve(x: jax.Array, y: jax.Array) -> jax.Array:
        def residuals(u: jax.Array, x: jax.Array) -> jax.Array:
            return problem.logarithm(jnp, x, *u) - jnp.log(y)

        u = minimized(residuals, jnp.asarray(problem.begin), x)
        return jnp.stack(problem.parameters(jnp, u))

    least = SOLVERS["leastsq"](problem)
    for k, found in enumerate(np.asarray(jax.jit(jax.vmap(solve))(x, y))):
        np.testing.assert_allclose(found, least(x[k], y[k]), rtol=1e-4)


def test_a_seed_is_a_dataset_of_its_own() -> None:
    problem = PROBLEMS["carreau"]
    first, again, other = (problem.data(50, seed)[1] for seed in (1, 1, 2))
    assert (first == again).all()
    assert np.abs(np.log(first / other)).max() > 0.05


def test_tables() -> None:
    row = dict.fromkeys((*SOLVERS, JOB), 0.002) | {"points": 60, "leastsq": 0.001}
    [table] = single.tables({"maxwell": [row | {"apart": dict.fromkeys(SOLVERS, 1e-9)}]})
    assert "0.001, leastsq" in table.rows[0]
    assert "0.50×" in table.rows[0]
    found = {"seconds": 0.5, "cost": 1.0, "megabytes": 120.0}
    rows = dict.fromkeys((*SOLVERS, JOB), found) | {"NLSQ, kept": {"error": "no answer"}}
    [table] = large.tables({"maxwell": [{"points": 1_000_000, **rows}]})
    assert "0.5 s, 120 MB" in table.rows[0]
    assert "–" in table.rows[0]
    batch = {"seconds": 2.0, "apart": 1e-9, "missed": 0}
    [table] = batches.tables(
        {"maxwell": [{"datasets": 200, "a": batch, batches.RHEOJAX: {"seconds": 40.0}}]}
    )
    assert table.rows == [["a", "100", "1e-09", "0"], [batches.RHEOJAX, "5", "–", "–"]]
