"""The option --json, whose FILE may be left out: then JSON is written to standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

__all__ = ["FLAG", "HELP", "METAVAR", "with_json_targets"]

FLAG = "--json"
METAVAR = "[FILE]"
HELP = "Write JSON to FILE, or to standard output."

_DATA = frozenset({".csv", ".tsv", ".txt", ".dat", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_PLANS = frozenset({".yaml", ".yml"})


def with_json_targets(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with a value for each --json.

    The next word is its file if it looks like one: ``fit.json``, ``out/fit``, ``-``. The id of a
    job, the name of a model and a file of data do not; ``--json=FILE`` takes any.
    """
    found: list[str] = []
    for place, word in enumerate(words):
        if word == "--":
            return [*found, *words[place:]]
        has_file = place + 1 < len(words) and _is_target(words[place + 1])
        found.append(word if word != FLAG or has_file else f"{FLAG}=-")
    return found


def _is_target(word: str) -> bool:
    if word == "-":
        return True
    path = PurePath(word)
    is_input = path.suffix.lower() in _DATA | _PLANS
    return not word.startswith("-") and not is_input and (path.suffix != "" or len(path.parts) > 1)
