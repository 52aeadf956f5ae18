"""Workbooks old and new, XML, RepTate's files and tables without names."""

from __future__ import annotations

import contextlib
import datetime
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def read_text(tmp_path: Path):
    """Read a text as a file of a given name."""

    def reader(text: str, name: str, encoding: str = "utf-8", **options) -> Dataset:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return read(path, **options)

    return reader


def noted(dataset: Dataset, *words: str) -> bool:
    return any(all(word in note for word in words) for note in dataset.notes)


def test_a_workbook_of_excel_before_2007() -> None:
    """Written by xlwt with the numbers below."""
    path = CASES / "old_workbook" / "trios.xls"
    sweep = read(path)
    assert list(sweep.x) == [100.0, 10.0, 1.0]
    np.testing.assert_allclose(sweep.y, [900 + 50.5j, 500 + 80j, 100 + 120j], rtol=1e-12)
    assert sweep.name == "trios, Frequency sweep - 1"
    flow = read(path, step=2)
    assert (list(flow.x), list(flow.y)) == ([0.1, 1.0, 10.0], [2.5, 4.5, 9.0])


def test_cells_of_all_kinds_in_a_new_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["measured", datetime.datetime(2024, 5, 1, 12, 30)])
    sheet.append([])
    sheet.append([None, "Time [s]", "J [1/Pa]", "ok"])
    sheet.append([None, 1, 1e-7, True])
    sheet.append([None, 2.5, 2.5e-7, False])
    sheet.append([None, 1234567, "#N/A", None])
    book.create_chartsheet("a figure")
    path = tmp_path / "kinds.xlsx"
    book.save(path)
    dataset = read(path)
    assert (list(dataset.x), list(dataset.y)) == ([1.0, 2.5], [1e-7, 2.5e-7])
    assert noted(dataset, "1 of 3 rows left out, without a number in J")
    assert list(read(path, skip=2).x) == [1.0, 2.5]


