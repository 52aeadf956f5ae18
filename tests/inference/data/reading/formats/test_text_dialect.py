"""Any dialect of a table reads to the same numbers; any bytes give data or one clear error."""

from __future__ import annotations

import io
import math
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.formats.text_dialect import NumberStyle, decoded, is_number
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")

SHARED_FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "ms": 1e-3}
PASCALS = {"Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "mPa": 1e-3, "N/m²": 1.0}
# The x of each test and its y: spellings, and units with their factors.
X = {
    "oscillation": (
        ["ω", "Angular Frequency", "omega", "Kreisfrequenz", "ang_frequency"],
        {"rad/s": 1.0, "1/s": 1.0, "Hz": 2 * math.pi},
    ),
    "flow_curve": (
        ["Shear Rate", "γ̇", "gamma_dot", "Scherrate"],
        {"1/s": 1.0, "s⁻¹": 1.0, "1/min": 1 / 60},
    ),
    "relaxation": (["Time", "t", "Step time", "Zeit", "temps"], SECONDS),
    "creep": (["time", "t", "Elapsed Time"], SECONDS),
}
Y = {
    "oscillation": [
        (["G'", "Storage Modulus", "G′", "Speichermodul", "storage_modulus"], PASCALS),
        (["G''", "Loss Modulus", "G″", "Verlustmodul", "Module de perte"], PASCALS),
    ],
    "flow_curve": [(["Shear Stress", "τ", "sigma", "Schubspannung", "contrainte"], PASCALS)],
    "relaxation": [(["G(t)", "Relaxation Modulus", "Relaxationsmodul"], PASCALS)],
    "creep": [(["J(t)", "Creep Compliance", "J"], {"1/Pa": 1.0, "Pa⁻¹": 1.0, "1/kPa": 1e-3})],
}
EXTRAS = ["Temperature", "Torque", "Point No.", "Normal Force", "std", "Status"]
PREAMBLES = [
    [],
    ["# made by hand", "# 2024-05-01"],
    ["Sample: PS", "", "Operator: A"],
    ["% LDPE", "", ""],
    ["// export", "Geometry: 25 mm plate"],
    ["[Header]", "File: C:\\data\\x.tri"],
]
GAPS = ["", "n/a", "NaN", "---"]


class Table(NamedTuple):
    """A table as a file writes it, and what it should read to."""

    data: bytes
    mode: str
    named: bool
    x: np.ndarray
    y: np.ndarray
    dropped: int


def spelled(value: float, decimal: str, group: str) -> str:
    """Write a number as a program of this locale does."""
    text = repr(value)
    if group and "e" not in text:
        whole, _, rest = text.partition(".")
        grouped = f"{int(whole):,}".replace(",", group)
        return f"{grouped}{decimal}{rest}"
    return text.replace(".", decimal)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table of one test in a random dialect."""
    mode = draw(st.sampled_from(sorted(X)))
    columns = [X[mode], *Y[mode]]
    value = st.floats(1e-6, 1e9).map(lambda v: float(f"{v:.8g}"))
    # In order, and not all at one x: others are several sweeps, or none.
    apart = st.lists(
        st.tuples(*[value] * len(columns)),
        min_size=1,
        max_size=10,
        unique_by=lambda row: round(math.log(row[0])),
    ).map(sorted)
    rows = draw(apart.filter(lambda rows: len(rows) == 1 or rows[-1][0] > 1.2 * rows[0][0]))
    values = np.array(rows)
    delimiter = draw(st.sampled_from(["\t", ";", ",", "|", " ", "  "]))
    blank = delimiter.isspace() and delimiter != "\t"
    decimal = draw(st.sampled_from(".," if delimiter != "," else "."))
    # Groups of digits at a comma or point are only read where a number in the file proves them.
    group = draw(st.sampled_from(["", "'", "\u202f", " "] if not blank else ["", "'", "\u202f"]))
    placed = draw(st.sampled_from(["no header", "no units", "header", "row", "comment"]))
    if blank and placed == "row":
        placed = "header"

    names, units, factors = [], [], []
    for spellings, known in columns:
        name = draw(st.sampled_from(spellings))
        unit = draw(st.sampled_from(sorted(known)))
        names.append(name.replace(" ", "_") if blank else name)
        units.append(unit)
        factors.append(known[unit] if placed in ("header", "row", "comment") else 1.0)
    cells = [[spelled(v, decimal, group) for v in row] for row in rows]
    dropped = 0
    if not blank:
        for index in draw(st.lists(st.integers(0, len(rows)), max_size=2)):
            gap = [spelled(7.5, decimal, group), *[draw(st.sampled_from(GAPS))] * len(Y[mode])]
            cells.insert(index, gap)
            dropped += 1
    if placed not in ("no header",):
        for extra in draw(st.lists(st.sampled_from(EXTRAS), max_size=2, unique=True)):
            at = draw(st.integers(0, len(names)))
            names.insert(at, extra.replace(" ", "_") if blank else extra)
            units.insert(at, {"Temperature": "°C", "Torque": "µNm"}.get(extra, "-"))
            for index, row in enumerate(cells):
                row.insert(at, "ok" if extra == "Status" else spelled(index + 1.5, decimal, ""))
        order = draw(st.permutations(range(len(names))))
        names, units = [names[i] for i in order], [units[i] for i in order]
        cells = [[row[i] for i in order] for row in cells]

    bracket = draw(st.sampled_from(["[{}]", "({})"]))
    joint = draw(st.sampled_from([" {} [{}]", "{} ({})", "{} / {}", "{} in {}"])).strip()
    joint = "{} [{}]" if blank else joint
    head: list[list[str]] = []
    if placed in ("header", "comment"):
        head = [[joint.format(n, u) if u != "-" else n for n, u in zip(names, units, strict=True)]]
    elif placed == "no units":
        head = [names]
    elif placed == "row":
        head = [names, [bracket.format(u) for u in units]]

    def joined(row: list[str]) -> str:
        quoted = [
            f'"{c.replace(chr(34), chr(34) * 2)}"' if not blank and (delimiter in c) else c
            for c in row
        ]
        tail = delimiter if trailing else ""
        return delimiter.join(quoted) + tail

    trailing = not blank and draw(st.booleans())
    preamble = draw(st.sampled_from(PREAMBLES))
    lines = [*preamble, *map(joined, head)]
    if placed == "comment":
        lines[-1] = "# " + lines[-1]
    lines += map(joined, cells)
    if draw(st.booleans()):
        lines.insert(draw(st.integers(len(preamble) + len(head), len(lines))), "")
    if draw(st.booleans()):
        lines.insert(draw(st.integers(len(preamble) + len(head), len(lines))), "# checked")
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join([*lines, ""])
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
    encoding = draw(st.sampled_from(encodings))
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:  # a Greek letter in a code page of Western Europe
        data = text.encode("utf-8")
    scaled = values * np.array(factors)
    y = scaled[:, 1] + 1j * scaled[:, 2] if mode == "oscillation" else scaled[:, 1]
    return Table(data, mode, placed != "no header", scaled[:, 0], y, dropped)


@pytest.mark.slow
@settings(SHARED_FOLDER, max_examples=400)
@given(tables())
def test_any_dialect_reads_to_the_same_numbers(tmp_path: Path, table: Table) -> None:
    path = tmp_path / "dialect.csv"
    path.write_bytes(table.data)
    dataset = read(path, mode=None if table.named else table.mode)
    assert dataset.test_mode == table.mode
    np.testing.assert_allclose(dataset.x, table.x, rtol=1e-12)
    np.testing.assert_allclose(dataset.y.real, table.y.real, rtol=1e-12)
    np.testing.assert_allclose(dataset.y.imag, table.y.imag, rtol=1e-12)
    left_out = [note for note in dataset.notes if "left out" in note]
    assert bool(left_out) == bool(table.dropped)
    assert not table.dropped or left_out[0].startswith(f"{table.dropped} of ")


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Time (s)", "G(t) (Pa)"])
    for row in ((1, 30.5), (2, 20), (4, 10)):
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


LIMS = (
    "[Version]\n[Step]\nStep name\tCreep\nVariables\tStep time\tCompliance\nUnits\tmin\t1/MPa\n"
    "Data point\t1\t2\nData point\t2\t4\n"
)
INTERVALS = (
    "Project:\tP\n\nInterval and data points:\t1\t2\nInterval data:\tPoint No.\tShear Rate\t"
    "Shear Stress\n\t\t[1/s]\t[Pa]\n\t1\t0,1\t2,5\n\t2\t1\t4,5\n"
)
REAL = [
    example_melt.csv_path().read_bytes(),
    _workbook(),
    LIMS.encode("utf-16"),
    INTERVALS.encode("utf-16-le"),
    "Zeit;Relaxationsmodul\n[min];[kPa]\n1;1.234,5\n2;1.100,0\n".encode("cp1252"),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file, cut short and with some of its bytes changed, doubled or lost."""
    data = bytearray(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(0, 12))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["change", "cut", "double", "swap"])):
            case "change":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=3))
            case "cut":
                del data[at : at + draw(st.integers(1, 50))]
            case "double":
                data[at:at] = data[max(0, at - 40) : at]
            case "swap":
                data[at:], data[:at] = data[:at], data[at:]
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


