"""Units wherever files write them: read to the same SI numbers, or refused in one line."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.headings.headers import recognise
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")

CASES = Path(__file__).parent / "cases"
TURN = 2 * math.pi
# Computed by hand from the tables of `cases/units_row_lost`.
SWEEP_HZ = np.array([0.1, 0.3, 1.0, 3.0, 10.0])
STORAGE_KPA = np.array([0.5012, 0.6968, 1.0, 1.3904, 1.9953])
LOSS_KPA = np.array([0.2005, 0.2787, 0.4, 0.5562, 0.7981])


@pytest.fixture
def read_text(tmp_path: Path):
    """Read a text as a file."""

    def reader(text: str, **options) -> Dataset:
        path = tmp_path / "data.txt"
        path.write_text(text, encoding="utf-8")
        return read(path, **options)

    return reader


@pytest.mark.parametrize(
    "name",
    ["2_rheocompass_freq.csv", "4_many_other_units.csv", "5_units_above.csv",
     "6_sample_between.csv", "7_units_in_words.csv", "8_slash_units.csv", "9_origin.txt",
     "10_commented_units.txt"],
)  # fmt: skip
def test_a_row_of_units_is_found_wherever_it_stands(name: str) -> None:
    dataset = read(CASES / "units_row_lost" / name)
    np.testing.assert_allclose(dataset.x, TURN * SWEEP_HZ, rtol=1e-12)
    np.testing.assert_allclose(dataset.y, 1e3 * (STORAGE_KPA + 1j * LOSS_KPA), rtol=1e-12)
    assert not any("no unit" in note for note in dataset.notes)


def test_units_of_flow_curves() -> None:
    compass = read(CASES / "units_row_lost" / "1_rheocompass_flow.csv")
    np.testing.assert_allclose(compass.x, [1, 3, 10, 30])
    np.testing.assert_allclose(compass.y, [0.050, 0.045, 0.038, 0.030])
    torque = read(CASES / "units_row_lost" / "11_flow_torque.csv")
    np.testing.assert_allclose(torque.y, [0.500, 0.450, 0.400, 0.350])
    with pytest.raises(InputError, match=r"'Torque': 'µNm' is no unit of .*units, such as y=Pa"):
        read(CASES / "units_row_lost" / "11_flow_torque.csv", mode="flow_curve", y="Torque")


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("upper.csv", TURN, 1e4 + 5e3j),
        ("mega.csv", 1, 1e7),
        ("ok.csv", 1, 1e-2),
        ("permin.csv", TURN / 60, (10 + 5j) * 6894.757293168),
        ("kgf.csv", 1, 98066.5),
        ("mm2N.csv", 1, 1e-5),
        ("x103.csv", 1, 1e4 + 5e3j),
        ("e6.csv", 1, 1e-5),
        ("e6b.csv", 1, 1e-5),
        ("logs.csv", 0.1, 1e2 + 1e1j),
    ],
)
def test_units_that_people_write(name: str, x: float, y: complex) -> None:
    dataset = read(CASES / "units_unknown" / name)
    assert dataset.x[0] == pytest.approx(x, rel=1e-10)
    assert dataset.y[0] == pytest.approx(y, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "words", "units", "x", "y"),
    [
        ("lower.csv", "'mpa.s' is an unknown unit of viscosity", {"y": "mPa.s"}, 1, 1e-2),
        ("rpm.csv", "'rpm' is no unit of shear rate", {"x": "1/min"}, 1 / 60, 1e-2),
    ],
)
def test_what_may_be_two_units_is_refused_and_then_named(name, words, units, x, y) -> None:
    path = CASES / "units_unknown" / name
    with pytest.raises(InputError, match=rf"{words}: give the unit with units, such as"):
        read(path)
    dataset = read(path, units=units)
    assert (dataset.x[0], dataset.y[0]) == (pytest.approx(x), pytest.approx(y))


def test_unit_rows_of_unusual_units_and_logarithms() -> None:
    weeks = read(CASES / "unknown_unit_row" / "weeks.csv")
    assert (weeks.x[0], weeks.y[0]) == (604800.0, pytest.approx(1e5))
    for name, turn in (("logs2.csv", 1.0), ("logs3.csv", TURN)):
        dataset = read(CASES / "unknown_unit_row" / name)
        np.testing.assert_allclose(dataset.x, turn * np.array([0.1, 1, 10]))
        np.testing.assert_allclose(dataset.y, [1e2 + 1e1j, 1e3 + 1e2j, 1e4 + 1e3j])
        assert any("decimal logarithm undone" in note for note in dataset.notes)


def test_the_unit_of_a_column_that_the_user_names() -> None:
    folder = CASES / "unit_in_unknown_label"
    dma = read(folder / "dma.csv", mode="oscillation", y="E' (MPa)", y2="E'' (MPa)")
    assert dma.y[0] == pytest.approx(1e8 + 2e7j)
    assert dma.x[0] == pytest.approx(TURN * 0.1)
    mixed = read(folder / "dma2.csv", mode="oscillation", y="Sample G' [kPa]", y2="Loss [MPa]")
    assert mixed.y[0] == pytest.approx(5e3 + 2e7j)
    for options in ({"mode": "relaxation"}, {}):
        relaxation = read(folder / "relax.csv", x="tps (min)", y="G relaxation [kPa]", **options)
        assert relaxation.test_mode == "relaxation"
        np.testing.assert_allclose(relaxation.x, [60, 600, 6000])
        np.testing.assert_allclose(relaxation.y, [1e5, 6e4, 2e4])


def test_the_unit_chooses_between_stress_and_viscosity(read_text) -> None:
    text = "rate (1/s),Visc. (mPa.s),Spannung (kPa),Kraft (N)\n1,10,2,3\n10,5,4,5\n"
    viscosity = read_text(text, mode="flow_curve", x=1, y="Visc. (mPa.s)")
    assert (viscosity.quantity, viscosity.y[0]) == ("viscosity", pytest.approx(0.01))
    stress = read_text(text, mode="flow_curve", x=1, y=3)
    assert (stress.quantity, stress.y[0]) == ("shear stress", 2000.0)
    with pytest.raises(InputError, match=r"'N' is no unit of shear stress: .*units"):
        read_text(text, mode="flow_curve", x=1, y=4)


@pytest.mark.parametrize(
    ("label", "quantity", "unit"),
    [
        ("Storage modulus, kPa", "storage modulus", "kPa"),
        ("Storage modulus / kPa", "storage modulus", "kPa"),
        ("Storage modulus kPa", "storage modulus", "kPa"),
        ("Storage modulus: kPa", "storage modulus", "kPa"),
        ("Storage_modulus_in_kPa", "storage modulus", "kPa"),
        ("Storage.modulus..kPa.", "storage modulus", "kPa"),
        ("Storage modulus [kPa] G'", "storage modulus", "kPa"),
        ("G' (25 °C) [kPa]", "storage modulus", "kPa"),
        ("G' [kPa] (25 °C)", "storage modulus", "kPa"),
        ("viscosity_mPa_s", "viscosity", "mPa s"),
        ("omega_rad_per_s", "angular frequency", "rad per s"),
        ("log10(G') (kPa)", "storage modulus", "log kPa"),
        ("log(G' [Pa])", "storage modulus", "log Pa"),
        ("ln(G(t)/Pa)", "relaxation modulus", "ln Pa"),
        ("logG'", "storage modulus", "log"),
        ("Log(Angular frequency / rad/s)", "angular frequency", "log rad/s"),
        ("Loss", "loss modulus", ""),
        ("G'/G''", "", ""),
        ("Stress/Strain", "", ""),
        ("G'_std", "uncertainty", ""),
        ("σ(G')", "uncertainty", ""),
    ],
)
def test_labels_are_taken_apart(label: str, quantity: str, unit: str) -> None:
    assert recognise(label)[:2] == (quantity, unit)


@pytest.mark.parametrize(
    "label",
    ["G' [foo]", "G' (mpa)", "G' (kPa) [MPa]", "G' x 10^3 (Pa)", "10^3 G' (Pa)", "G' (103 Pa)",
     "G' [a.u.]", "G' (1000 Pa)", "G' [°C]", "G' (normalised)"],
)  # fmt: skip
def test_an_unclear_unit_is_refused_and_the_option_settles_it(read_text, label: str) -> None:
    text = f"ω (rad/s);{label};G'' (Pa)\n1;2;3\n2;4;5\n"
    columns = {"mode": "oscillation", "x": 1, "y": 2, "y2": 3}
    with pytest.raises(InputError, match="give the unit with units, such as y=Pa"):
        read_text(text, **columns)
    assert read_text(text, units={"y": "kPa"}, **columns).y[0] == pytest.approx(2e3 + 3j)


def test_what_is_unread_is_quoted_and_never_called_no_unit(read_text) -> None:
    rows = "1;2;3\n2;4;5\n"
    for text, quoted in (
        (f"ω;G' (Sample A);G''\n{rows}", "Sample A"),
        (f"ω;G';G''\nx;blue;x\n{rows}", "blue"),
        (f"ω;G';G''\nall moduli as ever\n{rows}", "all moduli as ever"),
        (f"Moduli in kPa\nω;G';G''\n{rows}", "Moduli in kPa"),
    ):
        notes = [n for n in read_text(text).notes if n.startswith("G'") and "''" not in n]
        assert any(quoted in note and "no unit," not in note for note in notes), notes


MODULI = "Frequency,G',G''\n{}0.1,1,2\n1,3,4\n"


@pytest.mark.parametrize(
    "rows",
    [
        "Sinus,,\nSample A,Sample A,Sample A\nHz,kPa,kPa\n",
        "\n\nHz,kPa,kPa\n",
        "# Hz,kPa,kPa\n",
        "<Hz>,<kPa>,<kPa>\n",
        "Hz,1E+3 Pa,10^3 Pa\n",
        "(mHz),kPa,kPa\n",
    ],
)
def test_rows_between_the_names_and_the_numbers(read_text, rows: str) -> None:
    dataset = read_text(MODULI.format(rows))
    assert dataset.x[1] == pytest.approx(TURN * (1e-3 if "mHz" in rows else 1))
    np.testing.assert_allclose(dataset.y, [1e3 + 2e3j, 3e3 + 4e3j])


@pytest.mark.parametrize(
    "rows",
    ["Hz,10^3,10^3\n", "Hz,x1000 Pa,x1000 Pa\n", "Hz,Pa,Pa\n,x1000,x1000\n", "Hz,sth,sth\n",
     "Hz,N,N\n", "[Hz],[big],[big]\n"],
)  # fmt: skip
def test_factors_and_unknown_units_in_rows_are_refused(read_text, rows: str) -> None:
    with pytest.raises(InputError, match="give the unit with units, such as y=Pa"):
        read_text(MODULI.format(rows))


def test_units_without_names(read_text) -> None:
    dataset = read_text("[Hz] [kPa] [kPa]\n0.1 1 2\n1 3 4\n", mode="oscillation")
    assert (dataset.x[1], dataset.y[1]) == (pytest.approx(TURN), pytest.approx(3e3 + 4e3j))
    flow = read_text("rate visc\n1/s Pa s\n1 2\n3 4\n", mode="flow_curve")
    assert (flow.quantity, flow.y_unit) == ("viscosity", "Pa s")


def test_a_phase_angle_without_unit_tells_its_doubt(read_text) -> None:
    small = read_text("ω (rad/s);|G*| (Pa);δ [-]\n1;2;0.5\n2;3;0.6\n")
    assert any("if it is in rad" in note for note in small.notes)
    large = read_text("ω (rad/s);|G*| (Pa);δ\n1;2;45\n2;3;60\n")
    assert not any("if it is in rad" in note for note in large.notes)


@pytest.mark.parametrize(("turn", "unit"), [(1.0, "rad/s"), (TURN, "Hz")])
def test_the_complex_viscosity_shows_what_a_frequency_counts(read_text, turn, unit) -> None:
    # |G*| = 5 Pa at 2 units of frequency, so η* = 5 / (2 turn).
    rows = "".join(f"{k};{3 * k};{4 * k};{5 / turn:.5g}\n" for k in (1, 2, 4))
    dataset = read_text(f"freq;G' (Pa);G'' (Pa);Eta* (Pa.s)\n{rows}")
    np.testing.assert_allclose(dataset.x, turn * np.array([1, 2, 4]))
    assert any(f"freq is in {unit}, as |G*| / |η*|" in note for note in dataset.notes)
    assert not any("no unit" in note for note in dataset.notes)
    open_rows = rows.replace(f";{5 / turn:.5g}", ";7")
    open_notes = read_text(f"freq;G' (Pa);G'' (Pa);Eta* (Pa.s)\n{open_rows}").notes
    assert not any("as |G*|" in note for note in open_notes)


def test_contradicting_units_are_refused(read_text) -> None:
    text = "Time (s);G(t) (kPa)\ns;Pa\n1;2\n2;1\n"
    with pytest.raises(InputError, match="'kPa or Pa' is an unknown unit"):
        read_text(text)


def test_numbers_that_are_no_logarithms_are_refused(read_text) -> None:
    text = "log time (s);G(t) (Pa)\n1;50\n10;40\n1000;30\n"
    with pytest.raises(InputError, match=r"is a logarithm by its name, but has values .* 1000"):
        read_text(text)


def test_the_unit_of_an_option_may_be_a_logarithm(read_text) -> None:
    text = "a;b\n-1;2\n0;1\n"
    options = {"mode": "relaxation", "x": 1, "y": 2, "units": {"x": "log min", "y": "log kPa"}}
    dataset = read_text(text, **options)
    np.testing.assert_allclose(dataset.x, [6, 60])
    np.testing.assert_allclose(dataset.y, [1e5, 1e4])


def test_a_column_with_a_fitting_unit_is_preferred(read_text) -> None:
    text = "f [N];t [mm];Frequency [Hz];G' [kPa];G'' [kPa];Storage [GB]\n1;2;3;4;5;6\n"
    dataset = read_text(text)
    assert dataset.x[0] == pytest.approx(3 * TURN)
    assert dataset.y[0] == pytest.approx(4e3 + 5e3j)


def test_names_parted_otherwise_than_the_rows() -> None:
    folder = CASES / "header_other_delimiter"
    laos = read(folder / "blanks_over_tabs.txt", mode="laos")
    np.testing.assert_array_equal(laos.y, [40, 77, 110, 139])
    longer = read(folder / "tabs_over_blanks_one_more.txt")
    np.testing.assert_allclose(longer.x, [100, 10, 1])
    np.testing.assert_allclose(longer.y, [50100 + 80200j, 20300 + 40100j, 5200 + 15700j])
    assert any("6 names stand over 5 columns" in note for note in longer.notes)


@pytest.mark.parametrize(
    "text",
    ["Frequency (Hz), G' (kPa), G'' (kPa)\n1 2 3\n4 5 6\n",
     "# f [Hz], G' [kPa], G'' [kPa]\n1 2 3\n4 5 6\n",
     "# Frequency (Hz), Storage modulus (kPa), Loss modulus (kPa)\n1 2 3\n4 5 6\n",
     "Frequency (Hz)\tG' (kPa)\tG'' (kPa)\n1,2,3\n4,5,6\n",
     "Frequency [Hz]  Storage modulus [kPa]  Loss modulus [kPa]\n1\t2\t3\n4\t5\t6\n",
     "f G' G''\nHz kPa kPa\n1\t2\t3\n4\t5\t6\n",
     "Frequency [Hz]|G' [kPa]|G'' [kPa]\n1\t2\t3\n4\t5\t6\n"],
)  # fmt: skip
def test_siblings_of_names_parted_otherwise(read_text, text: str) -> None:
    dataset = read_text(text)
    np.testing.assert_allclose(dataset.x, [TURN, 4 * TURN])
    np.testing.assert_allclose(dataset.y, [2e3 + 3e3j, 5e3 + 6e3j])


def test_names_of_fewer_columns_than_there_are_are_refused(read_text) -> None:
    text = "Time [s];G(t) [kPa]\n1;0.5;3\n2;5;1\n3;7;1\n"  # the first are numbers of rows
    with pytest.raises(InputError, match="2 names stand over 3 columns"):
        read_text(text)
    dataset = read_text(text, x=1, y=2)
    assert (dataset.x[0], dataset.y[0]) == (1, 500)


@pytest.mark.parametrize("mode", ["startup", "creep", "relaxation", "laos", "flow_curve"])
def test_three_columns_without_names_are_refused_where_one_y_is_wanted(mode: str) -> None:
    path = CASES / "header_other_delimiter" / "time_strain_stress_nameless.csv"
    with pytest.raises(InputError, match="name them with x, y"):
        read(path, mode=mode)
    dataset = read(path, mode="startup", x=1, y=3)
    np.testing.assert_array_equal(dataset.y, [0, 12, 21, 28])


def test_a_stress_is_divided_by_the_strain_and_a_strain_by_the_stress() -> None:
    folder = CASES / "stress_as_modulus"
    modulus = read(folder / "stress.csv", mode="relaxation", protocol={"gamma_0": 0.01})
    assert (modulus.quantity, modulus.y_unit) == ("relaxation modulus", "Pa")
    assert modulus.y[0] == pytest.approx(1196.7)
    compliance = read(folder / "strain.csv", mode="creep", protocol={"sigma_applied": 50})
    assert (compliance.quantity, compliance.y_unit) == ("creep compliance", "1/Pa")
    assert compliance.y[0] == pytest.approx(0.050167 / 50)
    bare = read(folder / "stress.csv", mode="relaxation")
    assert bare.quantity == "shear stress"
    assert any("without gamma_0 it gives no relaxation modulus" in note for note in bare.notes)
    both = read(folder / "stress_strain.csv")
    assert both.y[0] == pytest.approx(1196.7)
