"""A study as a command: its parts run in turn, and each is stored and shown when it is done."""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import math
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from side_by_side.table import Table

__all__ = ["Part", "Study"]

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Part:
    """A part of a study.

    Attributes
    ----------
    heading : str
        What the document calls it.
    settings : str
        How it is run, with the study's settings in braces.
    module : str
        Has ``measure(settings, folder, say)``, whose result JSON can hold, and ``tables(found)``.
    alone : bool
        Whether it is measured in a process of its own.
    """

    heading: str
    settings: str
    module: str
    alone: bool = False

    def measure(
        self, settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Run it; return what was found."""
        if self.alone:
            from side_by_side.child import call_alone

            name = f"{self.module}:measure"
            return call_alone(name, say, settings=dict(settings), folder=str(folder))
        found: dict[str, Any] = importlib.import_module(self.module).measure(settings, folder, say)
        return found

    def tables(self, found: Mapping[str, Any]) -> list[Table]:
        """Return the tables of what was found."""
        made: list[Table] = importlib.import_module(self.module).tables(found)
        return made


@dataclass(frozen=True)
class Study:
    """A study.

    Attributes
    ----------
    script : str
        Its path in the repository; the document's marks name it.
    description : str
        For ``--help``.
    needs : tuple of str
        Modules without which it cannot run.
    parts : mapping of str to Part
        In their order.
    settings : mapping
        How much of everything.
    quick : mapping
        What ``--quick`` puts in their place.
    options : mapping of str to str
        Settings that are options of the command, with their help.
    absent : callable
        Given the settings, returns in one line what of the machine is missing; else nothing.
    """

    script: str
    description: str
    needs: tuple[str, ...]
    parts: Mapping[str, Part]
    settings: Mapping[str, Any]
    quick: Mapping[str, Any]
    options: Mapping[str, str] = field(default_factory=dict)
    absent: Callable[[Mapping[str, Any]], str] = lambda settings: ""

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run the parts that are asked for; return the exit status."""
        from rich.console import Console

        arguments = self._parse(argv)
        console = Console(width=None if sys.stdout.isatty() else 160)
        if arguments.tables:
            self._show(arguments, console, _read(arguments.json), list(self.parts))
            return 0
        try:
            for module in self.needs:
                importlib.import_module(module)
        except ImportError as error:
            print(f"the study needs `make bench`'s environment: {error}", file=sys.stderr)
            return 2
        if words := self.absent(self._chosen(arguments)):
            print(words, file=sys.stderr)
            return 2
        from side_by_side import machine, measure

        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["RHEOJAX_WORKER_ISOLATION"] = "subprocess"
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        machine.compile_bytecode()
        status = 0
        with (
            tempfile.TemporaryDirectory(
                prefix="rheojobs-bench-", ignore_cleanup_errors=True
            ) as temp,
            machine.children_write_to(RESULTS / f"{Path(self.script).stem}.log"),
        ):
            machine.empty_caches(Path(temp))
            try:
                self._run(arguments, console, Path(temp))
            except KeyboardInterrupt:
                console.print("stopped")
                status = 130
            finally:
                left = measure.end_children()
        console.print(f"processes left behind: {'none' if left == 0 else f'{left}, ended now'}")
        return status

    def _parse(self, argv: Sequence[str] | None) -> argparse.Namespace:
        parser = argparse.ArgumentParser(Path(self.script).name, description=self.description)
        add = parser.add_argument
        results = RESULTS / f"{Path(self.script).stem}.json"
        add("--only", nargs="+", choices=tuple(self.parts), default=tuple(self.parts), help="parts")
        add("--quick", action="store_true", help="fewer of everything: a check")
        add("--json", type=Path, default=results, metavar="OUT", help="where all numbers go; other "
            "parts stay as they are there")  # fmt: skip
        add("--markdown", type=Path, metavar="FILE", help="document whose tables are written again")
        add("--tables", action="store_true", help="run nothing: tables of what the JSON file holds")
        for name, words in self.options.items():
            default = self.settings[name]
            if isinstance(default, tuple):
                add(f"--{name}", nargs="+", choices=default, default=default, help=words)
            else:
                shown = default if isinstance(default, str) else f"{default:g}"
                words = f"{words} ({shown})"
                add(f"--{name}", type=type(default), default=default, metavar="N", help=words)
        arguments = parser.parse_args(argv)
        for name in self.options:
            value = getattr(arguments, name)
            if not isinstance(value, tuple | list | str) and value < 1:
                parser.error(f"--{name} must be at least 1")
        return arguments

    def _chosen(self, arguments: argparse.Namespace) -> dict[str, Any]:
        """Return the settings as the command's options have them."""
        given = {name: getattr(arguments, name, value) for name, value in self.settings.items()}
        return given | {**(self.quick if arguments.quick else {}), "quick": arguments.quick}

    def _run(self, arguments: argparse.Namespace, console: Console, folder: Path) -> None:
        from PySide6.QtCore import QCoreApplication

        from side_by_side import machine

        app = QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
        settings = self._chosen(arguments)
        about = machine.describe()
        console.print(about["words"], highlight=False)
        if about["load"] > 0.5:
            console.print("others use this machine: times will be too long, and scatter")

        def say(line: str) -> None:
            console.print(f"  {line}", highlight=False, soft_wrap=True)

        for name in arguments.only:
            console.print(f"{self.parts[name].heading}:")
            found = self.parts[name].measure(settings, folder, say)
            record = _read(arguments.json)
            record[name] = {
                "command": shlex.join(["python", self.script, *sys.argv[1:]]),
                "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
                "machine": about,
                "settings": settings,
                "found": found,
            }
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(json.dumps(_plain(record), indent=1), encoding="utf-8")
            self._show(arguments, console, record, [name])
        del app

    def _show(
        self,
        arguments: argparse.Namespace,
        console: Console,
        record: Mapping[str, Any],
        names: Sequence[str],
    ) -> None:
        for name in names:
            if name in record:
                for table in self.parts[name].tables(record[name]["found"]):
                    table.print(console)
        if arguments.markdown is not None:
            self._write(arguments.markdown, record)

    def _write(self, path: Path, record: Mapping[str, Any]) -> None:
        """Write the tables between the study's marks in a document."""
        first, last = (f"<!-- {self.script} writes {word} here -->" for word in ("from", "to"))
        before, begin, rest = path.read_text(encoding="utf-8").partition(first)
        _, end, after = rest.partition(last)
        if not begin or not end:
            raise ValueError(f"{path} has no place for tables: {first} … {last}")
        paragraphs = [first]
        for name, part in self.parts.items():
            if name in record:
                run = record[name]
                how = part.settings.format(**run["settings"])
                how += " Quick settings, for a check." if run["settings"]["quick"] else ""
                paragraphs += [
                    f"### {part.heading}",
                    f"`{run['command']}` on {run['date']}: {how} {run['machine']['words']}",
                    *(table.as_markdown() for table in part.tables(run["found"])),
                ]
        path.write_text(before + "\n\n".join([*paragraphs, last]) + after, encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def _plain(value: Any) -> Any:
    """Return what JSON can hold of a value: no NaN, no tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