junk = st.one_of(
    st.binary(max_size=400),
    st.text("0123456789,.;|\t\n \r#%\"'eE+-xGt()[]ω*", max_size=300).map(str.encode),
    st.text(max_size=200).map(lambda text: text.encode("utf-16", "surrogatepass")),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(max_size=60).map(
        lambda t: f"Time,{t},G(t)\n1,{t},2\n3,4,{t}\n".encode("utf-8", "replace")
    ),
    st.binary(max_size=100).map(lambda data: b"PK\x03\x04" + data),
    st.text("0123456789.\t\n", max_size=100).map(
        lambda text: f"[Step]\nVariables\tTime\tJ\n{text}\nData point\t{text}".encode()
    ),
    damaged(),
)
columns = st.one_of(st.none(), st.integers(-1, 5), st.text(max_size=5))


@pytest.mark.slow
@settings(SHARED_FOLDER, max_examples=600)
@given(junk, st.sampled_from([None, "oscillation", "creep", "laos"]), columns, columns, columns)
def test_any_bytes_give_data_or_one_clear_error(
    tmp_path: Path, data: bytes, mode: str | None, x, y, y2
) -> None:
    path = tmp_path / "junk.csv"
    path.write_bytes(data)
    try:
        dataset = read(path, mode=mode, x=x, y=y, y2=y2)
    except InputError as error:
        said = str(error)
        assert "junk.csv" in said
        assert said.isprintable()
        assert len(said) < 600
        return
    assert len(dataset) > 0
    assert np.isfinite(dataset.x).all()
    assert np.isfinite(dataset.y).all()
    assert dataset.test_mode is None or (dataset.x >= 0).all()
    assert all("\n" not in note for note in (dataset.summary(), *dataset.notes))


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        b"1," * 3_000_000,
        b"a" * 5_000_000,
        b" " * 3_000_000 + b"x",
        b"(" * 90_000 + b"1 2",
        b"a [" * 30_000 + b"1 2\n1 2",
        b"a" + b" " * 99_000 + b"b\n1 2\n",
        b'"' + b"1,\n" * 100_000,
        b"\n" * 2_000_000,
        b"| " * 45_000 + b"\n1|2\n",
        b"1.111" * 18_000 + b"\n1;2\n",
        b"\0" * 1_000_000,
    ],
    ids=lambda data: f"{data[:8]!r} {len(data)}",
)
@pytest.mark.timeout(60)
def test_odd_giants_end_soon(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "giant.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).isprintable()


def test_an_excel_bomb_of_text_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "0" * 1_000_000)
    with pytest.raises(InputError, match=r"book\.xlsx: not a readable Excel workbook"):
        read(path)


