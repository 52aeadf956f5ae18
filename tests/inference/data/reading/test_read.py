"""Files as instruments and people write them, read to the same numbers."""

from __future__ import annotations

import datetime
import math
import re
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read

RELAXATION = "Time (s)\tG(t) (Pa)\n1\t30\n2\t20\n4\t10\n"


@pytest.fixture
def write(tmp_path: Path):
    """Write a text to a file and give its path."""

    def writer(text: str, name: str = "data.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return writer


def noted(dataset: Dataset, *words: str) -> bool:
    return any(all(word in note for word in words) for note in dataset.notes)


POLYISOPRENE = (4.17687578094361e-08, 21.4934728375148 + 1317.03258229295j)


@pytest.mark.parametrize(
    ("name", "mode", "quantity", "count", "first"),
    [
        ("ps145_relaxation", "relaxation", "relaxation modulus", 1799, (0.2009, 143000.0)),
        ("fish_muscle_relaxation", "relaxation", "relaxation modulus", 566, (0.0139, 33600)),
        ("ps160_creep", "creep", "creep compliance", 3599, (0.2011, 9.78e-06)),
        ("polyisoprene_483k_oscillation", "oscillation", "complex modulus", 170, POLYISOPRENE),
        ("ethylcellulose_5pct_flow", "flow_curve", "shear stress", 43, (0.1, 0.104)),
    ],
)
def test_measured_tables(shared_data: Path, name, mode, quantity, count, first) -> None:
    dataset = read(shared_data / f"{name}.csv")
    assert (dataset.test_mode, dataset.quantity, len(dataset)) == (mode, quantity, count)
    assert (dataset.x[0], dataset.y[0]) == first
    assert dataset.name == name


def test_measured_flow_curve_has_units_and_a_viscosity(shared_data: Path) -> None:
    path = shared_data / "ethylcellulose_5pct_flow.csv"
    dataset = read(path)
    assert (dataset.x_unit, dataset.y_unit) == ("1/s", "Pa")
    viscosity = read(path, y="Viscosity")
    assert (viscosity.test_mode, viscosity.quantity) == ("flow_curve", "viscosity")
    assert viscosity.y_unit == "Pa s"
    assert dataset.x[-1] == 1000
    assert viscosity.y[0] == 1.04
    computed = dataset.as_flow_quantity("viscosity")
    np.testing.assert_allclose(computed.y, viscosity.y, rtol=0.01)


def test_measured_sweeps_of_a_lims_export(shared_data: Path) -> None:
    path = shared_data / "tts_frequency_sweep.txt"
    dataset = read(path)
    assert (dataset.test_mode, len(dataset), dataset.x_unit) == ("oscillation", 17, "rad/s")
    assert dataset.x[0] == pytest.approx(2 * math.pi * 0.1, rel=1e-6)
    # |G*| = |eta*| omega, from a column of the file in Pa.s, checks the conversion from MPa.
    assert abs(dataset.y[0]) == pytest.approx(16819.494140625 * dataset.x[0], rel=1e-6)
    assert noted(dataset, "20 sections", "150.0 °C", "option step")
    assert noted(dataset, "Storage modulus", "MPa")
    coldest = read(path, step=20)
    assert coldest.y[0].real == pytest.approx(2.60040528e8)
    assert "150" in dataset.name
    assert "150" not in coldest.name
    with pytest.raises(InputError, match="no step 21: the file has 20"):
        read(path, step=21)


def test_reading_imports_neither_jax_nor_rheojax() -> None:
    source = Path(sys.modules[read.__module__].__file__ or "").read_text(encoding="utf-8")
    assert not re.findall(r"^(?:import|from) (?:jax|rheojax|PySide6|openpyxl)", source, re.M)


@pytest.mark.parametrize(
    ("header", "mode", "quantity", "x", "y"),
    [
        ("Frequency (Hz),G' (kPa),G'' (kPa)", "oscillation", None, 2 * math.pi, 2e3 + 3e3j),
        ("f,G′,G″", "oscillation", None, 2 * math.pi, 2 + 3j),
        ("frequency,storage_modulus,loss_modulus", "oscillation", None, 1, 2 + 3j),
        ("omega_rad_s,G_prime_Pa,G_double_prime_Pa", "oscillation", None, 1, 2 + 3j),
        ("Loss Modulus,Angular Frequency / rad/s,Storage Modulus", "oscillation", None, 2, 3 + 1j),
        ("ω,|x|,Storage modulus G',Loss modulus G''", "oscillation", None, 1, 3 + 4j),
        ("Shear rate [1/min],Viscosity [mPa·s]", "flow_curve", "viscosity", 1 / 60, 2e-3),
        ("γ̇,η,τ", "flow_curve", "shear stress", 1, 3),
        ("gamma_dot,sigma", "flow_curve", "shear stress", 1, 2),
        ("Time / min,G(t) / MPa", "relaxation", "relaxation modulus", 60, 2e6),
        ("t (ms),Relaxation modulus (GPa)", "relaxation", "relaxation modulus", 1e-3, 2e9),
        ("time in h,compliance in 1/MPa", "creep", "creep compliance", 3600, 2e-6),
        ("T,t,J", "creep", "creep compliance", 2, 3),
        ("Temperature (°C),Time (s),J(t) (1/kPa)", "creep", "creep compliance", 2, 3e-3),
        ("time (s),stress (Pa)", None, "shear stress", 1, 2),
    ],
)
def test_columns_and_units(write, header: str, mode, quantity, x: float, y: complex) -> None:
    rows = "".join(f"{k},{k + 1},{k + 2},{k + 3}\n" for k in (1, 5))
    rows = re.sub(rf"((?:\d+,){{{header.count(',')}}}\d+).*", r"\1", rows)
    dataset = read(write(f"{header}\n{rows}"))
    assert dataset.test_mode == mode
    assert quantity is None or dataset.quantity == quantity
    assert dataset.x[0] == pytest.approx(x, rel=1e-12)
    assert dataset.y[0] == pytest.approx(y, rel=1e-12)


def test_conversions_are_told(write) -> None:
    dataset = read(write("f (Hz),G' (kPa),G'' (Pa)\n1,2,3\n"))
    assert noted(dataset, "f (Hz)", "from Hz to rad/s")
    assert noted(dataset, "G' (kPa)", "from kPa to Pa")
    assert noted(read(write("frequency,G',G''\n1,2,3\n")), "frequency", "no unit", "Hz")


def test_complex_modulus_and_phase(write) -> None:
    dataset = read(write("omega (rad/s);|G*| (Pa);Phase angle (°)\n1;2;60\n".replace("|", "")))
    assert dataset.y[0] == pytest.approx(2 * np.exp(1j * math.pi / 3))
    assert read(write("omega;G';tan(delta)\n1;2;0.5\n")).y[0] == 2 + 1j


def test_named_columns_and_numbers(write) -> None:
    path = write("a,b,c\n1,2,3\n4,5,6\n")
    dataset = read(path, mode="creep", x="a", y="C")
    np.testing.assert_array_equal(dataset.y, [3.0, 6.0])
    np.testing.assert_array_equal(read(path, mode="creep", x=2, y="3").x, [2.0, 5.0])
    moduli = read(path, mode="oscillation", x=1, y=2, y2=3)
    np.testing.assert_array_equal(moduli.y, [2 + 3j, 5 + 6j])
    with pytest.raises(InputError, match=r"data\.csv: there is no column 'd': known: a, b, c"):
        read(path, mode="creep", x="d", y="b")
    with pytest.raises(InputError, match="no column 9: the file has 3"):
        read(path, mode="creep", x=9, y="b")
    near = write("Time,Relaxation Modulus\n1,2\n")
    with pytest.raises(InputError, match="did you mean 'Relaxation Modulus'"):
        read(near, y="Relaxation Modulos")


def test_mode_overrides_and_start_up(write) -> None:
    path = write("time (s),shear rate (1/s),stress (Pa)\n0,10,1\n1,10,5\n2,10.01,6\n")
    dataset = read(path)
    assert dataset.test_mode == "startup"
    assert dataset.x[0] == 0.0
    assert dataset.protocol["gamma_dot"] == pytest.approx(10, rel=1e-3)
    assert read(path, mode="flow").test_mode == "flow_curve"
    assert read(path, mode="laos").test_mode == "laos"


def test_no_header_needs_a_mode(write) -> None:
    path = write("1 2 3\n4 5 6\n", "plain.dat")
    np.testing.assert_array_equal(read(path, mode="oscillation").y, [2 + 3j, 5 + 6j])
    with pytest.raises(InputError, match=r"columns not recognised for creep: name them with x, y"):
        read(path, mode="creep")  # the second of three may be a strain beside a stress
    np.testing.assert_array_equal(read(path, mode="creep", x=1, y=2).y, [2.0, 5.0])
    with pytest.raises(InputError, match=r"columns have no names.*mode with mode"):
        read(path)
    with pytest.raises(InputError, match="G' and G''"):
        read(write("1 2\n4 5\n"), mode="oscillation")


def test_ambiguous_columns_are_refused(write) -> None:
    path = write("Time,G(t),J(t)\n1,2,3\n")
    with pytest.raises(InputError, match="both a relaxation and a creep"):
        read(path)
    assert read(path, mode="creep").y[0] == 3.0
    with pytest.raises(InputError, match="ambiguous: give its number, one of 1, 3"):
        read(write("Time,J,Time\n1,2,3\n"), x="Time")


def test_rows_without_numbers_are_left_out_and_counted(write) -> None:
    dataset = read(write("Time;G(t)\n1;3,5\n2;\n3;n/a\n;;\noverload;overload\n4;1,5\n"))
    np.testing.assert_array_equal(dataset.x, [1.0, 4.0])
    assert noted(dataset, "3 of 5 rows left out", "the first is row 2")


def test_rows_keep_their_order_and_those_of_no_use_are_left_out(write) -> None:
    assert list(read(write("Time,J\n3,1\n1,2\n")).x) == [3.0, 1.0]
    dataset = read(write("Time,J\n0,1\n1,2\n-1,3\n"))
    assert list(dataset.x) == [1.0]
    assert noted(dataset, "2 of 3 rows left out", "time must be positive", "row 1")
    with pytest.raises(InputError, match=r"data\.csv: time must be positive: 2 of 2"):
        read(write("Time,J\n0,1\n-1,2\n"))


def test_sections_of_a_table(write) -> None:
    text = "Run A\nTime,J\n1,2\n2,3\n\nRun B\nTime,J\n5,6\n"
    dataset = read(write(text))
    assert list(dataset.x) == [1.0, 2.0]
    assert noted(dataset, "2 sections", "Run A", "option step")
    assert list(read(write(text), step=2).x) == [5.0]
    gnuplot = read(write("# t J\n1 2\n2 3\n\n\n5 6\n"), step=2)
    assert list(gnuplot.y) == [6.0]


def test_anton_paar_interval(write) -> None:
    text = (
        "Project:\tP\nTest:\tFlow\n\nInterval and data points:\t1\t2\n"
        "Interval data:\tPoint No.\tShear Rate\tShear Stress\tStatus\n\n\t\t[1/s]\t[Pa]\t[]\n"
        "\t1\t0,1\t2,5\tDy_auto\n\t2\t1\t4,5\tDy_auto\n"
    )
    dataset = read(write(text, "rheocompass.csv", "utf-16"))
    assert dataset.test_mode == "flow_curve"
    np.testing.assert_array_equal(dataset.y, [2.5, 4.5])
    assert not noted(dataset, "sections")


def test_preamble_with_numbers_is_no_table(write) -> None:
    text = "Gap 1.0 2.0\nDate 2024 05\n\nTime (min)  G(t) (Pa)\n1.0  5.0\n2.0  4.0\n"
    dataset = read(write(text))
    assert list(dataset.x) == [60.0, 120.0]
    assert len(dataset.notes) == 2


def test_markdown_table(write) -> None:
    dataset = read(write("| Time (s) | J |\n|---|---|\n| 1 | 2e-3 |\n| 2 | 3E-3 |\n"))
    np.testing.assert_array_equal(dataset.y, [2e-3, 3e-3])
    no_markdown = read(write("t|J|\n|5|\n1|2|\n"))
    assert list(no_markdown.x) == [1.0]


def test_quoted_cells_and_primes(write) -> None:
    dataset = read(write('"Frequency, Hz","G\'","G"""\n"1,5","2,5","3"\n'))
    assert dataset.x[0] == pytest.approx(1.5 * 2 * math.pi)
    assert dataset.y[0] == 2.5 + 3j


def test_lims_in_utf16(write) -> None:
    text = (
        "[Version]\n[Step]\nStep name\tSoak\nVariables\tTime\tTemperature\nUnits\ts\t°C\n"
        "Data point\t1\t25\n[Step]\nStep name\tCreep\nVariables\tStep time\tCompliance\n"
        "Units\tmin\t1/MPa\nData point\t1\t2\nData point\t2\t\n"
    )
    dataset = read(write(text, "lims.txt", "utf-16"))
    assert (dataset.test_mode, dataset.x[0], dataset.name) == ("creep", 60.0, "lims, Creep")
    assert dataset.y[0] == pytest.approx(2e-6)
    assert noted(dataset, "took number 2")
    assert noted(dataset, "1 of 2 rows left out")


def test_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    notes = book.active
    notes.title = "About"
    notes.append(["made on", datetime.date(2024, 5, 1)])
    for title, factor in (("First", 1), ("Second", 10)):
        sheet = book.create_sheet(title)
        sheet.append(["Sample", "PS"])
        sheet.append([])
        sheet.append(["Time", "Relaxation Modulus"])
        sheet.append(["[min]", "[kPa]"])
        for row in ((1, 0.1 * factor), (2, None), (3, 0.05 * factor)):
            sheet.append(list(row))
    path = tmp_path / "book.xlsx"
    book.save(path)
    dataset = read(path)
    assert (dataset.test_mode, dataset.name) == ("relaxation", "book, First")
    np.testing.assert_array_equal(dataset.x, [60.0, 180.0])
    np.testing.assert_allclose(dataset.y, [100.0, 50.0])
    assert noted(dataset, "2 sections", "First")
    np.testing.assert_allclose(read(path, step=2).y, [1000.0, 500.0])


def test_files_that_cannot_be_read(tmp_path: Path, write) -> None:
    write(RELAXATION, "sample.csv")
    for path, message in (
        (tmp_path / "sampel.csv", "no file .*did you mean 'sample.csv'"),
        (tmp_path / "nowhere" / "a.csv", "there is no file"),
        (tmp_path, "is a folder"),
        (write("", "empty.csv"), "empty.csv: the file is empty"),
        (write(" \n", "blank.csv"), "blank.csv: the file is empty"),
        (write("hello\nworld\n", "prose.csv"), "prose.csv: no rows of numbers"),
        (write("Time,J\nx,y\n", "words.csv"), "words.csv: no rows of numbers"),
        (write("a,b,c,d\n1,2,3,4\n", "abcd.csv"), "columns not recognised: .*a, b, c, d"),
        ("a\0b.csv", "cannot be read|no file"),
    ):
        with pytest.raises(InputError, match=message):
            read(path)
    binary = tmp_path / "photo.csv"
    binary.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(InputError, match=r"photo\.csv: not a text table"):
        read(binary)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=r"broken\.xlsx: not a readable Excel workbook"):
        read(broken)
    with pytest.raises(InputError, match="did you mean 'creep'"):
        read(tmp_path / "sample.csv", mode="crep")


def test_other_formats_name_the_extra(write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rheojax.io", None)
    with pytest.raises(InputError, match=re.escape('pip install "rheojobs[rheology]"')):
        read(write("{}", "export.json"))


@pytest.mark.parametrize("name", ["a\nb.csv", "\x1b[31mred.csv", "\udcff.csv"])
def test_a_name_that_does_not_print_is_made_printable(tmp_path, name):
    path = tmp_path / name
    path.write_text("t [s],G [Pa]\n1,2\n2,1\n")
    assert read(path).name.isprintable()
    path.write_text("nothing")
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).isprintable()
