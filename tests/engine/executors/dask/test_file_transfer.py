"""Files of a task on their way: whole, checked, in their folder and nowhere else."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from rheojobs.engine.executors.dask import file_transfer
from rheojobs.engine.messages import Kept


def kept(name: str, content: bytes) -> Kept:
    return Kept(name, content, hashlib.sha256(content).hexdigest())


def test_written_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "not there yet"
    file_transfer.apply(folder, kept("a", b"1"))
    file_transfer.apply(folder, kept("b", b"2"))
    file_transfer.apply(folder, Kept("a", None))
    file_transfer.apply(folder, Kept("never there", None))
    assert file_transfer.read_files(folder) == {"b": b"2"}
    assert [path.name for path in folder.iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "b/a", "", ".", "..", ".hidden", "c\\a"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file_transfer.apply(folder, kept(name, b"1"))
    file_transfer.apply(folder, Kept(name, None))
    file_transfer.write_files(folder, {name: b"1"})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert folder.is_dir()


def test_what_came_damaged_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file_transfer.apply(tmp_path, kept("a", b"1"))
    with caplog.at_level(logging.WARNING):
        file_transfer.apply(tmp_path, Kept("a", b"2", kept("a", b"1").sha256))
    assert file_transfer.read_files(tmp_path) == {"a": b"1"}
    assert "came damaged" in caplog.text


def test_one_folder_becomes_like_another(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    file_transfer.write_files(
        here, {"same": b"1", "changed": b"2", "new": b"3", ".being written": b"4"}
    )
    file_transfer.write_files(there, {"same": b"1", "changed": b"0", "old": b"5"})
    (here / ".x.tmp").write_bytes(b"6")
    messages = list(file_transfer.differences(here, file_transfer.digests(there)))
    assert {message.name for message in messages} == {"changed", "new", "old"}
    for message in messages:
        file_transfer.apply(there, message)
    assert file_transfer.read_files(there) == {"same": b"1", "changed": b"2", "new": b"3"}
    assert list(file_transfer.differences(None, {})) == []
