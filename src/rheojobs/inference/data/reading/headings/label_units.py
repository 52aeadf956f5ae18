"""Split the label of a column into its name and its unit, in all the ways that files join them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from rheojobs.inference.data.units import is_unit, no_unit, parse_unit, without_logarithm

__all__ = [
    "LabelParts",
    "bare_name",
    "merged",
    "normal",
    "other_text",
    "parts_of",
    "split_log",
    "unclear_power",
    "unit_text",
    "without_conditions",
]

_BRACKET = r"[\[({<]([^\[\](){}<>]*)[\])}>]"
# Name and unit, the most certain first. An underscore in a unit stands for a sign it cannot hold.
_JOINED: tuple[tuple[str, str], ...] = (
    (r"(.+?)\s*[\[({<](.+)[\])}>]", ""),
    (r"(.+)\s*[\[({<](.+)[\])}>]", ""),  # J(t) (1/Pa)
    (r"(.+?)\s*[/,]\s*(.+)", ""),
    (r"(.+?)\s+in\s+(.+)", ""),
    (r"(.+?)_in_(.+)", "/"),
    (r"(.+?)_((?:[A-Za-z1%]+_)?per_[A-Za-z]+)", " "),
    (r"(.+?)_((?:rad_|1_)?[^_]+)", "/"),
    (r"(.+?)_([A-Za-z]+_s)", " "),  # viscosity_mPa_s
    (r"(.+?)\s*[:|]\s*(.+)", ""),
    (r"(.+?)\s+[-–—]\s+(.+)", ""),
    (r"(.+?)\.\.(.+?)\.?", ""),  # R writes Storage.modulus..Pa.
    (r"(.+) (\S+)", ""),
)
_IN_FRONT = re.compile(r"[\[(]([^\[\]()]+)[\])]\s*(.+)")
_FIRM = 4  # so many of these join nothing but a unit
_POWER = re.compile(r"10 ?(?:\^|\*\*)|10[⁺⁻⁰¹²³⁴-⁹]|\b1[eE][+-]?\d|[x×*·] ?10|\b10+ ?[x×*·]")
_LOG_BRACKET = re.compile(r"\s*[\[(]\s*(log_?10|log₁₀|log|lg|ln)\s*[\])]", re.IGNORECASE)
_LOG_GLUED = re.compile(r"(log10|log|lg|ln)(?=[A-Zωηγτσδ|])(.+)")
# Words in brackets behind a name that are no unit.
_WORDS = re.compile(
    r"(avg|average|mean|median|measured|meas|corrected|corr|raw|calc|calculated|smoothed|exp"
    r"|experimental|data|sample.*|run.*|test.*|shear|oscillation|step|total|action|abs|absolute"
    r"|mittelwert|mittel|gemessen|korrigiert|moyenne|mesure|corrige)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r".*=.*|(?:at|bei|a|à|@)\s.*|@.*|[~≈+-]?\d+(?:[.,]\d+)?\s*(?:°\s*[CFK]|K|C|%|rad/s|Hz|1/s|s-1)"
)


class LabelParts(NamedTuple):
    """A label taken apart in one way; `firm` if what joins the parts is usual for units only."""

    name: str
    unit: str
    firm: bool


def normal(label: str) -> str:
    """Return a label with one kind of prime, quotation mark and space."""
    text = unicodedata.normalize("NFC", label[:100])
    text = re.sub("[′’‘´ʹ`]", "'", text)
    text = re.sub('[″”“"]', "''", text)
    text = re.sub(r"\$|\\(?=[A-Za-z])", "", text)  # TeX: $\omega$
    return re.sub(r"\s+", " ", text).strip()


def bare_name(label: str) -> str:
    """Return a column's name without the unit behind it."""
    return re.sub(r"\s*([\[(].*|/.*)$", "", label)


