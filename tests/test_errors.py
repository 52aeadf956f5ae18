"""What an error message says: the nearest known name, and all on one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.errors import InputError, MissingExtraError, RheojobsError, nearest, one_line


class TestNearest:
    @pytest.mark.parametrize(
        ("name", "answer"),
        [
            ("maxwel", "did you mean 'maxwell'?"),
            ("MAXWELL", "did you mean 'maxwell'?"),
            ("springpott", "did you mean 'SpringPot'?"),
            ("zzz", "known: SpringPot, maxwell, zener"),
            ("", "known: SpringPot, maxwell, zener"),
        ],
    )
    def test_few(self, name: str, answer: str) -> None:
        assert nearest(name, ["zener", "maxwell", "SpringPot"]) == answer

    def test_none(self) -> None:
        assert nearest("maxwell", []) == "there are none"

    def test_many(self) -> None:
        known = {f"model_{letter}" for letter in "abcdefghijklm"}
        text = nearest("??", known)
        assert text == "there are 13, such as model_a, model_b, model_c, model_d"

    def test_any_iterable(self) -> None:
        assert nearest("zenner", iter(("zener",))) == "did you mean 'zener'?"

    @given(st.text(), st.lists(st.text(min_size=1)))
    def test_always_says_something(self, name: str, known: list[str]) -> None:
        assert nearest(name, known)

    @given(st.lists(st.text(st.characters(categories=["Ll"]), min_size=1), min_size=1))
    def test_a_known_name_is_nearest_to_itself(self, known: list[str]) -> None:
        answer = nearest(known[0], known)
        assert answer.startswith("did you mean")
        assert answer.casefold() == f"did you mean {known[0]!r}?".casefold()


class TestOneLine:
    @pytest.mark.parametrize(
        ("error", "line"),
        [
            (ValueError("no data"), "ValueError: no data"),
            (ValueError("two\n  lines\tand more "), "ValueError: two lines and more"),
            (ValueError(), "ValueError"),
            (KeyError("G0"), "KeyError: 'G0'"),
            (InputError("row 7:\nno number"), "row 7: no number"),
            (MissingExtraError("install rheojobs[gui]"), "install rheojobs[gui]"),
            (RheojobsError(), "RheojobsError"),
            (KeyboardInterrupt(), "KeyboardInterrupt"),
        ],
    )
    def test_text(self, error: BaseException, line: str) -> None:
        assert one_line(error) == line

    @given(st.text())
    def test_is_one_line(self, text: str) -> None:
        assert len(one_line(ValueError(text)).splitlines()) == 1

    def test_an_error_without_words(self) -> None:
        class BadError(Exception):
            def __str__(self) -> str:
                raise ZeroDivisionError

        assert one_line(BadError()) == "BadError"


def test_kinds() -> None:
    assert issubclass(InputError, ValueError)
    assert issubclass(MissingExtraError, ImportError)
    assert issubclass(InputError, RheojobsError)
    assert issubclass(MissingExtraError, RheojobsError)


def test_a_message_is_printable_and_not_endless():
    text = one_line(InputError("\x1b[31ma\nb" + "x" * 5000))
    assert text.startswith("[31ma b")
    assert text.isprintable()
    assert len(text) == 2001
