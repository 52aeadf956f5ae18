"""The command: which parts, and where what was found goes."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["main"]

RESULTS = Path(__file__).parents[1] / "results"
PARTS = ("jobs", "inside", "many", "callback")
SCRIPT = "benchmarks/fitting.py"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fitting.py", description="Fits beside RheoJAX's jobs and loops, and SciPy."
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of the study (all)")
    add("--repeats", type=int, default=5, metavar="N", help="how often each (5)")
    add("--quick", action="store_true", help="one repeat, 20 datasets: a check")
    add("--json", type=Path, default=RESULTS / "fitting.json", metavar="OUT", help="all numbers")
    add("--markdown", type=Path, metavar="FILE", help="document whose tables are written anew")
    add("--tables", action="store_true", help="run nothing: tables of what the JSON file holds")
    arguments = parser.parse_args(argv)
    if arguments.repeats < 1:
        parser.error("--repeats must be at least 1")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; gives the exit status."""
    arguments = _arguments(argv)
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 140)
    if arguments.tables:
        _show(arguments, console, _read(arguments.json), PARTS)
        return 0
    try:
        import PySide6  # noqa: F401
        import rheojax  # noqa: F401
    except ImportError as error:
        print(f"the study needs `make bench`'s environment: {error}", file=sys.stderr)
        return 2
    from side_by_side import machine

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["RHEOJAX_WORKER_ISOLATION"] = "subprocess"
    machine.compile_bytecode()
    status = 0
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="rheojobs-bench-", ignore_cleanup_errors=True)
        )
        machine.empty_caches(Path(folder))
        stack.enter_context(machine.children_write_to(RESULTS / "fitting.log"))
        try:
            _run(arguments, console)
        except KeyboardInterrupt:
            console.print("stopped")
            status = 130
        finally:
            left = machine.end_children()
    console.print(f"processes left behind: {'none' if left == 0 else f'{left}, ended now'}")
    return status


def _run(arguments: argparse.Namespace, console: Console) -> None:
    from PySide6.QtCore import QCoreApplication
    from side_by_side import machine
    from side_by_side.comparison import plain
    from side_by_side.sides import stoppable

    app = QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
    about = machine.describe()
    console.print(f"{about['processor']}, {about['cores']} cores, load {about['load']}")
    if about["load"] > 0.5:
        console.print("others use this machine: times will be too long, and scatter")
    with stoppable():
        for part in arguments.only:
            console.print(part)
            found = _part(part, arguments, console)
            record = _read(arguments.json)
            record[part] = {
                "command": shlex.join(["python", SCRIPT, *sys.argv[1:]]),
                "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
                "machine": about,
                "settings": {"repeats": arguments.repeats, "quick": arguments.quick},
                "found": found,
            }
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(json.dumps(plain(record), indent=1), encoding="utf-8")
            _show(arguments, console, record, (part,))
    del app


def _part(part: str, arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    repeats = 1 if arguments.quick else arguments.repeats

    def say(line: str) -> None:
        console.print(line, highlight=False, soft_wrap=True)

    if part == "jobs":
        from fitting_study.jobs import compare_jobs

        return compare_jobs(repeats, say)
    if part == "inside":
        from fitting_study.inside import compare_with_scipy

        return compare_with_scipy(repeats, say)
    if part == "many":
        from fitting_study.many import compare_many

        return compare_many(20 if arguments.quick else 200, min(repeats, 3), say)
    from fitting_study.callback import cost_of_callback

    return cost_of_callback(repeats, say)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def _show(
    arguments: argparse.Namespace, console: Console, record: dict[str, Any], parts: Sequence[str]
) -> None:
    from side_by_side import document

    from fitting_study.tables import HEADINGS, describe_settings, tables

    for part in parts:
        if part in record:
            for table in tables(part, record[part]["found"]):
                table.print(console)
    if arguments.markdown is not None:
        document.write(arguments.markdown, SCRIPT, record, HEADINGS, describe_settings, tables)
