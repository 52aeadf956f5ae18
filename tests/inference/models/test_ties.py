"""Ties: what they compute, and that nothing but arithmetic is taken."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.errors import InputError
from rheojobs.inference.models.ties import parse_tie, parse_ties

NAMES = ("G1", "G2", "tau")


def test_they_compute_what_python_would():
    (tie,) = parse_ties({"G2": "-(G1 + 2*tau)**2 / 1e1 - +3"}, NAMES, "m")
    assert tie.evaluate({"G1": 3.0, "tau": 0.5}) == pytest.approx(-(4.0**2) / 10 - 3)
    assert set(tie.sources) == {"G1", "tau"}


def test_they_come_in_an_order_in_which_each_can_be_computed():
    ties = parse_ties({"G1": "2 * G2", "G2": "tau + 1"}, NAMES, "m")
    assert [tie.name for tie in ties] == ["G2", "G1"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"G3": "G1"}, "known: G1, G2, tau"),
        ({"G1": "G3"}, "no parameter 'G3'"),
        ({"G1": "G1"}, "circle: G1 -> G1"),
        ({"G1": "G2", "G2": "tau", "tau": "G1"}, "circle"),
        ({"G1": ""}, "expression"),
        ({"G1": 5}, "expression"),
        ({"G1": "2 +"}, "it ends too early"),
        ({"G1": "G2; tau"}, "column 3: ';' is not allowed"),
        ({"G1": "expm(tau)"}, "no function 'expm'; did you mean 'exp'"),
        ({"G1": "G2.real"}, "column 3: '.' is not allowed"),
        ({"G1": "[G2][0]"}, "column 1: '[' is not allowed"),
        ({"G1": "G2 if tau else 1"}, "write a sign between 'G2' and 'if'"),
        ({"G1": "G2 % 2"}, "'%' is not allowed"),
        ({"G1": "not G2"}, "write a sign between 'not' and 'G2'"),
        ({"G1": "True * G2"}, "no parameter 'True'"),
        ({"G1": "'a' * G2"}, "there are no texts"),
        ({"G1": "2j * G2"}, "imaginary, and not a number"),
        ({"G1": "G2 + " * 200 + "1"}, "longer than"),
        ({"G1": "(" * 300 + "G2" + ")" * 150}, "nested more than 50 deep"),
    ],
)
def test_what_is_no_arithmetic_is_refused_in_one_line(texts, words):
    with pytest.raises(InputError) as caught:
        parse_ties(texts, NAMES, "m")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="G12tau+-*/() .eE_[]'=:", max_size=40))
def test_any_text_is_computed_or_refused(text):
    try:
        (tie,) = parse_ties({"G1": text}, NAMES, "m")
    except InputError:
        return
    assert isinstance(tie.evaluate({"G2": 2.0, "tau": 3.0}), float)


def test_they_have_functions_constants_and_greek_letters():
    (tie,) = parse_ties({"G2": "exp(-τ)*max(G1, π)²"}, NAMES, "m")
    assert tie.sources == ("tau", "G1")
    assert tie.evaluate({"G1": 3.0, "tau": 0.5}) == pytest.approx(math.exp(-0.5) * math.pi**2)


def test_a_parameter_may_have_the_name_of_a_constant():
    (tie,) = parse_ties({"G": "2 * e"}, ("G", "e"), "m")
    assert tie.sources == ("e",)
    assert tie.evaluate({"e": 5.0}) == 10.0


@pytest.mark.parametrize("text", ["9**9**9", "1/0", "G * (-2)**0.5", "1e999", "9" * 400])
def test_constants_need_a_finite_value(text: str):
    with pytest.raises(InputError, match=r"no finite number|by zero|too large"):
        parse_tie("tau", text)
