"""The page of all models in all test modes: written from rows, and read back into them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.inference.models.simulated import NOISE
from tests.physics.held_against import held_against

from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.models.catalogue import catalogue
from rheojobs.inference.models.rheojax.registry import version

POINTS = 40
STARTS = 4
# Other names for a class that is in the list already.
SECOND_NAMES = {
    "giesekus_multimode": "giesekus_multi",
    "giesekus_single": "giesekus",
    "hvm_local": "hvm",
    "hvnm_local": "hvnm",
    "tnt_single_mode": "tnt",
    "vlb_local": "vlb",
}
_STIFF = (
    "tau0 is about 1e-12 s, and these tests take from 1e-8 s to 1e-5 s: RheoJAX's explicit method "
    "needs a step for every tau0, and is given up after 16,384 of them; of diffrax's implicit "
    "ones, Kvaerno5 and Kvaerno3 do not agree about LAOS"
)
_VALLEY = (
    "parameters that the data do not tell leave a valley in which every step lowers the loss a "
    "little: 465 to 2,724 iterations in ten minutes came to no end"
)

CAUSES = {
    **dict.fromkeys((("stz_conventional", m) for m in ("relaxation", "creep", "laos")), _STIFF),
    ("fluidity_local", "relaxation"): "the stress is gone before the first point of every test "
    "that is tried: these data are rounding errors",
    ("fluidity_nonlocal", "laos"): "10 parameters for one curve that a few describe: the fit came "
    "to 0.81 times the loss at the truth with two of them at their bounds, and to no further step",
    ("fmlikh", "laos"): "28 parameters of which the data tell few: one estimated start ended at 25 "
    "times the loss at the truth, four and the search beyond them came to no end",
    ("fmlikh", "flow_curve"): "28 parameters for a curve that a few describe: the fit came to 0.73 "
    "times the loss at the truth, into a valley in which no further step was found",
    ("fmlikh", "oscillation"): "one evaluation takes 16 ms, one with the slopes of 28 parameters "
    "1.6 s: eight starts of 16 iterations and 60 more need five minutes of a core of their own",
    **dict.fromkeys((("ml_ikh", m) for m in ("relaxation", "startup", "laos")), _VALLEY),
    ("lattice_epm", "flow_curve"): "one evaluation takes 1.6 s, one with its slopes 15 s: a fit "
    "of 60 iterations needs a quarter of an hour, the search for a start 7 minutes before it",
    ("tensorial_epm", "flow_curve"): "150 s do not even simulate the data, some 20 evaluations: "
    "three lattices where lattice_epm has one",
}
"""Why, as far as it is known, where a pair did not end well."""

_CAUSE = "; the cause: "
_REASON = re.compile(
    r"- \*\*(?P<model>\w+)\*\* (?P<modes>[a-z, ]+): (?P<mark>.) (?P<note>.*?)(; the cause: .*)?"
)

MARKS = {
    "recovered": "✓",
    "weak": "◐",
    "missed": "≠",
    "poor": "▽",
    "slow": "…",
    "failed": "!",
    "open": "?",
}
MEANINGS = {
    "recovered": "every parameter came back within 3 standard errors",
    "weak": "the fit is as good as the truth, but these data do not tell some parameters",
    "missed": "the fit is as good as the truth, but a parameter is beyond 3 standard errors",
    "poor": "the fit ended at a poorer minimum than the truth, or did not converge",
    "slow": "stopped after the time limit",
    "failed": "the fit failed",
    "open": "runs, but was not fitted when this page was written",
}


def table(rows: list[dict[str, Any]], command: str) -> str:
    """Write the rows as a page of Markdown."""
    by_pair = {(row["model"], row["mode"]): row for row in rows}
    names = sorted({name for name, _ in by_pair})
    counts = {status: sum(row["status"] == status for row in rows) for status in MARKS}
    refused = sum(row["status"] == "refused" for row in rows)
    good = sum(counts[status] for status in ("recovered", "weak", "missed"))
    seconds = sorted(row["wall"] for row in rows if "wall" in row)
    lines = [
        "# Every model in every test mode",
        "",
        f"RheoJAX {version()} declares {len(rows)} pairs of model and test mode for {len(names)} "
        f"models: {len(rows) - refused} can be run, {refused} cannot. {good} were fitted here as "
        "well as the parameters do that made the data.",
        "",
        "A mark says that a fit finds its own data again; it cannot see a wrong formula. The last "
        "column says what else predictions are held against (tests/physics); where it is empty, "
        "they are RheoJAX's or close to them, and nothing more. [Where rheojobs differs from "
        "RheoJAX](rheojax-differences.md) lists the formulas that were replaced.",
        "",
        "Each was fitted to data simulated from itself: parameters drawn around their defaults and "
        f"well inside their bounds, {POINTS} points (fewer for the slowest models) with "
        f"{NOISE:.0%} noise, the best of {STARTS} estimated starts (one for the slowest, which may "
        "be the model's own values). Where several disagree or leave a trend, the fit searched "
        f"beyond them. {len(seconds)} pairs were fitted last: those that had ended poorly, failed "
        "or taken too long, and some of those whose starts or equations changed with them. The "
        "others are as they were fitted before, by starts and searches that knew less. The draws "
        "follow from the names, none was chosen. The "
        "rule for what counts as not identified, "
        "the tests that are tried and the settings of the slowest models were changed after a "
        "first look at some of the results. With more than a thousand parameters, a few are "
        "expected beyond 3 standard errors. Second names of a class ("
        + ", ".join(f"`{second}` of `{first}`" for second, first in SECOND_NAMES.items())
        + ") were not fitted again.",
        "",
        "| mark | pairs | means |",
        "|---|---|---|",
        *(
            f"| {mark} | {counts[status]} | {MEANINGS[status]} |"
            for status, mark in MARKS.items()
            if counts[status]
        ),
        f"| – | {refused} | cannot be run; the reason is below |",
        "| | | not described by the model |",
        "",
        *_times(seconds),
        "Made by",
        "",
        f"    {command}",
        "",
        "| model | "
        + " | ".join(mode.replace("_", " ") for mode in TEST_MODES)
        + " | held against |",
        "|---" * (len(TEST_MODES) + 2) + "|",
    ]
    held = held_against()
    for name in names:
        cells = []
        for mode in TEST_MODES:
            row = by_pair.get((name, mode))
            cells.append("" if row is None else MARKS.get(row["status"], "–"))
        lines.append(f"| {name} | " + " | ".join([*cells, _held_cell(name, held)]) + " |")
    lines += [*_warnings(), "", "## Reasons", ""]
    for name in names:
        notes: dict[str, list[str]] = {}
        for mode in TEST_MODES:
            row = by_pair.get((name, mode))
            if row is not None and row["note"]:
                mark = MARKS.get(row["status"], "–")
                note = f"{mark} {row['note']}"
                if row["status"] in ("poor", "slow", "failed") and (name, mode) in CAUSES:
                    note += _CAUSE + CAUSES[name, mode]
                notes.setdefault(note, []).append(mode.replace("_", " "))
        lines += [f"- **{name}** {', '.join(modes)}: {note}" for note, modes in notes.items()]
    return "\n".join([*lines, ""])


def _held_cell(name: str, held: dict[tuple[str, str], list[str]]) -> str:
    """Say what the tests of one model are held against; equal words once."""
    by_words: dict[str, list[str]] = {}
    for mode in TEST_MODES:
        for words in held.get((SECOND_NAMES.get(name, name), mode), ()):
            by_words.setdefault(words, []).append(mode.replace("_", " "))
    return "; ".join(f"{', '.join(modes)}: {words}" for words, modes in by_words.items())


def _warnings() -> list[str]:
    """List the pairs that run under a warning."""
    lines = [
        f"- **{info.name}** {mode.replace('_', ' ')}: {fault}"
        for info in catalogue()
        for mode, fault in info.warnings.items()
    ]
    return ["", "## Under a warning", "", *lines] if lines else []


def _times(seconds: list[float]) -> list[str]:
    """Say how long pairs took."""
    if not seconds:
        return []
    return [
        f"A pair that was fitted last took {seconds[len(seconds) // 2]:.0f} s in the middle and "
        f"{seconds[-1]:.0f} s at most, on a part of one core of a busy machine, simulating and "
        "compiling included.",
        "",
    ]


def with_second_names(
    rows: list[dict[str, Any]], pairs: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Give the rows of the pairs; a second name of a class has those of the first."""
    found = {(row["model"], row["mode"]): row for row in rows}
    refused = {(i.name, mode): why for i in catalogue() for mode, why in i.refused.items()}
    filled = []
    for name, mode in pairs:
        row = found.get((SECOND_NAMES.get(name, name), mode)) or {"status": "open", "note": ""}
        if why := refused.get((name, mode), ""):
            row = {"status": "refused", "note": why}
        filled.append(row | {"model": name, "mode": mode})
    return filled


def read_page(page: Path) -> list[dict[str, Any]]:
    """Read the rows of a page back: status and note of each pair that could be run."""
    if not page.exists():
        return []
    statuses = {mark: status for status, mark in MARKS.items()}
    modes = {mode.replace("_", " "): mode for mode in TEST_MODES}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(TEST_MODES) + 2:
            for mode, mark in zip(TEST_MODES, cells[1:-1], strict=True):
                if mark in statuses:
                    row = {"model": cells[0], "mode": mode, "status": statuses[mark], "note": ""}
                    rows[cells[0], mode] = row
        elif (found := _REASON.fullmatch(line)) and found["mark"] in statuses:
            for mode in found["modes"].split(", "):
                rows[found["model"], modes[mode]]["note"] = found["note"]
    return list(rows.values())
