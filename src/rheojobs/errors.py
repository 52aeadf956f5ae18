"""The errors that a user can mend, and the one line each of them is.

Knows nothing of the rest of the package; every floor may raise these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["InputError", "MissingExtraError", "RheojobsError", "nearest", "one_line"]


class RheojobsError(Exception):
    """Base of all errors whose message alone tells the user what to do."""


class InputError(RheojobsError, ValueError):
    """The input cannot be worked on: the message says what, where, and what would be right.

    Options are named as each face spells them: `spelled` gives the message with ``--draws`` to a
    terminal, with ``draws`` to a plan. As text it has their names in Python.

    Parameters
    ----------
    message : str
        Names an option as ``{num_samples}``.
    options : iterable of str
        The names in Python of the options that it names so.
    """

    def __init__(self, message: str = "", *, options: Iterable[str] = ()) -> None:
        self._template = message
        self.options = tuple(options)
        super().__init__(self.spelled(str))

    def spelled(self, spell: Callable[[str], str]) -> str:
        """Return the message with the options named as `spell` names them."""
        text = self._template
        for name in self.options:
            text = text.replace(f"{{{name}}}", spell(name))
        return text

    def of_option(self, name: str, colon: str = ":") -> InputError:
        """Return the same error as said of an option."""
        return InputError(f"{{{name}}}{colon} {self._template}", options=(name, *self.options))

    def within(self, place: str, clean: Callable[[str], str] = str) -> InputError:
        """Return the same error as said of a place, such as a file; `clean` makes it printable."""
        return InputError(f"{place}: {clean(self._template)}", options=self.options)


class MissingExtraError(RheojobsError, ImportError):
    """A part of rheojobs that was not installed is needed; the message names the extra."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or list what there is.

    Parameters
    ----------
    name : str
        The name that is not known.
    known : iterable of str
        The names that are.

    Returns
    -------
    str
        A clause to end an error message with, such as ``"did you mean 'maxwell'?"``.
    """
    import difflib  # only where something is wrong

    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    if not names:
        return "there are none"
    if len(names) > 12:
        return f"there are {len(names)}, such as {', '.join(names[:4])}"
    return f"known: {', '.join(names)}"


def one_line(error: BaseException) -> str:
    """Describe an error on one line, as a window or a terminal shows it.

    Errors of this package speak for themselves; any other is preceded by its type.
    """
    try:
        text = " ".join(str(error).split())
    except Exception:  # an error of the user's whose own __str__ fails
        text = ""
    if isinstance(error, RheojobsError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
