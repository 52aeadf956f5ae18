"""`rheojobs cache`: shows and clears the cache on disk."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path))
    (tmp_path / "xla" / "cpu").mkdir(parents=True)
    (tmp_path / "xla" / "cpu" / "program.xla").write_bytes(b"x" * 2500)
    return tmp_path


def test_info_says_where_and_how_much(rheojobs, folder):
    ran = rheojobs("cache", "info")
    assert ran.status == 0
    assert str(folder) in ran.stdout
    assert "2.5 kB of 1.07 GB" in ran.stdout


def test_json_holds_the_numbers(rheojobs, folder):
    told = json.loads(rheojobs("cache", "info", "--json").stdout)
    assert told == {"folder": str(folder), "entries": 1, "bytes": 2500, "limit": 1 << 30}


def test_clear_says_what_it_freed(rheojobs):
    assert rheojobs("cache", "clear").stdout.strip() == "freed 2.5 kB"
    assert json.loads(rheojobs("cache", "info", "--json").stdout)["entries"] == 0
    assert rheojobs("cache", "clear").stdout.strip() == "freed 0 B"


def test_without_a_word_the_help_is_shown(rheojobs):
    ran = rheojobs("cache")
    assert ran.status == 0
    assert "clear" in ran.stdout
    assert ran.stderr == ""


def test_it_costs_neither_jax_nor_a_worker():
    program = (
        "import sys\n"
        "from rheojobs.cli.main import main\n"
        "assert main(['cache', 'info']) == 0\n"
        "print(sorted({'jax', 'numpyro', 'rheojobs.engine'} & sys.modules.keys()), "
        "file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stderr.strip() == "[]"