def test_rheocompass_in_a_workbook_keeps_its_names(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Project:", "P"])
    sheet.append(["Test:", "Oil 80C"])
    for number, factor in ((1, 1), (2, 10)):
        sheet.append(["Result:", f"Curve {number}"])
        sheet.append([])
        sheet.append(["Interval and data points:", 1, 2])
        sheet.append(["Interval data:", "Point No.", "Shear Rate", "Viscosity", "Status"])
        sheet.append(["", "", "Constant component", "", ""])
        sheet.append(["", "", "[1/s]", "[mPa·s]", ""])
        sheet.append(["", 1, 0.5, 20 * factor, "Dy_auto"])
        sheet.append(["", 2, 5, 10 * factor, "Dy_auto"])
        sheet.append([])
    path = tmp_path / "compass.xlsx"
    book.save(path)
    second = read(path, step=2)
    assert second.name == "compass, Oil 80C / Curve 2 / Interval 1"
    assert (list(second.x), list(second.y)) == ([0.5, 5.0], [0.2, 0.1])


def test_sheets_of_steps_without_points_are_counted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Details"
    book.active.append(["Filename", "demo"])
    for title, rows in (("Conditioning - 1", []), ("Flow sweep - 2", [(1, 2), (10, 3)])):
        sheet = book.create_sheet(title)
        for row in ([title], ["Shear rate", "Stress"], ["1/s", "Pa"], *rows):
            sheet.append(list(row))
    path = tmp_path / "steps.xlsx"
    book.save(path)
    assert list(read(path, step=2).y) == [2.0, 3.0]
    with pytest.raises(InputError, match="section 1 'Conditioning - 1' has no points"):
        read(path, step=1)


ROWS = [("0.1", "5"), ("1", "20"), ("10", "90")]


def excel_xml() -> str:
    head = '<Row><Cell><Data ss:Type="String">{}</Data></Cell>'
    head += '<Cell ss:Index="3"><Data>{}</Data></Cell></Row>'
    rows = "".join(head.format(*row) for row in [("Shear rate [1/s]", "Stress [kPa]"), *ROWS])
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    return (
        f'<?xml version="1.0"?>\n<Workbook xmlns="{space}" xmlns:ss="{space}">'
        f'<Worksheet ss:Name="Flow 1"><Table>{rows}</Table></Worksheet></Workbook>'
    )


def rheocompass_xml() -> str:
    cells = "<Row><Cell>{}</Cell><Cell>{}</Cell></Row>"
    rows = "".join(
        cells.format(*r) for r in [("Shear Rate", "Shear Stress"), ("[1/s]", "[kPa]"), *ROWS]
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><Export Version="1.24">'
        '<Object Type="Table"><Property Name="Id">1</Property>'
        '<Property Name="Name">Flow 1</Property>'
        f'<Property Name="Size">E"</Property>{rows}</Object></Export>'
    )


def points_xml() -> str:
    point = "<Point><Value Name='Shear rate' Unit='1/s'>{}</Value>"
    point += "<Value Name='Stress' Unit='kPa'>{}</Value></Point>"
    points = "".join(point.format(*row) for row in ROWS)
    return f'<?xml version="1.0"?><Run Name="Flow 1"><Points>{points}</Points></Run>'


def attributes_xml() -> str:
    points = "".join(f'<Record ShearRate="{x}" Stress_kPa="{y}"/>' for x, y in ROWS)
    return f'<?xml version="1.0"?><Run><Title>Flow 1</Title>{points}</Run>'


def columns_xml() -> str:
    columns = ""
    for index, (name, unit) in enumerate((("Shear rate", "1/s"), ("Stress", "kPa"))):
        values = "".join(f"<Value>{row[index]}</Value>" for row in ROWS)
        columns += f"<Column Name='{name}' Unit='{unit}'>{values}</Column>"
    return f'<?xml version="1.0"?><Run Name="Flow 1"><Data>{columns}</Data></Run>'


@pytest.mark.parametrize(
    "written", [excel_xml, rheocompass_xml, points_xml, attributes_xml, columns_xml]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_xml(read_text, written, encoding: str) -> None:
    text = written()
    if encoding == "utf-16":
        text = text.replace(' encoding="utf-8"', "")
    flow = read_text(text, "flow.xml", encoding)
    assert flow.test_mode == "flow_curve"
    assert (list(flow.x), list(flow.y)) == ([0.1, 1.0, 10.0], [5e3, 2e4, 9e4])


def test_xml_without_points_or_damaged_is_refused_in_words(read_text) -> None:
    layout = (
        '<?xml version="1.0"?><Export><Object Type="Rheo.Repository.Project.TableWindow">'
        '<Property Name="Unit">E"</Property></Object></Export>'
    )
    for text, message in (
        (layout, "a layout of RheoCompass without measured points: export the table as CSV"),
        ('<?xml version="1.0"?><a><b>E"</b></a>', "XML without measured points"),
        ('<?xml version="1.0"?><a><b>', "damaged XML"),
        ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "definitions of its own"),
    ):
        with pytest.raises(InputError, match=message):
            read_text(text, "export.xml")
    with pytest.raises(InputError, match=r"nested too deeply|damaged XML"):
        read_text('<?xml version="1.0"?>' + "<a>" * 20000 + "</a>" * 20000, "deep.xml")
    path = CASES / "xml_export" / "flow.xml"
    with pytest.raises(InputError, match="the columns have no names"):
        read(path)
    assert list(read(path, mode="creep").y) == [2.0]


# The columns and constants of RepTate's files, as its applications declare them.
REPTATE = {
    "tts": ("Mw=13.5;T=-35;chem=PI;\n 1e-1 20 300 -30 0\n 1e0 200 900 -30 0\n", "oscillation",
            [0.1, 1.0], [20 + 300j, 200 + 900j], {}),
    "osc": ("T=-50;Mw=2;\nFreq\tG'\tG\"\tTemp\tStrain\tPhase\nrad/s\tkPa\tPa\t\xb0C\t%\t\xb0\n"
            "   100   1.5   40.8  -50  0.4\n   10   0.5   30.8  -50  0.4\n", "oscillation",
            [100.0, 10.0], [1500 + 40.8j, 500 + 30.8j], {}),
    "gt": ("Source=me;Mw=0;gamma=0;\n1e-1 15\n1e0 8\n1e1 2\n", "relaxation",
           [0.1, 1.0, 10.0], [15.0, 8.0, 2.0], {}),
    "laos": ("omega=0.3;gamma=3.16;\n#time Strain(-) Stress(Pa)\n0.1\t0.08\t8.5\n0.4\t0.4\t10.8\n",
             "laos", [0.1, 0.4], [8.5, 10.8], {"omega": 0.3, "gamma_0": 3.16}),
    "shear": ("gdot=0.01;T=160;\n0.5 1.5\n1 2.5\n2 3.5\n", "startup",
              [0.5, 1.0, 2.0], [1.5, 2.5, 3.5], {"gamma_dot": 0.01}),
    "creep": ("stress=10;T=150;\nt\tstrain\tstress\tT\ns\t-\tPa\tC\n0.1\t0.2\t10\t150\n"
              "1\t0.5\t10\t150\n2\t0.8\t10\t150\n", "creep",
              [0.1, 1.0, 2.0], [0.02, 0.05, 0.08], {"sigma_applied": 10.0}),
}  # fmt: skip


def test_a_creep_of_reptate_without_its_stress_is_divided_by_the_constant(read_text) -> None:
    text = "chem=PE;T=150;stress=20;\nt\tstrain\tstress\tT\ns\t-\tPa\tC\n0.1\t0.2\n1\t0.5\n"
    dataset = read_text(text, "melt.creep")
    assert (dataset.test_mode, dataset.y_unit) == ("creep", "1/Pa")
    np.testing.assert_allclose(dataset.y, [0.01, 0.025], rtol=1e-12)


@pytest.mark.parametrize("suffix", sorted(REPTATE))
def test_reptate(read_text, suffix: str) -> None:
    text, mode, x, y, protocol = REPTATE[suffix]
    dataset = read_text(text, f"file.{suffix}", "latin-1")
    assert dataset.test_mode == mode
    np.testing.assert_allclose(dataset.x, x, rtol=1e-12)
    np.testing.assert_allclose(dataset.y, y, rtol=1e-12)
    assert dict(dataset.protocol) == protocol


def test_names_in_a_file_of_reptate_go_before_the_usual_order(read_text) -> None:
    text = "Mw=1;\nG'\tG''\tw\nkPa\tPa\trad/s\n1 20 0.1\n2 40 1\n"
    dataset = read_text(text, "turned.tts")
    assert list(dataset.x) == [0.1, 1.0]
    assert list(dataset.y) == [1000 + 20j, 2000 + 40j]
    torque = "omega=3;gamma=1;\n#time\tq\tTorque\n0\t0\t0\n1\t2\t3\n"
    with pytest.raises(InputError, match="there are time, q, Torque"):
        read_text(torque, "slime.laos")


def test_reptate_viscosity_growth_and_extension(read_text) -> None:
    rows = "1 240 0 0.01 200\n3 467 0 0.01 200\n6 595 0 0.01 200\n"
    text = "gdot=0.01;T=160;\ntime\th\t\ns\tPa-s\t\n" + rows
    growth = read_text(text, "growth.shear")
    assert (growth.test_mode, growth.quantity) == ("startup", "shear stress")
    np.testing.assert_allclose(growth.y, [2.4, 4.67, 5.95], rtol=1e-12)
    assert growth.protocol == {"gamma_dot": 0.01}
    with pytest.raises(InputError, match=r"measured in extension \(\.uext\)"):
        read_text("gdot=0.01;T=160\r0.3\t1820\r0.4\t2108\r", "melt.uext")


def test_a_table_of_rheos_takes_no_strain_for_a_stress(read_text) -> None:
    """Its files have no names: t, strain, stress."""
    text = "0,0,-1.7E-02\n0.1,0.01,2.4E-02\n0.2,0.02,3.2E-02\n"
    for mode in ("startup", "creep", "relaxation", "laos"):
        with pytest.raises(InputError, match="name"):
            read_text(text, "data_time.csv", mode=mode)
    named = read_text(text, "data_time.csv", mode="startup", x=1, y=3)
    assert list(named.y) == [-1.7e-2, 2.4e-2, 3.2e-2]
    freq = "0.09,0.83,0.15\n0.3,0.86,0.14\n0.8,0.9,0.15\n"
    assert list(read_text(freq, "f.csv", mode="oscillation").y) == [
        0.83 + 0.15j,
        0.86 + 0.14j,
        0.9 + 0.15j,
    ]


def test_damage_to_a_workbook_and_a_cell_far_away_are_refused_in_words(tmp_path: Path) -> None:
    """Some damage makes its reader ask for 343 GB, which ends the process that reads."""
    whole = (CASES / "old_workbook" / "trios.xls").read_bytes()
    rng = np.random.default_rng(5)
    path = tmp_path / "damaged.xls"
    for _ in range(8):
        data = bytearray(whole)
        for place in rng.integers(8, len(data), 40):
            data[place] = rng.integers(256)
        path.write_bytes(bytes(data))
        with contextlib.suppress(InputError):
            read(path)
    book = openpyxl.Workbook()
    book.active.append(["Time", "J"])
    book.active["XFD1048576"] = 1
    path = tmp_path / "far.xlsx"
    book.save(path)
    with pytest.raises(InputError, match="a cell too far from the others"):
        read(path)
