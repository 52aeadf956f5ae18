"""Check the values of a batch plan one by one, so that an error can name its key.

Keys and checks follow from the declarations of the options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.fits.options import FitOptions, StartOptions
from rheojobs.inference.options.option import Option, options_of
from rheojobs.inference.problem.options import ProblemOptions
from rheojobs.inference.sampling.options import SampleOptions

__all__ = ["DATA_KEYS", "FIT_KEYS", "SAMPLE_KEYS", "words_of"]


def _keys(*declaring: type, without: Mapping[str, Option]) -> dict[str, Option]:
    return {
        option.word: option
        for one in declaring
        for name, option in options_of(one).items()
        if name not in without
    }


_OF_THE_PROBLEM = options_of(ProblemOptions)
_GIVEN_WITH_A_FIT = ("fixed", "bounds")
_NOT_OF_A_FIT = {
    name: option for name, option in _OF_THE_PROBLEM.items() if name not in _GIVEN_WITH_A_FIT
}

DATA_KEYS = _keys(ReadOptions, without={})
FIT_KEYS = _keys(StartOptions, FitOptions, without=_NOT_OF_A_FIT)
SAMPLE_KEYS = _keys(SampleOptions, without=_OF_THE_PROBLEM)
"""Keys of a section of a plan -> their options.

The test, its constants, fixed parameters and bounds hold for both the fit and the sampling, and
settings are given with their model.
"""


def words_of(keys: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options given by their names in Python under their keys in a plan."""
    return {word: given[option.name] for word, option in keys.items() if option.name in given}
