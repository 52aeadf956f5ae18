"""The command `run`: repeats the fits and samplings of a workspace, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rheojobs.cli.arguments.options import (
    RESULT_PANEL,
    ClusterOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
)
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.statuses import FAILED
from rheojobs.cli.terminal.numbers import number, plural
from rheojobs.errors import InputError, one_line

if TYPE_CHECKING:
    from rheojobs.cli.session import Session
    from rheojobs.inference.workspace.content import Workspace, WorkspaceRun
    from rheojobs.inference.workspace.repetition import Repetition

__all__ = ["run_workspace"]

_VERDICTS = {
    "equal": "equal",
    "agrees": "agrees within the Monte Carlo error",
    "differs": "differs",
}
_MANY_DIGITS = 12

WorkspaceArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.rheojobs", show_default=False, help="A workspace, as the window saves it."
    ),
]
WorkspaceOutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="NEW.rheojobs",
        help="Write the workspace with the new results.",
        rich_help_panel=RESULT_PANEL,
    ),
]


def run_workspace(
    file: WorkspaceArgument,
    out: WorkspaceOutOption = None,
    json: JsonOption = None,
    overwrite: OverwriteOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = None,
) -> int:
    """Repeat all fits and samplings of a workspace, and compare their numbers.

    Example: rheojobs run lab.rheojobs

    Estimates are equal to 9 digits, draws to the bit; a result that differs gives status 3.
    """
    from rheojobs.cli.session import Interrupted, Session
    from rheojobs.inference.workspace.file_format import read_workspace, write_workspace
    from rheojobs.inference.workspace.repetition import task_of
    from rheojobs.inference.workspace.source_files import changed_files

    outputs = Outputs(json, posterior=out, overwrite=overwrite)
    workspace = read_workspace(file)
    if not workspace.runs:
        raise InputError(f"{file.name} has no fit and no sampling: there is nothing to repeat")
    for run in workspace.runs:  # refused before anything runs
        task_of(workspace, run).validate()
    for name in changed_files(workspace):
        note = f"note: {name} has changed; the data in the workspace are used"
        outputs.talk.print(note, markup=False, soft_wrap=True)
    repeated = _Repeated(workspace, outputs)
    with Session(outputs.talk, cluster=cluster, device=device) as session:
        try:
            for run in workspace.runs:
                repeated.repeat(session, run)
        except Interrupted as stop:
            done = f"{len(repeated.rows)} of {plural(len(workspace.runs), 'run')}"
            outputs.alerts.print(f"stopped after {done}; nothing was written", markup=False)
            return stop.status
    outputs.write_plain(repeated.rows)
    if out is not None:
        write_workspace(replace(workspace, runs=tuple(repeated.runs)), out)
        outputs.wrote(out)
    if repeated.failed:
        return FAILED
    return outputs.status_of("; ".join(repeated.doubts))


class _Repeated:
    """The runs that have been repeated so far.

    Attributes
    ----------
    runs : list of WorkspaceRun
        With their new results; one that failed has its old one.
    rows : list of dict
        What is written as JSON.
    doubts : list of str
        What differs or should not be trusted.
    failed : int
        How many failed.
    """

    def __init__(self, workspace: Workspace, outputs: Outputs) -> None:
        self._workspace, self._outputs = workspace, outputs
        self.runs: list[WorkspaceRun] = []
        self.rows: list[dict[str, Any]] = []
        self.doubts: list[str] = []
        self.failed = 0

    def repeat(self, session: Session, run: WorkspaceRun) -> None:
        """Repeat a run and print its line; a failure is reported, and the next run follows."""
        from rheojobs.cli.session import Interrupted
        from rheojobs.inference.workspace.repetition import compared, task_of

        name = self._workspace.datasets[run.data].dataset.name
        label = f"{len(self.rows) + 1}: {run.title}" + (f", {name}" if name else "")
        row = {"kind": run.kind, "model": run.model, "data": name}
        try:
            result = session.run(task_of(self._workspace, run), label)
        except Interrupted:
            raise
        except Exception as error:  # of the model or the optimizer
            self.failed += 1
            self.runs.append(run)
            self.rows.append(row | {"verdict": "failed", "error": one_line(error)})
            self._outputs.tables.print(f"{label}: failed: {one_line(error)}", markup=False)
            return
        outcome = compared(run.result, result)
        self.runs.append(replace(run, result=result))
        self.rows.append(row | {"verdict": outcome.verdict, "numbers": _plain(outcome)})
        line = f"{label}: {_VERDICTS[outcome.verdict]}: {_numbers(outcome)}"
        self._outputs.tables.print(line, markup=False, soft_wrap=True)
        doubts = ["it differs from the workspace"] if outcome.verdict == "differs" else []
        doubts += [result.doubt] if result.doubt else []
        self.doubts += [f"run {label}: {doubt}" for doubt in doubts]


def _plain(outcome: Repetition) -> dict[str, Any]:
    from rheojobs.inference.results.json_format import plain

    pairs = {name: {"before": old, "now": new} for name, (old, new) in outcome.numbers.items()}
    return dict(plain(pairs))


def _numbers(outcome: Repetition) -> str:
    """Write each number, and of one that has changed the old and the new."""
    return ", ".join(
        f"{name} {number(new)}" if outcome.verdict == "equal" else f"{name} {_change(old, new)}"
        for name, (old, new) in outcome.numbers.items()
    )


def _change(old: float, new: float) -> str:
    digits = 4 if number(old) != number(new) else _MANY_DIGITS
    return f"{number(old, digits)} → {number(new, digits)}"
