"""The table of a batch holds the warnings, and doubtful results are counted apart."""

from __future__ import annotations

import io
import math
from types import SimpleNamespace

import pytest
from rich.console import Console

from rheojobs.cli import batch
from rheojobs.inference.batch.results_table import doubt_of, rows_of

pytestmark = pytest.mark.promise("right-or-refused")


def entry(
    name: str,
    r_squared: float | None,
    *,
    worked: bool = True,
    warnings=(),
    draws=None,
    doubt: str = "",
    r_hat: float = 1.0,
) -> SimpleNamespace:
    fit = None
    if r_squared is not None:
        fit = SimpleNamespace(
            test_mode="relaxation",
            success=True,
            r_squared=r_squared,
            aicc=1.0,
            bic=1.0,
            reduced_chi_squared=1.0,
            weights="uniform",
            n_iterations=3,
            warnings=list(warnings),
            parameters={"G0": 1.0},
            uncertainties={"G0": 0.1},
            units={"G0": "Pa"},
            doubt=doubt,
        )
    posterior = draws and {
        "summary": {},
        "diagnostics": {"divergences": 3, "warnings": list(draws), "r_hat": {"G0": r_hat}},
        "num_samples": 10,
        "num_chains": 2,
    }
    return SimpleNamespace(
        item=SimpleNamespace(name=name, label="maxwell"),
        state="failed" if fit is None else "succeeded",
        message="no table" if fit is None else "",
        fit=fit,
        posterior=posterior,
        was_skipped=fit is not None and not worked,
    )


def test_warnings_have_a_column() -> None:
    rows = rows_of(
        [
            entry("a.csv", 0.99, warnings=["G0 is at its upper bound", "eta is not determined"]),
            entry("b.csv", -61.0, draws=["3 divergences"]),
            entry("c.csv", None),
            entry("d.csv", 0.999),
        ]
    )
    assert rows[0]["warnings"] == "G0 is at its upper bound; eta is not determined"
    assert rows[1]["warnings"] == "R² is -61: no better than a constant; 3 divergences"
    assert (rows[2]["warnings"], rows[3]["warnings"]) == (None, "")


@pytest.mark.parametrize(
    ("r_squared", "expected"), [(-61.0, True), (-0.01, True), (0.0, True), (math.nan, True),
                                (0.01, False), (1.0, False)],
)  # fmt: skip
def test_which_fits_are_no_better_than_a_constant(r_squared: float, expected: bool) -> None:
    assert ("no better than a constant" in doubt_of(entry("a.csv", r_squared))) is expected


def test_what_is_doubtful() -> None:
    assert doubt_of(entry("a.csv", None)) == ""
    assert doubt_of(entry("a.csv", 0.9, doubt="the fit did not converge")) == (
        "the fit did not converge"
    )
    assert doubt_of(entry("a.csv", 0.99, draws=["few draws"])) == ""
    apart = doubt_of(entry("a.csv", 0.99, draws=["apart"], r_hat=1.2))
    assert apart == "the chains did not converge: R-hat of G0 is above 1.01"


def test_doubtful_results_are_counted_apart_and_named() -> None:
    text = io.StringIO()
    console = Console(file=text, width=120)
    entries = [
        entry("a.csv", 0.99),
        entry("b.csv", -61.0),
        entry("c.csv", 0.5, doubt="the curve misses the data (R² = 0.5)"),
        entry("d.csv", -0.01, worked=False),
        entry("e.csv", None),
    ]
    batch._show(entries, SimpleNamespace(tables=console))
    said = text.getvalue()
    assert "1 done, 1 skipped (nothing has changed), 1 failed, 3 doubtful" in said
    for name, r_squared in (("b.csv", "-61"), ("d.csv", "-0.01")):
        assert f"{name}  maxwell  R² is {r_squared}: no better than a constant" in said
    assert "c.csv  maxwell  the curve misses the data (R² = 0.5)" in said


def test_conditions_of_the_names_have_columns() -> None:
    rows = rows_of([entry("a.csv", 0.99), entry("data/b_150C_2wt%.csv", None)])
    assert [row["condition T [K]"] for row in rows] == [None, pytest.approx(423.15)]
    assert [row["condition c"] for row in rows] == [None, pytest.approx(0.02)]
    # Before the parameters, though only the second row has them.
    titles = list(rows[0])
    assert titles.index("condition T [K]") < titles.index("G0 [Pa]")
    given = rows_of([entry("b_150C.csv", 0.99)], [{"T": 300.0, "pH": 7.0}])
    assert (given[0]["condition T [K]"], given[0]["condition pH"]) == (300.0, 7.0)