@pytest.mark.parametrize(
    ("cell", "decimal", "grouped", "value"),
    [
        ("1,234.5", ".", True, 1234.5),
        ("1,234.5", ".", False, math.nan),
        ("1.234,5", ",", True, 1234.5),
        ("1.234.567", ",", True, 1234567),
        ("1.23,5", ",", True, math.nan),
        ("0,123", ".", True, math.nan),
        ("1 234,5", ",", False, 1234.5),
        ("1'234.5e-3", ".", False, 1.2345),
        ("−3", ".", False, -3),
        ("1.0D+05", ".", False, 1e5),
        ("1_000", ".", False, math.nan),
        ("nan", ".", False, math.nan),
        ("1e999", ".", False, math.nan),
    ],
)
def test_numbers(cell: str, decimal: str, grouped: bool, value: float) -> None:
    np.testing.assert_equal(NumberStyle(decimal, grouped).number(cell), value)


def test_a_comma_before_three_digits_is_a_decimal_comma_unless_proven(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("Time (s);G(t) (Pa)\n1;1,234\n2;0,500\n")
    np.testing.assert_array_equal(read(path).y, [1.234, 0.5])
    path.write_text("Time (s);G(t) (Pa)\n1,000;1,234.5\n2,000;900\n")
    np.testing.assert_array_equal(read(path).x, [1000, 2000])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(encoding: str) -> None:
    text = "µPa·s °C\n" * 5
    assert decoded(text.encode(encoding)).lstrip("\ufeff") == text


def test_a_cell_of_very_many_digits_takes_no_time():
    begin = time.perf_counter()
    assert not is_number("9" * 90_000 + "x")  # it took minutes
    assert time.perf_counter() - begin < 5.0
