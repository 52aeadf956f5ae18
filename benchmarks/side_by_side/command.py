"""What the studies' commands share: equal terms, parts one after another, where results go."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from side_by_side import document

if TYPE_CHECKING:
    from rich.console import Console

    from side_by_side.table import Table

__all__ = ["RESULTS", "StudyCommand"]

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class StudyCommand:
    """A study as a command: its parts are run in turn, and each is kept and told when it is done.

    Attributes
    ----------
    script : str
        Its path in the repository.
    needs : tuple of str
        Modules without which it cannot run.
    headings : mapping of str to str
        The parts in their order, and what the document calls them.
    describe_settings : callable
        Says how a part was run: of its name and its settings.
    tables : callable
        Of a part's name and what it found.
    """

    script: str
    needs: tuple[str, ...]
    headings: Mapping[str, str]
    describe_settings: Callable[[str, Mapping[str, Any]], str]
    tables: Callable[[str, Mapping[str, Any]], Sequence[Table]]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options that all studies have."""
        add = parser.add_argument
        parts = tuple(self.headings)
        add("--only", nargs="+", choices=parts, default=parts, help="parts of the study (all)")
        add("--quick", action="store_true", help="fewer of everything: a check")
        add(
            "--json",
            type=Path,
            default=RESULTS / f"{Path(self.script).stem}.json",
            metavar="OUT",
            help="where all numbers go; parts that do not run now stay as they are there",
        )
        add("--markdown", type=Path, metavar="FILE", help="document whose tables are written anew")
        add("--tables", action="store_true", help="run nothing: tables of what the JSON file holds")

    def main(
        self,
        arguments: argparse.Namespace,
        settings: Mapping[str, Any],
        run_part: Callable[[str, Path, Callable[[str], None]], dict[str, Any]],
    ) -> int:
        """Run the parts that were asked for; gives the exit status.

        Parameters
        ----------
        arguments : Namespace
            With what `add_arguments` adds.
        settings : mapping
            What is kept beside the figures.
        run_part : callable
            Of the part's name, a folder for passing things, and a function that takes a line
            telling how far it is; gives what was found, as JSON takes it.
        """
        from rich.console import Console

        console = Console(width=None if sys.stdout.isatty() else 160)
        if arguments.tables:
            self._show(arguments, console, _read(arguments.json), tuple(self.headings))
            return 0
        try:
            for module in self.needs:
                importlib.import_module(module)
        except ImportError as error:
            print(f"the study needs `make bench`'s environment: {error}", file=sys.stderr)
            return 2
        from side_by_side import machine

        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["RHEOJAX_WORKER_ISOLATION"] = "subprocess"
        machine.compile_bytecode()
        left, status = 0, 0
        with contextlib.ExitStack() as stack:
            folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(
                        prefix="rheojobs-bench-", ignore_cleanup_errors=True
                    )
                )
            )
            machine.empty_caches(folder)
            log = RESULTS / f"{Path(self.script).stem}.log"
            stack.enter_context(machine.children_write_to(log))
            try:
                self._run(
                    arguments, console, settings, lambda *args: run_part(args[0], folder, args[1])
                )
            except KeyboardInterrupt:
                console.print("stopped")
                status = 130
            finally:
                left = machine.end_children()
        console.print(f"processes left behind: {'none' if left == 0 else f'{left}, ended now'}")
        return status

    def _run(
        self,
        arguments: argparse.Namespace,
        console: Console,
        settings: Mapping[str, Any],
        run_part: Callable[[str, Callable[[str], None]], dict[str, Any]],
    ) -> None:
        from PySide6.QtCore import QCoreApplication

        from side_by_side import machine
        from side_by_side.comparison import plain
        from side_by_side.sides import stoppable

        app = QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
        about = machine.describe()
        console.print(f"{about['processor']}, {about['cores']} cores, load {about['load']}")
        if about["load"] > 0.5:
            console.print("others use this machine: times will be too long, and scatter")

        def say(line: str) -> None:
            console.print(line, highlight=False, soft_wrap=True)

        with stoppable():
            for part in arguments.only:
                say(f"{self.headings[part]}:")
                found = run_part(part, say)
                record = _read(arguments.json)
                record[part] = {
                    "command": shlex.join(["python", self.script, *sys.argv[1:]]),
                    "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
                    "machine": about,
                    "settings": dict(settings),
                    "found": found,
                }
                arguments.json.parent.mkdir(parents=True, exist_ok=True)
                arguments.json.write_text(json.dumps(plain(record), indent=1), encoding="utf-8")
                self._show(arguments, console, record, (part,))
        del app

    def _show(
        self,
        arguments: argparse.Namespace,
        console: Console,
        record: Mapping[str, Any],
        parts: Sequence[str],
    ) -> None:
        for part in parts:
            if part in record:
                for table in self.tables(part, record[part]["found"]):
                    table.print(console)
        if arguments.markdown is not None:
            document.write(
                arguments.markdown,
                self.script,
                record,
                self.headings,
                self.describe_settings,
                self.tables,
            )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored
