"""What is declared once is what Python, the command, plans and stored tasks have."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.options.kinds import Count, Numbers
from rheojobs.inference.options.option import Group, checked, option, options_of
from rheojobs.inference.sampling.options import SampleOptions

pytestmark = pytest.mark.promise("one-answer")


@dataclass(frozen=True)
class Stirring:
    """Options of something."""

    num_turns: int = option(3, Count(), "How often.", group=Group.DATA, word="turns")
    at: Mapping[str, float] = option({}, Numbers(), "Constants.", group=Group.DATA)


def test_names_follow_from_the_declaration():
    turns = options_of(Stirring)["num_turns"]
    assert (turns.name, turns.word, turns.flag, turns.label) == (
        "num_turns",
        "turns",
        "--turns",
        "Turns",
    )
    assert turns.default == 3
    assert Stirring().num_turns == 3


def test_defaults_that_can_change_are_not_shared():
    first, second = Stirring(), Stirring()
    assert first.at == {}
    assert first.at is not second.at
    at = options_of(Stirring)["at"]
    assert at.check(None) == {}
    assert at.check(None) is not at.check(None)


def test_each_face_names_an_option_as_its_user_wrote_it():
    with pytest.raises(InputError) as caught:
        checked(Stirring, {"num_turns": 0}, "stirring")
    error = caught.value
    assert str(error) == "num_turns must be at least 1, got 0"
    known = options_of(Stirring)
    assert error.spelled(lambda name: known[name].flag) == "--turns must be at least 1, got 0"
    assert error.spelled(lambda name: known[name].word) == "turns must be at least 1, got 0"
    assert str(error.within("plan.yaml")) == "plan.yaml: num_turns must be at least 1, got 0"
    crossed = pickle.loads(pickle.dumps(error))  # from a worker
    assert crossed.spelled(lambda name: known[name].flag) == "--turns must be at least 1, got 0"


def test_an_option_that_is_not_there():
    with pytest.raises(InputError, match="unknown option 'num_turn' of stirring; did you mean"):
        checked(Stirring, {"num_turn": 1}, "stirring")


@pytest.mark.parametrize("declaring", [ReadOptions, FitOptions, SampleOptions])
def test_every_default_is_right_and_every_help_a_sentence(declaring):
    for name, declared in options_of(declaring).items():
        assert declared.check(declared.default) == declared.default, name
        assert declared.help[0].isupper(), name
        assert declared.help.endswith("."), name


def test_words_are_told_apart():
    for declaring in (ReadOptions, FitOptions, SampleOptions):
        words = [declared.word for declared in options_of(declaring).values()]
        assert len(words) == len(set(words))
