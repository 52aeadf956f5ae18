"""Random command lines for `rheojobs.cli`, through the entry of the console script.

No fit is begun: an engine that refuses its first job stands for the workers.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.damage import odd_text
from tests.fuzz.guard import bounded, examples, tree

from rheojobs.cli import session
from rheojobs.cli.app import app
from rheojobs.cli.main import main
from rheojobs.errors import InputError
from rheojobs.inference.data import example_melt

LEFT_OUT = {"gui", "rheojax-gui", "demo"}
"""Commands that open a window or work for a minute."""

STATUSES = {0, 1, 2, 3, 130}

NAMES = {
    "good.csv": b"t,G\n1,100\n2,80\n4,60\n8,40\n16,20\n",
    "bad.csv": b"\0\xff\x1b[31m;\n" * 9,
    "plan.yaml": b"files: '*.csv'\nmodels: [maxwell]\nfit: {weights: [}\n",
    "bomb.yaml": b"[" * 30_000,
    "[bold]\x1b[31m.csv": b"t,\x1b[31mG\n1,2\n2,1\n",
    "-rf.csv": b"t,G\n",
}


def _commands() -> dict[str, Any]:
    """Return the commands of the app with their parameters, as typer builds them."""
    group: Any = typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= {f"{name} {inner}": sub for inner, sub in command.commands.items()}
        elif name not in LEFT_OUT:
            found[name] = command
    return found


COMMANDS = _commands()


def _flags(command: Any) -> list[str]:
    """Return the options of a command, but for the one that looks for a cluster."""
    known = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)}
    return ["--help", "--nonsense", *sorted(f for f in known - {"--cluster"} if f[0] == "-")]


FLAGS = {name: _flags(command) for name, command in COMMANDS.items()}
WORDS = st.sampled_from(
    (
        *(*NAMES, "absent.csv", ".", "maxwell", "zener", "G0=1e5", "G0", "relaxation", "-", "2"),
        *("oscillation", "1:3", "out.json", "out.png", "nowhere/out.json", "relative", "1", "t"),
        *("*.csv", "all", "generalized_maxwell:n_modes=2", str(example_melt.csv_path())),
    )
)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Return the words of a command line: a command, its options, values that fit or do not."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    words: list[str] = name.split()
    if draw(st.booleans()) and "model" in " ".join(FLAGS[name]):
        words += ["good.csv", *draw(st.sampled_from([(), ("--model", "maxwell")]))]
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            words.append(draw(st.sampled_from(FLAGS[name])))
        if draw(st.booleans()):
            words.append(draw(WORDS | odd_text))
    return words


class _NoEngine:
    """Stands for the engine of a command: its worker never starts."""

    def __getattr__(self, name: str) -> Any:
        raise InputError("this engine starts nothing")

    def shutdown(self, timeout: float = 0.0) -> None:
        pass


def ran(words: list[str]) -> tuple[int, str, str]:
    """Run the command in this process; return its status and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), bounded(30.0):
        status = main(words)
    return status, out.getvalue(), err.getvalue()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder with files, where the command is run; its state and its cache are apart."""
    for variable in ("STATE", "CACHE"):
        monkeypatch.setenv(f"RHEOJOBS_{variable}_DIR", str(tmp_path / variable.lower()))
    monkeypatch.setattr(session, "start_engine", lambda *_, **__: _NoEngine())
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in NAMES.items():
        (folder / name).write_bytes(content)
    monkeypatch.chdir(folder)
    return folder


@examples(60, share=2.0)
@given(command_lines())
def test_random_command_lines(place: Path, words: list[str]):
    files = {name: (place / name).read_bytes() for name in NAMES}
    beside = {name for name in tree(place.parents[1]) if not name.startswith(str(place.parent))}
    status, out, err = ran(words)
    assert status in STATUSES
    assert "Traceback" not in out + err
    assert "\x1b" not in out + err
    last = err.strip().split("\n")[-1]
    assert (status == 0) or last.startswith("rheojobs: ")
    assert not re.match(r"rheojobs: \w+(Error|Exception)\b", last), last
    assert {name: (place / name).read_bytes() for name in NAMES} == files
    now = {name for name in tree(place.parents[1]) if not name.startswith(str(place.parent))}
    assert now == beside
    assert not os.path.exists("marker")
