"""Errors that a user can fix, each with a message of one line; all floors raise these."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = [
    "InputError",
    "MissingExtraError",
    "RheojobsError",
    "nearest",
    "one_line",
    "printable",
    "shortened",
]


LONGEST = 2000
"""Characters of a message in a window or a terminal."""


class RheojobsError(Exception):
    """Base of all errors whose message explains what to do."""


class InputError(RheojobsError, ValueError):
    """The input is wrong: the message says what is wrong, where, and what would be right.

    Options are named as each interface spells them: `spelled` returns the message with ``--draws``
    for a terminal, with ``draws`` for a plan. As text it has their names in Python.

    Parameters
    ----------
    message : str
        The message, in which an option is written as ``{num_samples}``.
    options : iterable of str
        The names in Python of these options.
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
        """Return the error with an option in front of its message."""
        return InputError(f"{{{name}}}{colon} {self._template}", options=(name, *self.options))

    def within(self, place: str, clean: Callable[[str], str] = str) -> InputError:
        """Return the error with a place, such as a file, in front of its message.

        `clean` makes the message printable.
        """
        return InputError(f"{place}: {clean(self._template)}", options=self.options)


class MissingExtraError(RheojobsError, ImportError):
    """An optional dependency is needed but not installed; the message names the extra."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name that was probably meant, or a list of known names.

    Parameters
    ----------
    name : str
        The unknown name.
    known : iterable of str
        The known names.

    Returns
    -------
    str
        The end of an error message, such as ``"did you mean 'maxwell'?"``.
    """
    import difflib  # late: only needed for errors

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


def printable(text: str) -> str:
    """Put a text on one line, without control characters and characters that do not print.

    A byte of a file's name that is no text in this locale (a surrogate) becomes a question mark.
    """
    shown = (c if c.isprintable() else "?" if "\ud800" <= c <= "\udfff" else " " for c in text)
    return " ".join("".join(shown).split())


def shortened(text: str, most: int = LONGEST) -> str:
    """Cut a text that came from a file, which may be all of a damaged one."""
    return text if len(text) <= most else f"{text[:most]}…"


def one_line(error: BaseException) -> str:
    """Return the message of an error on one line, for a window or a terminal.

    The message of an error of another package is preceded by its type; for a package that is not
    installed, the extra is named.
    """
    try:
        text = shortened(printable(str(error)))
    except Exception:  # an error of the user's whose own __str__ fails
        text = ""
    if isinstance(error, RheojobsError) and text:
        return text
    if isinstance(error, ModuleNotFoundError):
        from rheojobs.extras import missing_extra  # late: it reads the metadata of the package

        missing = missing_extra(error)
        if missing is not None:
            return str(missing)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
