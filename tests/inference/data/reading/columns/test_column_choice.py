"""What columns mean: other languages, moduli computed, standard deviations, several sweeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.headings.headers import UNCERTAINTY, recognise
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")


@pytest.fixture
def read_text(tmp_path: Path):
    """Read a text as a file."""

    def reader(text: str, encoding: str = "utf-8", **options):
        path = tmp_path / "data.csv"
        path.write_bytes(text.encode(encoding))
        return read(path, **options)

    return reader


@pytest.mark.parametrize(
    ("header", "mode", "x", "y"),
    [
        ("Kreisfrequenz [rad/s];Speichermodul [kPa];Verlustmodul [Pa]", "oscillation", 1, 2e3 + 3j),
        ("Frequenz in Hz;Speichermodul;Verlustmodul", "oscillation", 2 * np.pi, 2 + 3j),
        ("Scherrate [1/min];Schubspannung [Pa];Viskosität [mPa·s]", "flow_curve", 1 / 60, 2),
        ("Schergefälle [1/s];Scherviskosität [mPas]", "flow_curve", 1, 2e-3),
        ("Zeit [min];Relaxationsmodul [kPa]", "relaxation", 60, 2e3),
        ("Zeit [Std];Kriechnachgiebigkeit [1/kPa]", "creep", 3600, 2e-3),
        ("Fréquence (Hz);Module de conservation (Pa);Module de perte (Pa)", "oscillation",
         2 * np.pi, 2 + 3j),
        ("Pulsation;Module élastique;Module visqueux", "oscillation", 1, 2 + 3j),
        ("Vitesse de cisaillement (1/s);Contrainte (kPa);Viscosité (Pa.s)", "flow_curve", 1, 2e3),
        ("Temps (min);Module de relaxation (kPa)", "relaxation", 60, 2e3),
        ("Time [min];Relaxation modulus G(t) [kPa]", "relaxation", 60, 2e3),
        ("ω / rad·s⁻¹;G´ / N/mm²;G´´ / Pa", "oscillation", 1, 2e6 + 3j),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_headings(read_text, encoding: str, header: str, mode: str, x: float, y: complex) -> None:
    width = header.count(";") + 1
    rows = ["1;2;3", "4;5;6"]
    text = "\n".join([header, *(";".join(row.split(";")[:width]) for row in rows), ""])
    dataset = read_text(text, encoding)
    assert dataset.test_mode == mode
    assert dataset.x[0] == pytest.approx(x, rel=1e-12)
    assert dataset.y[0] == pytest.approx(y, rel=1e-12)


G, OMEGA = 3 + 4j, 2.0
PHASE = float(np.angle(G))
QUANTITIES = {
    "G' (Pa)": G.real,
    "G'' (Pa)": G.imag,
    "|G*| (Pa)": abs(G),
    "Complex Viscosity (mPa·s)": 1e3 * abs(G) / OMEGA,
    "|η*| (Pa s)": abs(G) / OMEGA,
    "η' (Pa s)": G.imag / OMEGA,
    "η'' (Pa s)": G.real / OMEGA,
    "δ (rad)": PHASE,
    "Phase angle (°)": np.degrees(PHASE),
    "delta": np.degrees(PHASE),
    "tan δ": np.tan(PHASE),
    "tan(delta) [-]": np.tan(PHASE),
    "Verlustfaktor": np.tan(PHASE),
}


@pytest.mark.parametrize(
    "pair",
    [
        ("G' (Pa)", "G'' (Pa)"),
        ("|G*| (Pa)", "δ (rad)"),
        ("|G*| (Pa)", "Phase angle (°)"),
        ("|G*| (Pa)", "tan(delta) [-]"),
        ("G' (Pa)", "tan δ"),
        ("G'' (Pa)", "Verlustfaktor"),
        ("G' (Pa)", "delta"),
        ("G'' (Pa)", "δ (rad)"),
        ("Complex Viscosity (mPa·s)", "Phase angle (°)"),
        ("|η*| (Pa s)", "tan δ"),
        ("η' (Pa s)", "η'' (Pa s)"),
        ("|G*| (Pa)", "G' (Pa)"),
        ("|G*| (Pa)", "G'' (Pa)"),
    ],
    ids=" and ".join,
)
@pytest.mark.parametrize("turned", [False, True])
def test_moduli_from_any_two_quantities_that_determine_them(read_text, pair, turned: bool) -> None:
    names = ["ω (rad/s)", *(pair[::-1] if turned else pair)]
    row = ";".join(repr(float(({"ω (rad/s)": OMEGA} | QUANTITIES)[name])) for name in names)
    dataset = read_text(f"{';'.join(names)}\n{row}\n")
    assert (dataset.test_mode, dataset.quantity) == ("oscillation", "complex modulus")
    assert dataset.y[0] == pytest.approx(G, rel=1e-12)
    computed = any(note.startswith("G' and G'' computed from") for note in dataset.notes)
    assert computed == (pair != ("G' (Pa)", "G'' (Pa)"))


def test_contradicting_moduli_are_left_out_and_one_alone_is_refused(read_text) -> None:
    dataset = read_text("ω;|G*|;G'\n1;5;3\n2;5;6\n")
    assert list(dataset.x) == [1.0]
    assert any("1 of 2 rows left out, where these give no G'" in note for note in dataset.notes)
    with pytest.raises(InputError, match="Complex Viscosity alone does not give G' and G''"):
        read_text("ω;Complex Viscosity\n1;2\n")


@pytest.mark.parametrize(
    "label",
    ["std", "STD (Pa)", "stdev of G'", "G' error", "G'_std", "σ(G')", "ΔG'", "uncertainty", "error",
     "Standardabweichung", "écart-type", "sd", "± G'", "Standard deviation [Pa]"],
)  # fmt: skip
def test_standard_deviations_are_no_y(read_text, label: str) -> None:
    assert recognise(label)[0] == UNCERTAINTY
    dataset = read_text(f"Time (s);{label};G(t) (Pa)\n1;0.1;20\n2;0.1;10\n")
    assert list(dataset.y) == [20.0, 10.0]
    words = f"column {label!r} was not used"
    assert any(note.startswith(words) for note in dataset.notes)
    placed = read_text(f"a;{label};b\n1;0.1;20\n2;0.1;10\n", mode="creep")
    assert list(placed.y) == [20.0, 10.0]


@pytest.mark.parametrize(
    "label", ["σ", "sigma", "tau", "delta", "δ", "Stress", "strain", "t", "G'"]
)
def test_quantities_are_no_standard_deviations(label: str) -> None:
    assert recognise(label)[0] not in ("", UNCERTAINTY)


def test_a_column_of_steps_parts_the_sweeps(read_text) -> None:
    text = "Step,Time (s),G(t) (Pa)\n1,1,10\n1,2,9\n2,1,100\n2,2,90\n2,3,80\n"
    dataset = read_text(text)
    assert (list(dataset.y), dataset.name) == ([10.0, 9.0], "data, Step 1")
    assert "1 'Step 1' (2 rows), 2 'Step 2' (3 rows)" in dataset.notes[0]
    assert list(read_text(text, step=2).y) == [100.0, 90.0, 80.0]
    with pytest.raises(InputError, match=r"no step 3: the file has 2, from 1: 1 'Step 1'"):
        read_text(text, step=3)


def test_what_is_odd_is_kept_and_told(read_text) -> None:
    notes = " | ".join(read_text("Time,G(t)\n1,5\n2,4\n2,4\n1,-3\n2,0\n").notes)
    assert "1 of 5 rows repeat another exactly: kept" in notes
    assert "Time is not in order" in notes
    assert "2 of 5 values of G(t) are zero or negative: kept" in notes
    assert "not in order" not in " ".join(read_text("Time,G(t)\n3,5\n2,4\n1,3\n").notes)


def test_named_columns_that_cannot_be(read_text) -> None:
    for options, message in (
        ({"x": "a", "y": "a"}, r"one column is named twice among x, y, y2"),
        ({"x": "", "y": "b"}, r"x is empty: there are a, b, c"),
        ({"x": "a", "y": "b", "y2": "c"}, r"y2 is the loss modulus"),
        ({}, r"columns not recognised for creep: name them with x, y"),
    ):
        with pytest.raises(InputError, match=message):
            read_text("a,b,c\n1,2,3\n", mode="creep", **options)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (
            {"mode": "oscillation", "y": 1, "y2": 2},
            "is no complex modulus but a frequency",
        ),
        ({"mode": "oscillation", "x": 2, "y": 3, "y2": 1}, "G' .Pa. is no frequency but a storage"),
        ({"mode": "relaxation", "x": 1, "y": 2}, "is no time but a frequency"),
    ],
)
def test_a_named_column_of_another_quantity_is_refused(read_text, wanted, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_text("f (rad/s),G' (Pa),G'' (Pa)\n1,2,3\n2,3,4\n", **wanted)


def test_a_strain_is_no_frequency_though_the_test_is_not_named(read_text) -> None:
    with pytest.raises(InputError, match=r"Strain \(%\) is no frequency but a strain"):
        read_text("Strain (%),G' (Pa),G'' (Pa)\n1,200,30\n2,150,40\n", x=1, y=2, y2=3)


def test_an_unknown_unit_before_a_condition_is_quoted(read_text) -> None:
    with pytest.raises(InputError, match="'mpa' is an unknown unit of loss modulus"):
        read_text("f [rad/s],G' [Pa] (25 °C),G'' [mpa] (25 °C)\n1,2,3\n2,3,4\n")


def test_columns_under_one_name_are_of_two_curves_though_equal(read_text) -> None:
    text = "Shear rate,Shear stress,Shear rate,Shear stress\n1/s,Pa,1/s,Pa\n1,5,3,5\n2,5,4,5\n"
    np.testing.assert_array_equal(read_text(text, step=2).x, [3, 4])
    assert "2 sections in the file" in read_text(text).notes[0]


def test_damaged_old_excel_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "old.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(InputError, match=r"old\.xls: not a readable Excel workbook .*: save it"):
        read(path)
    path.write_text("Time\tJ\n1\t2\n")  # instruments call their text so
    assert read(path).test_mode == "creep"


def write_table(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_standard_deviations_are_read_where_they_are_named(tmp_path):
    rows = "".join(f"{k},{10 / k},{0.1 * k},{0.5}\n" for k in range(1, 6))
    one = write_table(tmp_path / "one.csv", "time (s),G(t) (kPa),std,other\n" + rows)
    data = read(one, sigma=["std"])
    assert data.sigma.tolist() == pytest.approx([100.0 * k for k in range(1, 6)])
    assert not any("'std' was not used" in note for note in data.notes)
    assert read(one).sigma is None
    assert any("option sigma" in note for note in read(one).notes)
    assert read(one, sigma=["4"]).sigma.tolist() == [500.0] * 5


def test_an_oscillation_has_two_columns_of_standard_deviations(tmp_path):
    rows = "".join(f"{k},{k}e3,{2 * k}e3,{k},{3 * k}\n" for k in range(1, 6))
    both = write_table(tmp_path / "both.csv", "omega,G',G'',a,b\n" + rows)
    sigma = read(both, sigma=["a", "b"]).sigma
    assert sigma.real.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert sigma.imag.tolist() == [3.0, 6.0, 9.0, 12.0, 15.0]
    with pytest.raises(InputError, match="takes two columns"):
        read(both, sigma=["a"])


@pytest.mark.parametrize("sigma", ["0", "-1"])
def test_standard_deviations_must_be_positive(tmp_path, sigma):
    rows = "".join(f"{k},{10 / k},{sigma}\n" for k in range(1, 6))
    bad = write_table(tmp_path / "bad.csv", "time (s),G(t) (Pa),std\n" + rows)
    with pytest.raises(InputError, match="sigma must be positive"):
        read(bad, sigma=["std"])
    with pytest.raises(InputError, match="there is no column 'stdd'"):
        read(bad, sigma=["stdd"])
