"""The command: which parts, for which models, and where what was found goes."""

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

    from sampling_study.study import Study

__all__ = ["main"]

RESULTS = Path(__file__).parents[1] / "results"
PARTS = ("jobs", "bare", "starts", "cancel")
MODELS = ("maxwell", "fractional_maxwell_liquid", "carreau", "generalized_maxwell")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sampling.py",
        description="Samplings beside RheoJAX's job system, plain NumPyro and nutpie.",
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of the study (all)")
    add("--models", nargs="+", choices=MODELS, default=MODELS, help="models (all)")
    add("--repeats", type=int, default=3, metavar="N", help="how often each (3)")
    add("--cancels", type=int, default=100, metavar="N", help="jobs to cancel (100)")
    add("--quick", action="store_true", help="one repeat, fewer draws, 12 cancels: a check")
    add(
        "--json",
        type=Path,
        default=RESULTS / "sampling.json",
        metavar="OUT",
        help="where all numbers go; parts that do not run now stay as they are there",
    )
    add("--markdown", type=Path, metavar="FILE", help="document whose tables are written anew")
    add("--tables", action="store_true", help="run nothing: tables of what the JSON file holds")
    arguments = parser.parse_args(argv)
    if arguments.repeats < 1 or arguments.cancels < 1:
        parser.error("--repeats and --cancels must be at least 1")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; gives the exit status."""
    arguments = _arguments(argv)
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 160)
    if arguments.tables:
        _show(arguments, console, _read(arguments.json), PARTS)
        return 0
    try:
        import nutpie  # noqa: F401
        import PySide6  # noqa: F401
        import rheojax  # noqa: F401
    except ImportError as error:
        print(f"the study needs `make bench`'s environment: {error}", file=sys.stderr)
        return 2
    from side_by_side import machine

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["RHEOJAX_WORKER_ISOLATION"] = "subprocess"
    machine.compile_bytecode()
    left, status = 0, 0
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="rheojobs-bench-", ignore_cleanup_errors=True)
        )
        machine.empty_caches(Path(folder))
        stack.enter_context(machine.children_write_to(RESULTS / "sampling.log"))
        try:
            _run(arguments, console, Path(folder))
        except KeyboardInterrupt:
            console.print("stopped")
            status = 130
        finally:
            left = machine.end_children()
    console.print(f"processes left behind: {'none' if left == 0 else f'{left}, ended now'}")
    return status


def _run(arguments: argparse.Namespace, console: Console, folder: Path) -> None:
    from PySide6.QtCore import QCoreApplication
    from side_by_side import machine
    from side_by_side.cases import Sampling
    from side_by_side.comparison import plain
    from side_by_side.sides import stoppable

    from sampling_study.study import Study

    app = QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
    quick = arguments.quick
    study = Study(
        models=tuple(arguments.models),
        repeats=1 if quick else arguments.repeats,
        cancels=12 if quick else arguments.cancels,
        sampling=Sampling(num_warmup=100, num_samples=200) if quick else Sampling(),
        scratch=folder,
        say=lambda line: console.print(line, highlight=False, soft_wrap=True),
    )
    about = machine.describe()
    console.print(f"{about['processor']}, {about['cores']} cores, load {about['load']}")
    if about["load"] > 0.5:
        console.print("others use this machine: times will be too long, and scatter")
    settings = {**vars(study.sampling), "repeats": study.repeats, "quick": quick}
    with stoppable():
        for part in arguments.only:
            found = _part(study, part)
            record = _read(arguments.json)
            record[part] = {
                "command": shlex.join(["python", "benchmarks/sampling.py", *sys.argv[1:]]),
                "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
                "machine": about,
                "settings": settings,
                "found": found,
            }
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(json.dumps(plain(record), indent=1), encoding="utf-8")
            _show(arguments, console, record, (part,))
    del app


def _part(study: Study, part: str) -> dict[str, Any]:
    """Run a part; what one model cannot do does not stop the others."""
    study.say(f"[{part}]".replace("[", "\\["))
    if part == "cancel":
        from sampling_study.cancels import cancel_at_random

        return cancel_at_random(study)
    if part == "jobs":
        from sampling_study.jobs import compare_jobs as compare
    elif part == "bare":
        from sampling_study.bare import compare_with_kernel as compare
    else:
        from sampling_study.starts import compare_starts as compare
    return {model: compare(study, model) for model in study.models}


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def _show(
    arguments: argparse.Namespace, console: Console, record: dict[str, Any], parts: Sequence[str]
) -> None:
    from side_by_side import document

    from sampling_study.tables import HEADINGS, describe_settings, tables

    for part in parts:
        if part in record:
            for table in tables(part, record[part]["found"]):
                table.print(console)
    if arguments.markdown is not None:
        script = "benchmarks/sampling.py"
        document.write(arguments.markdown, script, record, HEADINGS, describe_settings, tables)
