"""Files that are whole or not there, whoever writes and reads at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rheojobs.whole_files import write_whole

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
