"""Files that are whole or not there, whoever writes and reads at the same time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rheojobs import whole_files
from rheojobs.whole_files import replace, write_whole

TEXTS = [letter * 200_000 for letter in "abcd"]


def test_nobody_finds_half_of_a_file(tmp_path: Path):
    path = tmp_path / "made" / "file.json"
    write_whole(path, lambda temporary: temporary.write_text(TEXTS[0]))

    def write(text: str) -> bool:
        whole = True
        for _ in range(20):
            write_whole(path, lambda temporary: temporary.write_text(text))
            whole = whole and path.read_text() in TEXTS
        return whole

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(write, TEXTS))
    assert [found.name for found in path.parent.iterdir()] == ["file.json"]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "file.json"
    write_whole(path, lambda temporary: temporary.write_text("before"))

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        write_whole(path, fail)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def in_use(tries: int) -> Callable[[object, object], None]:
    """A `os.replace` as on Windows, where another program has the file open for some tries."""
    left = iter(range(tries))
    real = os.replace

    def replace(source: str, target: str) -> None:
        if next(left, None) is not None:
            error = PermissionError(13, "Permission denied")
            error.winerror = 32  # type: ignore[attr-defined]
            raise error
        real(source, target)

    return replace


def test_a_file_that_somebody_has_open_for_a_moment(tmp_path: Path, monkeypatch):
    path = tmp_path / "file.json"
    path.write_text("before")
    monkeypatch.setattr(os, "replace", in_use(2))
    write_whole(path, lambda temporary: temporary.write_text("after"))
    assert path.read_text() == "after"


def test_a_file_that_somebody_has_open_for_long(tmp_path: Path, monkeypatch):
    path = tmp_path / "file.json"
    path.write_text("before")
    monkeypatch.setattr(whole_files, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(os, "replace", in_use(3))
    with pytest.raises(PermissionError):
        write_whole(path, lambda temporary: temporary.write_text("after"))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_may_not_be_written_is_not_tried_again(tmp_path: Path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    def sleep(_: float) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(time, "sleep", sleep)
    with pytest.raises(PermissionError):
        replace(tmp_path / "a", tmp_path / "b")