def parts_of(text: str) -> Iterator[LabelParts]:
    """Yield the ways to take a normal label apart, the most certain first."""
    seen = set()
    for number, (pattern, stand_in) in enumerate(_JOINED):
        found = re.fullmatch(pattern, text)
        if found is None:
            continue
        unit = found[2].replace("_", stand_in) if stand_in else found[2]
        if number == len(_JOINED) - 1 and not is_unit(unit):
            continue
        if (found[1], unit) not in seen:
            seen.add((found[1], unit))
            yield LabelParts(found[1], unit, number < _FIRM)
    if (front := _IN_FRONT.fullmatch(text)) and is_unit(front[1]):
        yield LabelParts(front[2], front[1], True)
    first = re.match(rf"(.+?)\s*{_BRACKET}", text)
    if first is None:
        return
    behind = text[first.end() :]
    last = re.fullmatch(rf"(.*?)\s*{_BRACKET}", behind)
    if (
        last is None and behind.strip() and not re.search(r"\d|[\[(]", behind)
    ):  # Storage modulus [kPa] G'
        yield LabelParts(f"{first[1]} {behind.strip()}", first[2], True)


def without_conditions(text: str) -> str:
    """Remove words and conditions in brackets, such as (25 °C), beside another bracket."""
    brackets = list(re.finditer(rf"\s*{_BRACKET}", text))
    if all(other_text(found[1]) for found in brackets):
        return text
    for found in reversed(brackets):
        if found.start() and other_text(found[1]):
            text = text[: found.start()] + text[found.end() :]
    return text


def split_log(text: str) -> tuple[str, str]:
    """Split ``"log10(G') [Pa]"`` into ``"log"`` and ``"G' [Pa]"``; the first is empty without one.

    The natural logarithm gives ``"ln"``.
    """
    if found := _LOG_BRACKET.search(text):
        base, _ = without_logarithm(found[1])
        text = text[: found.start()] + text[found.end() :]
    else:
        base, text = without_logarithm(text)
        if not base and (found := _LOG_GLUED.match(text)):
            base, text = without_logarithm(found[1])[0], found[2]
    if not base:
        return "", text
    wrapped = re.fullmatch(r"\((.+)\)|\[(.+)\]", text)
    if wrapped is not None and not re.match(r"[^(\[]*[)\]]", wrapped[1] or wrapped[2]):
        text = wrapped[1] or wrapped[2]
    elif found := re.fullmatch(r"[(\[]((?:[^()\[\]]|\([^()]*\))+)[)\]]\s*(.+)", text):
        text = f"{found[1]} {found[2]}"
    return ("log" if base == 10 else "ln"), text.strip()


def unit_text(parts: LabelParts) -> str:
    """Return the unit of an unknown label's parts; a power of ten in the name makes it unclear."""
    if power := unclear_power(parts.name):
        return f"{parts.unit}, beside {power} in the name"
    others = [found[1] for found in re.finditer(_BRACKET, parts.name) if is_unit(found[1])]
    if others:
        return f"{others[0]} or {parts.unit}"
    return parts.unit


def unclear_power(text: str) -> str:
    """Return the part of a label from a power of ten on; empty if it has none."""
    power = _POWER.search(text)
    return text[power.start() :].strip() if power else ""


def merged(written: str, below: str) -> str:
    """Return the unit of a label and of the row of units; both if they contradict each other."""
    if no_unit(below) or not is_unit(below):
        return written if not no_unit(written) else below
    if no_unit(written) or not is_unit(written):
        return below
    same = re.sub(r"[\s\[\]()]", "", written) == re.sub(r"[\s\[\]()]", "", below)
    factor = parse_unit(written)
    same |= factor is not None and factor == parse_unit(below) and "rad" not in written + below
    return written if same else f"{written} or {below}"


def other_text(written: str) -> bool:
    """Whether what is in brackets behind a name is a word or a condition and no unit."""
    text = written.strip(" []()")
    if is_unit(text) or no_unit(text):
        return False
    return _WORDS.fullmatch(text) is not None or _CONDITION.fullmatch(text) is not None
