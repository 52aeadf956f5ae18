"""What every command has: help that begins with an example, -q, -v and --no-color."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from tests.test_docs import check_command

from rheojobs.cli.app import app
from rheojobs.cli.terminal.verbosity import is_quiet
from rheojobs.inference.data import example_melt


def paths(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of all commands and groups, but for the window that has its own parser."""
    command = typer.main.get_command(app) if command is None else command
    yield path
    for name, below in getattr(command, "commands", {}).items():
        if name != "rheojax-gui":
            yield from paths(below, (*path, name))


@pytest.mark.parametrize("path", list(paths()))
def test_help_begins_with_an_example_that_is_right(rheojobs, path):
    ran = rheojobs(*path, "--help")
    assert ran.status == 0
    assert ran.stdout == rheojobs(*path, "-h").stdout
    text = [line.strip() for line in ran.stdout.splitlines() if line.strip()]
    assert text[0].startswith("Usage: rheojobs")
    (example,) = [line for line in text[1:5] if line.startswith("Example: ")]
    if "gui" not in path:
        check_command(example.removeprefix("Example: "))
    assert shlex.split(example)[2 : 2 + len(path)] == list(path) or not path
    boxes = re.findall(r"─ (\w[\w ]*) ─", ran.stdout)
    assert boxes.count("General") == 1
    assert not re.search(r"--help.*<bool>", ran.stdout)


def test_quiet_leaves_results_and_warnings(rheojobs):
    melt = example_melt.csv_path()
    for arguments in (("-q", "fit", melt), ("fit", "-q", melt), ("fit", melt, "--quiet")):
        ran = rheojobs(*arguments, "-m", "springpot")
        assert ran.status == 0
        assert "c_alpha" in ran.stdout
        assert set(re.findall(r"^\w+:", ran.stderr, re.M)) == {"warning:"}
        assert not is_quiet()  # the next command talks again
    assert "fit of springpot" in rheojobs("fit", melt, "-m", "springpot").stderr


def test_verbose_after_the_command(rheojobs, caplog):
    logger = logging.getLogger("rheojobs")
    before = logger.level
    try:
        assert rheojobs("models", "maxwell", "-v").status == 0
        assert logger.level == logging.DEBUG
    finally:
        logger.setLevel(before)


def test_no_color_is_for_results_and_help(rheojobs, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = re.compile(r"\x1b\[[0-9;]*3[1-7]")
    for arguments in (("models", "maxwell", "--no-color"), ("jobs", "list", "--no-color", "-h")):
        assert not coloured.search(rheojobs(*arguments).stdout)
    assert coloured.search(rheojobs("jobs", "list", "--help").stdout)
