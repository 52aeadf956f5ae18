"""The documentation: its code runs, its commands exist, and it lists what the code has."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from tests.docs_blocks import ROOT, blocks_of, command_lines, pages

import rheojobs
from rheojobs.inference.data import example_melt

RUN_ELSEWHERE = {"README.md", "docs/guide.md"}
"""Pages whose blocks tests/test_readme.py runs."""

WITH_WINDOW = {"docs/how-to/own-window.md"}
"""Pages whose blocks open a window, and run until it is closed."""

PYTHON_PAGES = [
    page
    for page in pages()
    if page not in RUN_ELSEWHERE | WITH_WINDOW
    and any(not block.reason for block in blocks_of(page, "python"))
]

ALL_AT_ONCE = """
import json, sys, traceback
for page, code in json.load(open("blocks.json")):
    print("##", page, flush=True)
    try:
        exec(compile(code, page, "exec"), {"__name__": "__main__"})
    except Exception:
        traceback.print_exc()
        sys.exit(f"{page} does not run")
"""

USER = """
import os
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

really_exec = QApplication.exec


def exec_with_a_user(*_application):
    (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow))

    def look():
        if window.statusBar().currentMessage():
            print("status:", window.statusBar().currentMessage())
            timer.stop()
            window.close()

    timer = QTimer(interval=20)
    timer.timeout.connect(look)
    timer.start()
    return really_exec()


QApplication.exec = exec_with_a_user
"""
"""A user who waits for a word in the status bar, then closes the window."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the pages name."""
    place = tmp_path_factory.mktemp("docs")
    for name in ("melt.csv", "sweep.csv"):
        shutil.copy(example_melt.csv_path(), place / name)
    t = np.logspace(-1, 1, 40)
    noise = 1 + 0.01 * np.random.default_rng(0).standard_normal(40)
    table = np.column_stack([t, 1e5 * np.exp(-t / 2) * noise])
    (place / "data").mkdir()
    for name in ("relaxation.csv", "data/a.csv", "data/b_noisy.csv"):
        header = "Time (s),G(t) (Pa)"
        np.savetxt(place / name, table, delimiter=",", header=header, comments="")
    return place


def run(arguments: list[str], folder: Path, statuses: tuple[int, ...] = (0,)) -> str:
    """Run a process where the files are; return what it printed."""
    done = subprocess.run(
        arguments,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "RHEOJOBS_STATE_DIR": str(folder / "state"),
        },
    )
    assert done.returncode in statuses, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


# ---------------------------------------------------------------------- Python


@pytest.mark.slow
def test_the_python_of_all_pages_runs(folder: Path) -> None:
    """In one process, so that JAX is imported once; the blocks of a page follow one another."""
    import json

    codes = [
        (page, "\n".join(b.code for b in blocks_of(page, "python") if not b.reason))
        for page in PYTHON_PAGES
    ]
    (folder / "blocks.json").write_text(json.dumps(codes), encoding="utf-8")
    (folder / "all_pages.py").write_text(ALL_AT_ONCE, encoding="utf-8")
    printed = run([sys.executable, "all_pages.py"], folder)
    assert re.findall(r"^## (.*)$", printed, re.M) == PYTHON_PAGES


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(WITH_WINDOW))
def test_a_window_runs_and_closes(page: str, folder: Path) -> None:
    code = "\n".join(block.code for block in blocks_of(page, "python"))
    (folder / "window.py").write_text(USER + code, encoding="utf-8")
    assert "status: done" in run([sys.executable, "window.py"], folder)


@pytest.mark.parametrize("page", pages())
def test_names_of_rheojobs_exist(page: str) -> None:
    """In blocks that are not run, too."""
    for block in blocks_of(page, "python"):
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rheojobs"):
                module = importlib.import_module(node.module or "")
                missing = [item.name for item in node.names if not hasattr(module, item.name)]
                assert not missing, f"{page}: {node.module} has no {missing}"


# ---------------------------------------------------------------------- terminal


def check_command(line: str) -> None:
    """Raise a usage error for a command or an option of rheojobs that does not exist."""
    command: Any = typer.main.get_command(rheojobs_app())  # of click, or of typer's copy of it
    words = shlex.split(line)[1:]
    context = command.context_class(command, info_name="rheojobs")
    while hasattr(command, "resolve_command"):
        if not words:
            return
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, found.context_class(found, info_name=name, parent=context)
    if words:  # else the text names the command, with nothing that could be wrong
        command.make_context(context.info_name, words, parent=context.parent).close()


def rheojobs_app() -> typer.Typer:
    from rheojobs.cli.app import app

    return app


def lines_of(program: str) -> list[tuple[str, str]]:
    return [
        (page, line)
        for page in pages()
        for line in command_lines(page)
        if re.match(rf"(?:\w+=\S+ )*{program}\b", line) and "…" not in line
    ]


@pytest.mark.parametrize(("page", "line"), lines_of("rheojobs"))
def test_commands_and_options_of_rheojobs_exist(page: str, line: str) -> None:
    if "rheojax-gui" in line:  # passes its arguments on
        return
    check_command(line)


