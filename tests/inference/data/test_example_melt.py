"""The shipped melt data are what their header says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rheojobs.inference.data import example_melt


def test_zero_shear_viscosity_is_the_published_one() -> None:
    assert example_melt.zero_shear_viscosity() == pytest.approx(5.1e4, rel=0.02)


def test_moduli_follow_the_limits_of_a_linear_viscoelastic_liquid() -> None:
    slow, fast = 1e-6, 1e8
    storage, loss = example_melt.storage_and_loss_modulus([slow, fast])
    compliance = sum(
        g * t**2 for g, t in zip(example_melt.MODULI, example_melt.RELAXATION_TIMES, strict=True)
    )
    assert loss[0] / slow == pytest.approx(example_melt.zero_shear_viscosity(), rel=1e-5)
    assert storage[0] / slow**2 == pytest.approx(compliance, rel=1e-5)
    assert storage[1] == pytest.approx(sum(example_melt.MODULI), rel=1e-5)


def test_moduli_match_the_complex_modulus() -> None:
    omega = np.logspace(-3, 3, 25).reshape(5, 5)
    complex_modulus = sum(
        g * 1j * omega * t / (1 + 1j * omega * t)
        for g, t in zip(example_melt.MODULI, example_melt.RELAXATION_TIMES, strict=True)
    )
    storage, loss = example_melt.storage_and_loss_modulus(omega)
    np.testing.assert_allclose(storage + 1j * loss, complex_modulus, rtol=1e-12)


def test_noise_is_three_percent_and_independent() -> None:
    data = example_melt.make_dataset(points_per_decade=5000)
    storage, loss = example_melt.storage_and_loss_modulus(data.omega)
    deviations = np.array([data.storage / storage - 1, data.loss / loss - 1])
    np.testing.assert_allclose(deviations.std(axis=1), 0.03, rtol=0.02)
    np.testing.assert_allclose(deviations.mean(axis=1), 0.0, atol=0.001)
    assert abs(np.corrcoef(deviations)[0, 1]) < 0.03


def test_seed_alone_decides_the_noise() -> None:
    np.testing.assert_array_equal(
        example_melt.make_dataset(seed=5), example_melt.make_dataset(seed=5)
    )
    assert np.all(example_melt.make_dataset(seed=5).loss != example_melt.make_dataset(seed=6).loss)
    clean = example_melt.make_dataset(noise=0.0)
    np.testing.assert_array_equal(clean[1:], example_melt.storage_and_loss_modulus(clean.omega))


def test_shipped_file_is_what_the_module_makes(tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    example_melt.write_csv(again)
    assert example_melt.csv_path().read_bytes() == again.read_bytes()

    rows = np.loadtxt(example_melt.csv_path(), delimiter=",", skiprows=_header_lines(), unpack=True)
    made = example_melt.make_dataset()
    assert rows.shape == (3, 61)
    np.testing.assert_allclose(rows, made, rtol=5.1e-6)
    deviations = rows[1:] / example_melt.storage_and_loss_modulus(rows[0]) - 1
    assert deviations.std() == pytest.approx(0.03, rel=0.2)


def test_header_says_what_the_data_are() -> None:
    lines = example_melt.csv_path().read_text(encoding="utf-8").splitlines()
    header = "\n".join(line for line in lines if line.startswith("#"))
    for fact in (
        'LDPE "Melt I"',
        "150 C",
        "Laun, Rheol. Acta 17 (1978) 1-15",
        "1.29e+05 Pa at 1e-04 s",
        "3 % multiplicative Gaussian",
        f"Seed: {example_melt.SEED}",
        "python -m rheojobs.inference.data.example_melt",
    ):
        assert fact in header
    columns = "Angular Frequency (rad/s),Storage Modulus (Pa),Loss Modulus (Pa)"
    assert lines[_header_lines() - 1] == columns


def _header_lines() -> int:
    lines = example_melt.csv_path().read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines) if not line.startswith("#")) + 1
