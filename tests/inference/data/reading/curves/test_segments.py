"""Segments of a table, however it writes them, are told apart and read to their own numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.curves.sweeps import sweeps_of
from rheojobs.inference.data.reading.read import read

pytestmark = pytest.mark.promise("right-or-refused")

SHARED_FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STYLES = (
    *("sections", "trios", "rheocompass", "interval", "step", "segindex", "actions", "set"),
    *("temperature", "points", "restart", "up and down", "plateau", "pairs", "blank cells"),
)
COLUMNS = {
    "oscillation": (
        ("Frequency", "Storage modulus", "Loss modulus"),
        ("rad/s", "kPa", "Pa"),
        (1, 1e3, 1),
    ),
    "flow_curve": (("Shear rate", "Shear stress"), ("1/s", "Pa"), (1, 1)),
}


class Written(NamedTuple):
    """A file and its segments in SI units."""

    text: str
    mode: str
    x: list[np.ndarray]
    ys: list[np.ndarray]
    style: str


def joined(rows: list[list[str]], delimiter: str) -> list[str]:
    return [delimiter.join(row) for row in rows]


@st.composite
def files(draw: st.DrawFn) -> Written:
    """Write up to four sweeps in one file in a random way."""
    style = draw(st.sampled_from(STYLES))
    mode = draw(st.sampled_from(sorted(COLUMNS)))
    names, units, factors = COLUMNS[mode]
    count = draw(st.integers(2, 4))
    size = draw(st.integers(3, 6))
    lowest = draw(st.sampled_from([0.01, 0.1, 1.0, 3.0]))
    ratio = draw(st.sampled_from([1.6, 2.0, 10.0]))
    grid = [float(f"{lowest * ratio**k:.5g}") for k in range(size)]
    falls = draw(st.booleans())
    value = st.floats(1.0, 1e5).map(lambda v: float(f"{v:.5g}"))
    segments: list[list[list[float]]] = []
    for number in range(count):
        x = grid[::-1] if falls else grid
        if style in ("up and down", "plateau") and number % 2:
            x = x[::-1]
        if style == "up and down" and number:
            x = x[1:]  # the turn belongs to the sweep before
        if style in ("interval", "segindex", "actions", "trios", "sections"):
            x = [float(f"{v * draw(st.sampled_from([1.0, 3.0])):.5g}") for v in [x[0]]] + x[1:]
            x = sorted(set(x))
        segments.append([[v, *(draw(value) for _ in names[1:])] for v in x])

    comma = draw(st.booleans())
    delimiter = draw(st.sampled_from([";", "\t"] if comma else [",", ";", "\t"]))

    def cell(number: float) -> str:
        return f"{number!r}".replace(".", ",") if comma else repr(number)

    rows = [[[cell(v) for v in row] for row in segment] for segment in segments]
    lines = written(draw, style, [list(names), list(units)], rows, delimiter)
    x = [np.array([row[0] for row in segment]) * factors[0] for segment in segments]
    parts = [np.array([row[1:] for row in s]) * np.array(factors[1:]) for s in segments]
    ys = [p[:, 0] + 1j * p[:, 1] if mode == "oscillation" else p[:, 0] for p in parts]
    return Written("\n".join([*lines, ""]), mode, x, ys, style)


def written(draw, style: str, head: list[list[str]], rows, delimiter: str) -> list[str]:
    """Return the lines of a file in one style of segments."""
    lines: list[str] = []
    if style == "sections":
        for number, part in enumerate(rows, 1):
            lines += ["", f"Sample {number}", *joined([*head, *part], delimiter)]
        return lines
    if style == "trios":
        for number, part in enumerate(rows, 1):
            lines += ["[step]", f"Sweep - {number}", *joined([*head, *part], delimiter)]
        return lines
    if style == "rheocompass":
        lines = [f"Project:{delimiter}P", f"Test:{delimiter}T 1", "", f"Result:{delimiter}R 1", ""]
        for number, part in enumerate(rows, 1):
            lines.append(delimiter.join(["Interval and data points:", str(number), str(len(part))]))
            lines.append(delimiter.join(["Interval data:", "Point No.", *head[0]]))
            lines.append(delimiter.join(["", "", *(f"[{unit}]" for unit in head[1])]))
            lines += [delimiter.join(["", str(k), *row]) for k, row in enumerate(part, 1)] + [""]
        return lines
    if style == "pairs":
        wide = [list(head[0]), list(head[1])]
        for _ in rows[1:]:
            wide = [wide[0] + head[0], wide[1] + head[1]]
        height = max(map(len, rows))
        body = [[c for part in rows for c in part[k]] for k in range(height)]
        return joined([*wide, *body], delimiter)
    label, keys = {
        "interval": ("Interval", [str(k) for k in range(1, 9)]),
        "step": ("Step No.", [str(k) for k in range(2, 9)]),
        "set": ("Set", [str(k) for k in range(8)]),
        "actions": ("Action Name", ["Pre shear", "Flow up", "Pre shear", "Flow down"]),
        "blank cells": ("Sample", ["A 1", "B 1", "C 1", "D 1"]),
        "temperature": ("Temperature", ["25.0", "60.1", "40.0", "80.2"]),
    }.get(style, ("", []))
    body, at = [], draw(st.integers(0, len(head[0]))) if label not in ("", "Sample") else 0
    for number, part in enumerate(rows):
        for k, row in enumerate(part, 1):
            more: list[str] = []
            if style == "segindex":
                more = [f"{number + 1}|{k}"]
            elif style == "points":
                more = [str(k)]
            elif style == "blank cells":
                more = [keys[number] if k == 1 else ""]
            elif label:
                more = [keys[number]]
            body.append([*row[:at], *more, *row[at:]])
    name = {"segindex": "SegIndex", "points": "Point No."}.get(style, label)
    unit = "°C" if style == "temperature" else ""
    top = [head[0][:at] + ([name] if name else []) + head[0][at:]]
    top.append(head[1][:at] + ([unit] if name else []) + head[1][at:])
    return joined([*top, *body], delimiter)


@settings(SHARED_FOLDER, max_examples=60)
@given(files())
def test_any_style_gives_the_same_segments(tmp_path: Path, file: Written) -> None:
    path = tmp_path / "segments.csv"
    path.write_text(file.text, encoding="utf-8")
    count = len(file.x)
    for step, (x, y) in enumerate(zip(file.x, file.ys, strict=True), 1):
        dataset = read(path, step=step)
        assert dataset.test_mode == file.mode
        np.testing.assert_allclose(dataset.x, x, rtol=1e-12)
        np.testing.assert_allclose(dataset.y, y, rtol=1e-12)
        assert dataset.notes[0].startswith(f"{count} sections in the file: took number {step}")
    np.testing.assert_allclose(read(path).x, file.x[0], rtol=1e-12)
    with pytest.raises(InputError, match=re.escape(f"no step {count + 1}: the file has {count}")):
        read(path, step=count + 1)


@pytest.mark.parametrize(
    ("x", "rows"),
    [
        ([1, 10, 100, 100, 10, 1], [3, 3]),
        ([1, 10, 100, 10, 1], [3, 2]),
        ([1, 1, 10, 10, 100, 100, 10, 10, 1, 1], [5, 5]),
        ([0.1, 1, 10, 0.1, 1, 10], [3, 3]),
        ([100, 10, 1, 100, 10, 1, 100, 10, 1], [3, 3, 3]),
        ([50, 50, 50, 0.1, 1, 10, 100], [3, 4]),  # a pre-shear
        ([0.1, 1, 10, 100, 1, 10, 100], [4, 3]),  # half of the grid again
        ([1, 10, 1, 10, 1, 10], [2, 2, 2]),
        # In order but for noise, in no order, or parts of a master curve: one curve.
        ([1, 3, 10, 30, 100, 90, 300, 1000], []),
        ([10, 1, 0.1, 100, 30, 3], []),
        ([0.1, 1, 10, 100, 5, 50, 500, 5000], []),
        ([1, 1, 1, 10, 10, 10, 100, 100, 100], []),
        ([0.1, 1, 10, 100, 0.1], []),
        ([1, 10, 100], []),
    ],
)
def test_sweeps(x: list[float], rows: list[int]) -> None:
    assert [len(sweep.rows) for sweep in sweeps_of(np.array(x, float))] == rows
    inverse = sweeps_of(1 / np.array(x, float))
    assert [len(sweep.rows) for sweep in inverse] == rows


def test_times_start_again_but_do_not_turn() -> None:
    again = np.tile([0.01, 0.1, 1.0, 10.0, 100.0], 2)
    assert [len(s.rows) for s in sweeps_of(again, is_time=True)] == [5, 5]
    assert sweeps_of(np.array([1.0, 2, 3, 4, 3, 2, 1]), is_time=True) == []
    assert sweeps_of(np.array([1.0, 2, 2, 1, 2]), is_time=True) == []


def test_holds_in_turn_and_labels_that_are_none(tmp_path: Path) -> None:
    rows = [(t, 10 if t < 10 else 100, t) for t in range(1, 20)]
    text = "Time (s),Shear rate (1/s),Stress (Pa)\n"
    path = tmp_path / "holds.csv"
    path.write_text(text + "".join(f"{t},{r},{s}\n" for t, r, s in rows), encoding="utf-8")
    second = read(path, step=2)
    assert (second.test_mode, second.protocol) == ("startup", {"gamma_dot": 100.0})
    assert list(second.x) == [float(t) for t in range(10, 20)]
    # Several points at each rate are one flow curve; a phase or a status names no segments.
    for header, extra in (("Phase (°)", ["45", "45", "30", "30", "20", "20"]),
                          ("Status", ["ok", "ok", "ok", "low", "low", "low"])):  # fmt: skip
        values = zip([1, 1, 10, 10, 100, 100], range(1, 7), extra, strict=True)
        lines = "".join(f"{x},{y},{more}\n" for x, y, more in values)
        path.write_text(f"Shear rate (1/s),Stress (Pa),{header}\n{lines}", encoding="utf-8")
        assert list(read(path).y) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