INLINE = [
    (page, line)
    for page in pages()
    for line in re.findall(r"`(rheojobs [a-z][^`]*)`", (ROOT / page).read_text("utf-8"))
    if "…" not in line
]


@pytest.mark.parametrize(("page", "line"), sorted(set(INLINE)))
def test_commands_in_the_text_exist(page: str, line: str) -> None:
    check_command(line)


@pytest.mark.parametrize("line", ["rheojobs fot x.csv", "rheojobs fit x.csv --model m --plott a"])
def test_a_wrong_command_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"No such (command|option)"):
        check_command(line)


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for page, line in lines_of("make"):
        wanted = re.findall(r"\bmake(?: +([a-z][a-z-]*))?(?= |$)", line)
        assert set(filter(None, wanted)) <= targets, f"{page}: {line}"


def test_scripts_exist() -> None:
    for page in pages():
        for line in command_lines(page):
            for script in re.findall(r"\b((?:benchmarks|scripts)/[\w/-]+(?:\.py)?)\b", line):
                assert (ROOT / script).exists(), f"{page}: {line}"


@pytest.mark.slow
def test_the_first_commands_of_the_tutorial_run(folder: Path) -> None:
    lines = [line for line in command_lines("docs/tutorial.md") if not line.startswith("pip")]
    copying, fitting = lines[:2]
    (folder / "melt.csv").unlink()
    run([sys.executable, *shlex.split(copying)[1:]], folder)
    assert (folder / "melt.csv").is_file()
    printed = run([sys.executable, "-m", *shlex.split(fitting)], folder)
    assert "c1" in printed
    assert (folder / "fit.png").is_file()
    assert (folder / "fit.md").is_file()


CANNOT_RUN = {
    "--cluster": "a cluster",
    "--device": "a GPU",
    "rheojobs gui": "a user",
    "rheojax-gui": "a user",
    "--resume": "a sampling that was stopped",
    "jobs cancel": "the id of a job",
    "jobs pause": "the id of a job",
    "jobs resume": "the id of a job",
    "jobs retry": "the id of a job",
    "rheojobs export": "the id of a job",
    "fit - ": "standard input",
}
"""What a command line needs that is not here; tests/cli and tests/qt run such commands."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    sorted(
        {
            line.removeprefix("rheojobs ")
            for _, line in lines_of("rheojobs")
            if not any(words in line for words in CANNOT_RUN)
        }
    ),
)
def test_each_command_line_runs(line: str, folder: Path) -> None:
    write_plan(folder)
    # A model of a page may miss the data that stand for its file here: status 3.
    run([sys.executable, "-m", "rheojobs", *shlex.split(line)], folder, (0, 3))


# ---------------------------------------------------------------------- other files


def write_plan(folder: Path) -> Path:
    """Write the plan of the page on batches to the folder."""
    (block,) = blocks_of("docs/how-to/batch.md", "yaml")
    (folder / "plan.yaml").write_text(block.code, encoding="utf-8")
    return folder / "plan.yaml"


def test_plans_can_be_read(folder: Path) -> None:
    from rheojobs.inference.batch.plan import BatchPlan

    plan = BatchPlan.read(write_plan(folder))
    assert len(plan.items) == 4
    assert [item.fit.get("loss") for item in plan.items] == [None, None, "huber", "huber"]


def templates() -> list[re.Pattern[str]]:
    """Return a pattern for each text of the code that is long enough to be a message."""
    found = []
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [part.value if isinstance(part, ast.Constant) else None for part in parts]
            if all(text is None or isinstance(text, str) for text in texts):
                # A name in braces is that of an option, as the caller writes it.
                words = [re.split(r"\{\w+\}", text) if text else ["", ""] for text in texts]
                pattern = "".join(".+?".join(map(re.escape, each)) for each in words)
                if len(re.sub(r"\W|\.\+\?", "", "".join(filter(None, texts)))) >= 12:
                    found.append(re.compile(pattern, re.DOTALL))
    return found


def test_the_messages_of_troubleshooting_are_those_of_the_code() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
    messages = re.findall(r"^### (?:[^`\n]*: )?`(.*)`$", text, re.M)
    known = templates()
    for message in messages:
        found = [match for pattern in known if (match := pattern.search(message))]
        longest = max((match.end() - match.start() for match in found), default=0)
        assert longest >= 20, f"no text of the code is like {message!r}"
    assert len(messages) >= 20


def test_each_public_name_is_in_the_reference_once() -> None:
    text = "".join(path.read_text("utf-8") for path in ROOT.glob("docs/reference/*.md"))
    named = re.findall(r"^::: rheojobs\.(\w+)$", text, re.M)
    assert sorted(named) == sorted(set(rheojobs.__all__) - {"__version__"})


def test_the_drawing_of_the_states_is_that_of_the_code() -> None:
    script = ROOT / "scripts" / "states-diagram"
    subprocess.run([sys.executable, str(script), "--check"], check=True, timeout=60)
