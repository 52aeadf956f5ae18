"""How much is kept on disk, and that clearing it takes nothing else along."""

from __future__ import annotations

from pathlib import Path

import pytest

from rheojobs.inference.programs.cache_report import cache_info, clear_cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path))
    return tmp_path


def _fill(folder: Path) -> None:
    (folder / "xla" / "cpu").mkdir(parents=True)
    (folder / "xla" / "cpu" / "program.xla").write_bytes(b"x" * 1000)
    (folder / "models-0.7.1.json").write_bytes(b"x" * 100)


def test_nothing_is_kept_at_first(folder):
    info = cache_info()
    assert (info.folder, info.entries, info.bytes) == (folder, 0, 0)
    assert info.limit > 0
    assert clear_cache() == 0


def test_all_that_is_ours_is_counted_and_cleared(folder):
    _fill(folder)
    assert (cache_info().entries, cache_info().bytes) == (2, 1100)
    assert clear_cache() == 1100
    assert (cache_info().entries, cache_info().bytes) == (0, 0)
    assert list(folder.iterdir()) == []


def test_what_is_not_ours_stays(folder):
    _fill(folder)
    (folder / "thesis.txt").write_text("four years of work")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "data.xla").write_text("measured")
    (folder / "xla" / "link").symlink_to(folder / "elsewhere")
    clear_cache()
    assert (folder / "thesis.txt").exists()
    assert (folder / "elsewhere" / "data.xla").exists()
    assert not (folder / "xla").exists()
