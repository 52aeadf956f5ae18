"""The whole demonstration, as `make demo` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rheojobs import FitResult
from rheojobs.cli import demo
from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.read import read


def test_the_start_has_a_mode_in_each_decade():
    start = demo.start_values(read(example_melt.csv_path()))
    times = [start[f"tau_{mode}"] for mode in range(1, 7)]
    assert times == sorted(times)
    assert times == pytest.approx([1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2])
    assert all(value > 0 for value in start.values())


@pytest.mark.slow
def test_the_demonstration_converges_and_writes_its_three_files(rheojobs, tmp_path: Path):
    from arviz_stats import summary
    from xarray import open_datatree

    folder = tmp_path / "new" / "demo"
    ran = rheojobs("demo", "--out", folder)
    assert ran.status == 0, ran.stderr
    assert {path.name for path in folder.iterdir()} == {"figure.png", "fit.json", "posterior.nc"}
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    fit = FitResult.load(folder / "fit.json")
    assert fit.success
    assert fit.r_squared > 0.999
    # Residuals as large as the noise of the data: the model describes all the rest.
    assert fit.reduced_chi_squared**0.5 == pytest.approx(example_melt.NOISE, rel=0.15)
    # Laun's modes are found, except where two of them share the edge of the window.
    for mode, modulus in ((3, 2.67e4), (4, 9.80e3), (5, 1.89e3), (6, 1.80e2)):
        assert abs(fit.parameters[f"G_{mode}"] - modulus) < 4 * fit.uncertainties[f"G_{mode}"]
    with open_datatree(folder / "posterior.nc", engine="h5netcdf") as tree:
        table = summary(tree, round_to="none")
        assert {"posterior", "posterior_predictive", "log_likelihood", "sample_stats"} <= set(tree)
    assert table["r_hat"].max() <= 1.01
    assert table["ess_bulk"].min() >= 400
    assert "warning" not in ran.stderr
    assert "zero-shear viscosity" in ran.stdout
    for head in ("95 % interval", "R-hat", "bulk/tail", "tau_6", "sigma_imag"):
        assert head in ran.stdout
