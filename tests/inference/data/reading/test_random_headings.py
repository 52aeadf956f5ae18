"""Tables in random dialects, units and headings: the same SI numbers, or a refusal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")

TURN = 2 * math.pi
PSI = 0.45359237 * 9.80665 / 0.0254**2  # by the definitions of the pound and the inch
PASCALS = {
    "Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "KPA": 1e3, "N/m^2": 1.0, "N/mm²": 1e6, "N/cm2": 1e4,
    "D/cm²": 0.1, "dyn/cm^2": 0.1, "psi": PSI, "ksi": 1e3 * PSI, "kgf/cm2": 98066.5, "bar": 1e5,
    "1E+3 Pa": 1e3, "10^3 Pa": 1e3, "x10³ Pa": 1e3, "mpa": None, "Torr·m": None, "blob": None,
}  # fmt: skip
PASCAL_SECONDS = {
    "Pa·s": 1.0, "Pa.s": 1.0, "mPa·s": 1e-3, "mPas": 1e-3, "cP": 1e-3, "P": 0.1, "poise": 0.1,
    "N·s/m²": 1.0, "kg/(m·s)": 1.0, "mpa.s": None, "cSt": None,
}  # fmt: skip
SECONDS = {
    "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "ms": 1e-3, "µs": 1e-6, "μs": 1e-6, "us": 1e-6,
    "days": 86400.0, "weeks": 604800.0, "fortnights": None, "hh:mm": None,
}  # fmt: skip
# Name -> spellings, and units with their factors to SI; None for what must be refused.
QUANTITIES: dict[str, tuple[list[str], dict[str, float | None]]] = {
    "ω": (
        ["Angular frequency", "ω", "omega"],
        {"rad/s": 1.0, "rad·s⁻¹": 1.0, "Hz": TURN, "1/s": 1.0, "rpm": TURN / 60, "rev/s": TURN,
         "deg/s": math.pi / 180, "N": None},
    ),
    "f": (
        ["Frequency", "freq", "Frequenz"],
        {"Hz": TURN, "HZ": TURN, "mHz": 1e-3 * TURN, "1/min": TURN / 60, "rad/s": 1.0,
         "rpm": TURN / 60, "rev/s": TURN, "Pa": None},
    ),
    "γ̇": (
        ["Shear rate", "γ̇", "Scherrate"],
        {"1/s": 1.0, "s⁻¹": 1.0, "s^-1": 1.0, "1/min": 1 / 60, "rpm": None},
    ),
    "t": (["Time", "t", "Zeit", "temps"], SECONDS),
    "G'": (["Storage modulus", "G'", "Storage Modulus G'", "Speichermodul"], PASCALS),
    "G''": (["Loss modulus", "G''", "Verlustmodul"], PASCALS),
    "τ": (["Shear stress", "τ", "Schubspannung"], PASCALS),
    "η": (["Viscosity", "η", "Shear viscosity"], PASCAL_SECONDS),
    "G(t)": (["Relaxation modulus", "G(t)"], PASCALS),
    "J(t)": (
        ["Creep compliance", "J(t)"],
        {"1/Pa": 1.0, "Pa⁻¹": 1.0, "1/kPa": 1e-3, "mm²/N": 1e-6, "cm²/dyn": 10.0,
         "10^-6 1/Pa": 1e-6, "1e-6/Pa": 1e-6, "mm": None},
    ),
}  # fmt: skip
TESTS = {
    "oscillation": [("ω", "G'", "G''"), ("f", "G'", "G''")],
    "flow_curve": [("γ̇", "τ"), ("γ̇", "η")],
    "relaxation": [("t", "G(t)")],
    "creep": [("t", "J(t)")],
}
JOINTS = ["{} [{}]", "{} ({})", "{} / {}", "{}, {}", "{} in {}", "{}({})", "{} [{}] (25 °C)"]
CELLS = ["{}", "[{}]", "({})", "in {}", "/ {}", ", {}"]
BETWEEN = [[], ["Waveform", "Sinus"], ["Sample A"] * 9, ["first run"]]


class Table(NamedTuple):
    """A table as a file writes it, and what it holds; `known` if nothing in it is unclear."""

    text: str
    mode: str
    x: np.ndarray
    y: np.ndarray
    known: bool


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table with its units in one of the places where files have them."""
    mode = draw(st.sampled_from(sorted(TESTS)))
    quantities = draw(st.sampled_from(TESTS[mode]))
    delimiter = draw(st.sampled_from("\t;,|"))
    decimal = draw(st.sampled_from(".,"))
    group = draw(st.sampled_from(["", "", ",", ".", "'"]).filter(lambda mark: mark != decimal))
    place = draw(st.sampled_from(["label", "below", "above", "comment", "log label", "log unit"]))
    names, units, factors = [], [], []
    for quantity in quantities:
        spellings, known = QUANTITIES[quantity]
        names.append(draw(st.sampled_from(spellings)))
        units.append(draw(st.sampled_from(sorted(known))))
        factors.append(known[units[-1]])
    digits = st.integers(1001, 9999).map(lambda n: n / 1000)
    count = draw(st.integers(3, 6))
    mantissas = [draw(st.lists(digits, min_size=count, max_size=count)) for _ in quantities]
    powers = [draw(st.integers(-1, 3)) for _ in quantities]
    values = np.array([np.array(m) * 10.0**p for m, p in zip(mantissas, powers, strict=True)])
    values[0] = np.sort(values[0]) * np.arange(1, count + 1)  # one sweep
    logarithmic = place.startswith("log")
    written = np.log10(values) if logarithmic else values
    cells = [[_spelled(v, decimal, "" if logarithmic else group) for v in row] for row in written.T]
    extra = draw(st.sampled_from(["", "Temperature", "Torque", "Point No."]))
    extra_unit = {"Temperature": "°C", "Torque": "µNm"}.get(extra, "-")
    if extra:
        names, units = [extra, *names], [extra_unit, *units]
        cells = [[f"{k}", *row] for k, row in enumerate(cells, 1)]
    lines = _head(draw, names, units, place) + cells
    text = "\n".join(delimiter.join(_quoted(cell, delimiter) for cell in row) for row in lines)
    if place == "comment":
        text = f"# {text}".replace("\n", "\n# ", 1)
    scaled = [v * (1.0 if f is None else f) for v, f in zip(values, factors, strict=True)]
    y = scaled[1] + 1j * scaled[2] if mode == "oscillation" else scaled[1]
    return Table(f"{text}\n", mode, scaled[0], y, None not in factors)


