"""Each kind of option takes what it should, and says what is wrong with anything else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.options.kinds import (
    Choice,
    Column,
    Columns,
    Count,
    Expressions,
    Flag,
    Number,
    Numbers,
    Ranges,
    Settings,
    Text,
)

WEIGHTS = Choice({"uniform": "", "relative": ""})


@pytest.mark.parametrize(
    ("kind", "given", "used"),
    [
        (Count(), 3, 3),
        (Count(), np.int64(3), 3),
        (Count(0), 0, 0),
        (Number(), 2, 2.0),
        (Number(0.0, 1.0), 1e-10, 1e-10),
        (WEIGHTS, "relative", "relative"),
        (Flag(), True, True),
        (Column(), "G'", "G'"),
        (Column(), 2, 2),
        (Columns(), "s", ("s",)),
        (Columns(), ["s", 4], ("s", 4)),
        (Numbers(), {"G0": 1}, {"G0": 1.0}),
        (Numbers({"omega": ""}), {"omega": 2.0}, {"omega": 2.0}),
        (Settings(), {"n_modes": 6}, {"n_modes": 6}),
        (Ranges(), {"G0": [1, 2]}, {"G0": (1.0, 2.0)}),
        (Text(str.upper), "a", "A"),
        (Expressions(lambda name, text: text), {"G2": "G1"}, {"G2": "G1"}),
    ],
)
def test_what_is_right(kind, given, used):
    assert kind.check(given) == used


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (Count(), True, "must be a whole number, got True"),
        (Count(), 1.0, "must be a whole number, got 1.0"),
        (Count(), 0, "must be at least 1, got 0"),
        (Count(1, 128), 129, "must be at most 128, got 129"),
        (Number(), 0.0, "must be a positive number, got 0.0"),
        (Number(), math.nan, "must be a positive number, got nan"),
        (Number(), math.inf, "must be a positive number, got inf"),
        (Number(), "3", "must be a positive number, got '3'"),
        (Number(0.0, 1.0), 1.0, "must be between 0 and 1, got 1.0"),
        (WEIGHTS, "relativ", "cannot be 'relativ'; did you mean 'relative'?"),
        (WEIGHTS, [], "cannot be []; known: relative, uniform"),
        (Flag(), 1, "must be true or false, got 1"),
        (Column(), 1.5, "must be the name or the number of a column, got 1.5"),
        (Columns(), [1, 2, 3], "must be a column, or two for G' and G'', got [1, 2, 3]"),
        (Numbers(), [1], "must give numbers by name, got [1]"),
        (Numbers(), {"G0": "1"}, "must have a finite number for G0, got '1'"),
        (Numbers(), {"G0": math.nan}, "must have a finite number for G0, got nan"),
        (Numbers({"omega": ""}), {"omga": 1}, "has no 'omga'; did you mean 'omega'?"),
        (Ranges(), {"G0": 1}, "must have two numbers for G0, got 1"),
        (Ranges(), {"G0": (2, 1)}, "of G0 are empty: 2 to 1"),
        (Text(str), 1, "must be text, got 1"),
        (Expressions(lambda name, text: text), "x", "must give expressions by name, got 'x'"),
    ],
)
def test_what_is_wrong(kind, given, words):
    with pytest.raises(InputError) as caught:
        kind.check(given)
    assert str(caught.value) == words
