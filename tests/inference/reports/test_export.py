from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.reports.export import export
from rheojobs.inference.results.fit_result import FitResult


@pytest.fixture
def dataset() -> Dataset:
    x = np.linspace(0.1, 5.0, 20)
    return Dataset(x, 1e3 * np.exp(-x), "relaxation", name="<b>gel & co</b>")


@pytest.fixture
def fit(dataset: Dataset) -> FitResult:
    return FitResult(
        "maxwell",
        {"G0": 1e3, "eta": 1e3},
        0.99,
        1.0,
        1.0,
        0.1,
        datetime.now(UTC),
        5,
        True,
        uncertainties={"G0": 12.5, "eta": math.inf},
        residuals=np.zeros(20),
        fitted=dataset.y,
        test_mode="relaxation",
        units={"G0": "Pa", "eta": "Pa·s"},
        warnings=["eta < 0 & worse"],
    )


def test_the_page_quotes_what_it_tells(dataset: Dataset, fit: FitResult, tmp_path: Path) -> None:
    path = tmp_path / "fit.html"
    assert export(fit, dataset, str(path)) == str(path)
    page = path.read_text(encoding="utf-8")
    assert "Fit of maxwell to &lt;b&gt;gel &amp; co&lt;/b&gt;" in page
    assert "<b>gel" not in page
    assert "<li>eta &lt; 0 &amp; worse</li>" in page
    unstyled = re.sub(r' style="[^"]*"', "", page)
    assert '<td class="number">12.5</td>' in unstyled
    assert '<td class="number">∞</td><td>Pa·s</td><td>not determined by the data</td>' in unstyled


def test_what_was_there_stays_when_writing_fails(
    dataset: Dataset, fit: FitResult, tmp_path: Path
) -> None:
    path = tmp_path / "fit.csv"
    export(fit, dataset, str(path))
    before = path.read_bytes()
    fit.uncertainties = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        export(fit, dataset, str(path))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match=r"did you mean '\.csv'"):
        export(fit, dataset, str(tmp_path / "fit.cvs"))
