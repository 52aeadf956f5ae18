"""What instruments number, name and sweep: steps, clocks, one frequency, one rate, pairs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def read_text(tmp_path: Path):
    """Read a text as a file."""

    def reader(text: str, name: str = "data.csv", encoding: str = "utf-8", **options) -> Dataset:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return read(path, **options)

    return reader


def noted(dataset: Dataset, *words: str) -> bool:
    return any(all(word in note for word in words) for note in dataset.notes)


# The numbers of the cases, copied by hand from the files.


def test_steps_without_known_columns_are_counted() -> None:
    path = CASES / "step_numbers" / "steps.txt"
    assert list(read(path).y) == [5.0, 20.0, 90.0]
    third = read(path, step=3)
    assert (third.name, list(third.y)) == ("steps, Flow sweep - 3", [6.0, 21.0, 91.0])
    with pytest.raises(InputError, match="there are Torque, Displacement, Step time, Gap"):
        read(path, step=2)


def test_named_actions_are_told_apart() -> None:
    path = CASES / "segments_in_one_table" / "named_actions.csv"
    flow = read(path, step=3)
    assert flow.test_mode == "flow_curve"
    assert list(flow.x) == [0.1, 1.0, 10.0, 100.0]
    assert list(flow.y) == [12.0, 17.0, 30.0, 75.0]
    listed = "1 'Pre shear' (3 rows), 2 'Rest' (3 rows), 3 'Flow curve' (4 rows)"
    assert noted(flow, listed)
    shear = read(path, step=1)
    assert (shear.test_mode, shear.protocol) == ("startup", {"gamma_dot": 50.0})
    assert list(shear.x) == [1.0, 2.0, 3.0]
    with pytest.raises(InputError, match="as at rest"):
        read(path, step=2)


def test_the_clock_of_the_step_goes_before_that_of_the_experiment() -> None:
    relaxation = read(CASES / "global_time" / "trios_like.txt", step=2)
    assert list(relaxation.x) == [0.01, 0.1, 1.0, 10.0, 100.0]
    assert list(relaxation.y) == [1000.0, 900.0, 700.0, 300.0, 50.0]
    assert noted(relaxation, "Step time is the time of the test; Time not used")
    creep = read(CASES / "global_time" / "rheocompass_like.csv")
    assert creep.test_mode == "creep"
    assert list(creep.x) == [0.1, 1.0, 10.0, 100.0]
    assert list(creep.y) == [1e-5, 2e-5, 4e-5, 8e-5]


@pytest.mark.parametrize(
    "name",
    ["Step time (s)", "Time (action)(s)", "t_seg in s", "Interval Time [s]", "Intervalle Temps (s)",
     "Abschnittszeit [s]", "Time (step) [s]"],
)  # fmt: skip
def test_names_of_the_clock_of_a_step(read_text, name: str) -> None:
    text = f"Time (s);{name};G(t) (Pa)\n600.1;0.1;30\n601;1;20\n610;10;10\n"
    assert list(read_text(text).x) == [0.1, 1.0, 10.0]
    assert list(read_text(text, x="Time (s)").x) == [600.1, 601.0, 610.0]


def test_a_clock_that_begins_late_is_told(read_text) -> None:
    dataset = read_text("Time (s);G(t) (Pa)\n600.1;30\n601;20\n610;10\n")
    assert noted(dataset, "begins at 600.1 s", "since the start of the experiment?")


def test_peak_hold_is_a_start_up() -> None:
    hold = read(CASES / "peak_hold" / "peak_hold.txt")
    assert (hold.test_mode, hold.protocol, len(hold)) == ("startup", {"gamma_dot": 50.0}, 43)
    assert (hold.x[0], hold.x[-1], hold.y[0], hold.y[-1]) == (0.0005, 100.0, 0.024997, 100.0)
    assert noted(hold, "shear rate constant: gamma_dot = 50 1/s")


def test_a_noisy_rate_is_one_rate_and_its_viscosity_a_stress(read_text) -> None:
    rng = np.random.default_rng(3)
    times = np.geomspace(0.1, 100, 40)
    rates = 50 * (1 + 0.02 * rng.standard_normal(40))
    rates[:2] = 12.0, 30.0
    rows = "".join(f"{t:.6g},{r:.6g},{2 + t:.6g}\n" for t, r in zip(times, rates, strict=True))
    stress = read_text("Time (s),Shear rate (1/s),Shear stress (Pa)\n" + rows)
    assert stress.test_mode == "startup"
    assert stress.protocol["gamma_dot"] == pytest.approx(50, rel=0.01)
    assert stress.y[3] == pytest.approx(2 + times[3], rel=1e-5)
    viscosity = read_text("Time (s),Shear rate (1/s),Viscosity (mPa.s)\n" + rows)
    assert (viscosity.test_mode, viscosity.quantity) == ("startup", "shear stress")
    assert viscosity.y[3] == pytest.approx(1e-3 * (2 + times[3]) * rates[3], rel=1e-5)


def test_one_rate_without_a_time_and_a_rate_about_zero_are_no_flow_curves(read_text) -> None:
    with pytest.raises(InputError, match="no flow curve: Shear rate is 50 1/s in all rows"):
        read_text("Shear rate,Stress\n50,1\n50,2\n50,3\n50,4\n")
    rows = "".join(f"{k},{1e-4 * (-1) ** k},{k % 3}\n" for k in range(1, 9))
    with pytest.raises(InputError, match="zero or negative in 4 of 8 rows, as at rest"):
        read_text("Time,Shear rate,Stress\n" + rows)
    with pytest.raises(InputError, match="as at rest"):
        read_text("Time,Shear rate,Stress\n1,66,0\n2,0,0\n3,0.001,0\n")


@pytest.mark.parametrize(
    ("file", "kind", "varies"),
    [
        ("time_sweep.csv", "a time sweep", "Time (s) varies from 0 to 180"),
        ("amp_near.csv", "an amplitude sweep", "Strain (%) varies from 0.1 to 100"),
    ],
)
def test_sweeps_at_one_frequency_are_refused(file: str, kind: str, varies: str) -> None:
    path = CASES / "one_frequency" / file
    for mode in (None, "oscillation"):
        with pytest.raises(InputError) as caught:
            read(path, mode=mode)
        message = str(caught.value)
        assert f"{kind} at one frequency, 6.28" in message
        assert varies in message


def test_what_is_swept_at_one_frequency(read_text) -> None:
    ramp = "".join(f"{20 + 5 * k},{60 * k},1,{1e5 / (k + 1)},{1e3 * (k + 1)}\n" for k in range(6))
    with pytest.raises(InputError, match="a temperature sweep at one frequency"):
        read_text("T (°C),t (s),f (Hz),G' (Pa),G'' (Pa)\n" + ramp)
    # The stress of a gel follows its modulus; its strain is constant.
    gel = "".join(f"{60 * k},1,{10**k},1,{10**k},1\n" for k in range(5))
    with pytest.raises(InputError, match="a time sweep at one frequency"):
        read_text("Time (s),Strain (%),Stress (Pa),f (Hz),G' (Pa),G'' (Pa)\n" + gel)
    with pytest.raises(InputError, match=r"Strain \(%\) is no frequency but a strain"):
        read_text("Strain (%),G',G''\n1,2,3\n2,3,4\n", mode="oscillation", x=1, y=2, y2=3)
    one = read_text("f (Hz),G' (Pa),G'' (Pa)\n1,2,3\n")
    assert one.y[0] == 2 + 3j


def test_an_amplitude_sweep_gives_way_to_a_frequency_sweep(read_text) -> None:
    text = (
        "[step]\nAmplitude sweep - 1\nFrequency\tStrain\tG'\tG''\nHz\t%\tPa\tPa\n"
        "1\t0.1\t9\t1\n1\t1\t8\t2\n1\t10\t3\t4\n"
        "[step]\nFrequency sweep - 2\nFrequency\tStrain\tG'\tG''\nHz\t%\tPa\tPa\n"
        "0.1\t1\t5\t1\n1\t1\t8\t2\n10\t1\t9\t3\n"
    )
    sweep = read_text(text, "trios.txt")
    assert sweep.name == "trios, Frequency sweep - 2"
    np.testing.assert_allclose(sweep.x, 2 * math.pi * np.array([0.1, 1, 10]))


def test_pairs_beside_each_other_are_listed() -> None:
    path = CASES / "parallel_columns" / "pairs.csv"
    first, second = read(path), read(path, step=2)
    assert list(first.y) == [100 + 50j, 200 + 80j, 400 + 120j]
    assert list(second.y) == [10 + 5j, 20 + 8j, 40 + 12j]
    assert noted(first, "1 '25 °C' (3 rows), 2 '60 °C' (3 rows)")
    assert second.name == "pairs, 60 °C"
    assert list(read(path, y=4, y2=5).y) == list(second.y)


def test_pairs_of_several_steps_and_the_same_values_twice(read_text) -> None:
    steps = "".join(
        f"[step]\nS - {k}\nFrequency,G',G'',G',G''\nrad/s,Pa,Pa,Pa,Pa\n1,2,3,4,5\n2,3,4,5,6\n"
        for k in (1, 2)
    )
    dataset = read_text(steps)
    assert list(dataset.y) == [2 + 3j, 3 + 4j]
    assert noted(dataset, "of the same quantity, and not used", "column 4", "column 5")
    twice = "t [s],G(t) [Pa],G(t) [kPa]\n1,2000,2\n2,1500,1.5\n"
    assert not noted(read_text(twice), "not used")
    numbers = ",20,,40,\nw,Gp,Gpp,Gp,Gpp\n1,2,3,4,5\n2,3,4,5,6\n"
    assert read_text(numbers, step=2).name == "data, 40"
    times = "Time (s),G(t) (Pa),Time (s),G(t) (Pa)\n1,9,2,7\n2,8,4,6\n3,7,6,5\n"
    second = read_text(times, step=2)
    assert (list(second.x), list(second.y)) == ([2.0, 4.0, 6.0], [7.0, 6.0, 5.0])


def test_rows_below_the_table_are_no_points(read_text) -> None:
    dataset = read(CASES / "summary_rows" / "footer.csv")
    assert list(dataset.y) == [100 + 50j, 200 + 80j, 400 + 120j]
    assert noted(dataset, "2 rows", "are no points: Mean, SD")
    for below in (
        "Mean,2,15\nStd. Dev.,0.1,2\n",
        ",Mean,15\n,SD,2\n",
        "\nMittelwert,2,15\nStandardabweichung,1,1\n",
        "Average:,2,15\nStDev:,2,15\n",
        "Fit A,2,15\nn = 3,2,15\n",
        "\n\nMean,2,15\nSD,1,5\n",
        "N = 3\nr2 = 0.99\n",
        "Mean,2,15\n95% CI,2,15\n",
    ):
        table = read_text("Point,Time (s),J (1/Pa)\n1,1,10\n2,2,15\n3,3,20\n" + below)
        assert list(table.x) == [1.0, 2.0, 3.0], below
        assert noted(table, "no point"), below
    named = read_text("Sample,Time (s),J (1/Pa)\nA,1,1\nA,2,2\nA,3,3\nMean,2,2\nSD,1,1\n")
    assert list(named.x) == [1.0, 2.0, 3.0]
    remarks = read_text("Time (s),J (1/Pa),Status\n1,1,ok\n2,2,max\n3,3,ok\n")
    assert list(remarks.x) == [1.0, 2.0, 3.0]
    each = "Step,Time (s),J (1/Pa)\n1,1,9\n1,2,8\nMean,2,8\n2,1,90\n2,2,80\nMean,2,80\n"
    assert list(read_text(each, step=2).y) == [90.0, 80.0]


def test_sections_keep_the_names_and_numbers_of_rheocompass(read_text) -> None:
    def interval(number: int, rows: list[str]) -> list[str]:
        head = [f"Intervalle et points de données:\t{number}\t{len(rows)}"]
        head += ["Interval données:\tPoint No.\tGradient de Cisaillement\tContrainte"]
        return [*head, "\t\t\tSinusoïdes", "\t\t[1/s]\t[kPa]", *rows, ""]

    lines = ["Projet:\tP 1", "", "Test:\tCarbopol", "", "Résultat:\tFlow 1", ""]
    lines += interval(1, ["\t1\t0,1\t2,5", "\t2\t1\t4,5"])
    lines += interval(2, ["\t1  (invalide)\t\t", "\t2  (invalide)\t\t"])
    lines += interval(3, ["\t1\t10\t7,5", "\t2  (invalide)\t\t", "\t3\t100\t9,5"])
    lines += ["Résultat:\tFlow 2", "", *interval(1, ["\t1\t5\t1", "\t2\t50\t2"])]
    text = "\r\n".join(lines)
    third = read_text(text, encoding="utf-16", step=3)
    assert third.name == "data, Carbopol / Flow 1 / Intervalle 3"
    assert (list(third.x), list(third.y)) == ([10.0, 100.0], [7500.0, 9500.0])
    assert noted(third, "1 points without values, marked as invalid")
    assert noted(third, "2 'Carbopol / Flow 1 / Intervalle 2' (0 rows)")
    fourth = read_text(text, encoding="utf-16", step=4)
    assert fourth.name == "data, Carbopol / Flow 2 / Intervalle 1"
    with pytest.raises(InputError, match="Intervalle 2' has no points"):
        read_text(text, encoding="utf-16", step=2)


def test_series_of_rheoplus_are_named(read_text) -> None:
    def series(name: str, factor: int) -> str:
        return (
            f"Data Series Information\nName:\t\t\t{name}\nNumber of Intervals:\t\t\t1\n\n"
            "Interval:\t\t\t1\nNumber of Data Points:\t\t\t3\nTime Setting:\t\t\t3 Meas. Pts.\n"
            "Measuring Profile:\n  Strain\t\t\tgamma = 1 %\n\n"
            "Meas. Pts.\tTime\tRelaxation Modulus\n\t[s]\t[kPa]\n"
            f"1\t0.1\t{3 * factor}\n2\t1\t{2 * factor}\n3\t10\t{factor}\n\n"
        )

    text = series("gel 1", 1) + series("gel 2", 10)
    second = read_text(text, "plus.txt", step=2)
    assert second.name == "plus, gel 2 / Interval 1"
    assert list(second.y) == [3e4, 2e4, 1e4]


def test_turns_within_the_steps_of_an_instrument_are_told(read_text) -> None:
    rows = "1\t5\n10\t20\n100\t90\n100\t80\n10\t15\n1\t3\n"
    text = "".join(f"[step]\nFlow ramp - {k}\nShear rate\tStress\n1/s\tPa\n{rows}" for k in (1, 2))
    up = read_text(text, "trios.txt", step=2)
    assert (up.name, list(up.y)) == ("trios, Flow ramp - 2", [5.0, 20.0, 90.0])
    assert noted(up, "2 segments: took rows 1 to 3", "rows=4-6")
    down = read_text(text, "trios.txt", step=2, rows="4-6")
    assert list(down.y) == [80.0, 15.0, 3.0]
    assert list(read_text(text, "trios.txt", rows="1-6").y) == [5.0, 20.0, 90.0, 80.0, 15.0, 3.0]


def test_rows_range_and_skipped_lines(read_text) -> None:
    text = "Time (s),G(t) (Pa)\n" + "".join(f"{k},{100 - k}\n" for k in range(1, 11))
    assert list(read_text(text, rows="3-5,9-").x) == [3.0, 4.0, 5.0, 9.0, 10.0]
    assert list(read_text(text, rows=2).x) == [2.0]
    ranged = read_text(text, x_range="2,4")
    assert list(ranged.x) == [2.0, 3.0, 4.0]
    assert noted(ranged, "7 of 10 rows left out, outside of the option x_range")
    both = read_text(text, rows="2-", x_range=(None, 3))
    assert list(both.x) == [2.0, 3.0]
    assert noted(both, "the first is row 4 of the table")
    old = "Time (s),G(t) (Pa)\n1,50\n2,40\n3,30\n" + text
    assert list(read_text(old, skip=4).y) == [float(100 - k) for k in range(1, 11)]
    for options, message in (
        ({"rows": "20-"}, "rows chooses none of the 10 rows"),
        ({"x_range": "50,60"}, "no time is between 50 and 60, as x_range demands"),
        ({"rows": "5-3"}, "rows counts rows from 1, the lower first, got '5-3'"),
        ({"rows": "a"}, "rows must be rows such as 3-60"),
        ({"x_range": "1"}, "x_range must be two numbers"),
        ({"x_range": (5, 1)}, "x_range is empty: 5 to 1"),
        ({"skip": -1}, "skip must be at least 0"),
    ):
        with pytest.raises(InputError, match=message):
            read_text(text, **options)


def test_names_of_french_rheocompass_and_of_rspace(read_text) -> None:
    """One amplitude sweep and one frequency sweep, with the names that the programs write."""
    names = "Fréquence [Hz];Déformation de Cisaillement [%];Module de Stockage [kPa]"
    swept = "1;0,1;2;3\n1;1;2;3\n1;10;1;3\n"
    with pytest.raises(InputError, match=r"Déformation de Cisaillement .* varies from 0.1 to 10 %"):
        read_text(f"{names};Module de Perte [Pa]\n{swept}")
    head = "Frequency(Hz);Shear modulus (elastic component)(Pa);"
    head += "Shear modulus (viscous component)(Pa);Shear modulus (complex component)(Pa)\n"
    sweep = read_text(f"{head}0,1;100;50;111,8\n1;200;80;215,4\n")
    assert list(sweep.y) == [100 + 50j, 200 + 80j]
