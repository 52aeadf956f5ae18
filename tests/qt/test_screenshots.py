"""The README's pictures: a real window on a virtual screen, with real fits and samplings.

``RHEOJOBS_SCREENSHOTS=docs/images`` writes them there; else they are looked at and forgotten.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.qt.picturing import HEIGHT, SCENES, THEMES, WIDTH

ROOT = Path(__file__).parents[2]
NAMES = [f"window-{scene}-{theme}.png" for scene in SCENES for theme in THEMES]
MOST_BYTES = 150_000
COLORS = 256

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """Start a virtual screen of the size of the pictures; return its name."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb here: apt-get install xvfb, dnf install xorg-x11-server-Xvfb")
    read, write = os.pipe()
    size = f"{WIDTH}x{HEIGHT}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-nolisten", "tcp", "-screen", "0", size],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        assert number, f"Xvfb ended with {server.wait(10)}"
        name = f":{number}"
        _check_plugin(name)
        yield name
    finally:
        server.terminate()
        server.wait(10)


def _check_plugin(display: str) -> None:
    """Skip where Qt lacks a library that a window needs, as scripts/check-qt reports."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "check-qt"), "--window"],
        env=_environment(display),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip(done.stderr.splitlines()[0])
    assert done.returncode == 0, done.stderr


def _environment(display: str) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    return others | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}


@pytest.fixture(scope="module")
def taken(screen: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Take the pictures; return their folder and their facts."""
    given = os.environ.get("RHEOJOBS_SCREENSHOTS")
    folder = ROOT / given if given else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.qt.picturing", str(folder)],
        cwd=ROOT,
        env=_environment(screen)
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "RHEOJOBS_STATE_DIR": str(tmp_path_factory.mktemp("pictured")),
        },
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for name in NAMES:
        _make_small(folder / name)
    return folder, json.loads(done.stdout.splitlines()[-1])


def _make_small(file: Path) -> None:
    with Image.open(file) as picture:
        small = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    small.save(file, optimize=True)


def test_nothing_is_cut_off_and_qt_says_nothing(taken: tuple[Path, dict[str, Any]]) -> None:
    _, told = taken
    assert told["said"] == []
    assert set(told["cut off"]) == set(NAMES)
    assert {name: found for name, found in told["cut off"].items() if found} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_shows_the_window(name: str, taken: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = taken
    assert (folder / name).stat().st_size < MOST_BYTES
    with Image.open(folder / name) as picture:
        assert picture.size == (WIDTH, HEIGHT)
        grey = np.asarray(picture.convert("L"), dtype=float)
    assert (np.median(grey) < 128) == ("dark" in name)
    # No part of it is empty: data, model, run; plots; jobs.
    parts = {
        "data and model": grey[30:440, :470],
        "run": grey[600:770, :470],
        "plots": grey[50:580, 480:1270],
        "jobs": grey[590:700, 480:1270],
    }
    for part, pixels in parts.items():
        assert pixels.std() > 5, f"the part with {part} is blank"


def test_the_scenes_and_the_themes_differ(taken: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = taken
    assert len({(folder / name).read_bytes() for name in NAMES}) == len(NAMES)