def _spelled(value: float, decimal: str, group: str) -> str:
    whole, _, rest = f"{value:.9f}".rstrip("0").partition(".")
    if group:
        whole = f"{int(whole):,}".replace(",", group)
    return f"{whole}{decimal}{rest or '0'}"


def _quoted(cell: str, delimiter: str) -> str:
    return f'"{cell}"' if delimiter in cell else cell


def _head(draw: st.DrawFn, names: list[str], units: list[str], place: str) -> list[list[str]]:
    if place in ("label", "log label", "log unit"):
        joint = draw(st.sampled_from(JOINTS))
        if place == "log label":
            log = draw(st.sampled_from(["log ", "log10 ", "Log10 ", "lg "]))
            names = [name if unit in ("-", "°C", "µNm") else f"{log}{name}"
                     for name, unit in zip(names, units, strict=True)]  # fmt: skip
        if place == "log unit":
            units = [unit if unit in ("-", "°C", "µNm") else f"log {unit}" for unit in units]
        return [[joint.format(n, u) if u != "-" else n for n, u in zip(names, units, strict=True)]]
    # A comma behind a comment mark begins a row of blank cells.
    style = draw(st.sampled_from(CELLS[:-1] if place == "comment" else CELLS))
    row = [style.format(unit) for unit in units]
    if place == "above":
        return [row, names]
    between = draw(st.sampled_from(BETWEEN)) if place == "below" else []
    between = (between + [""] * len(names))[: len(names)]
    return [names, between, row] if any(between) else [names, row]


def _read(path: Path) -> tuple[Dataset | None, str]:
    """Return the data, or None and the reason."""
    try:
        return read(path), ""
    except InputError as error:
        return None, str(error)


@settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables())
def test_the_same_numbers_or_a_refusal(tmp_path: Path, table: Table) -> None:
    path = tmp_path / "table.txt"
    path.write_text(table.text, encoding="utf-8")
    dataset, refusal = _read(path)
    if dataset is None:
        # "1,001" in all cells may be either number.
        if "the decimal sign or separate thousands" not in refusal:
            assert not table.known, f"{refusal}\n{table.text}"
            assert "unit" in refusal or "not recognised" in refusal
        return
    if any("taken for granted" in note for note in dataset.notes):
        return
    if any("no unit read in" in note for note in dataset.notes):
        return  # the text in which there is none is quoted
    assert table.known, f"{dataset.notes}\n{table.text}"
    assert dataset.test_mode == table.mode
    np.testing.assert_allclose(dataset.x, table.x, rtol=1e-6, err_msg=table.text)
    np.testing.assert_allclose(dataset.y, table.y, rtol=1e-6, err_msg=table.text)
