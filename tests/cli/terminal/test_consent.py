"""What would be lost is asked for on a terminal; a script is told what to write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.cli.pseudo_terminal import Terminal

from rheojobs import InputError, JobState, JobStore
from rheojobs.cli.terminal.consent import check_overwriting
from rheojobs.inference.data import example_melt

MELT = example_melt.csv_path()
FIT = ("fit", MELT, "-m", "springpot")

on_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


def test_a_script_replaces_and_says_so(rheojobs, tmp_path: Path):
    out = tmp_path / "fit.json"
    assert f"wrote {out}" in rheojobs(*FIT, "--json", out).stderr.replace("\n", "")
    before = out.stat().st_mtime_ns
    ran = rheojobs(*FIT, "--json", out)
    assert ran.status == 0
    assert f"replaced {out}" in ran.stderr.replace("\n", "")
    assert out.stat().st_mtime_ns > before


def test_a_script_may_forbid_it_before_anything_runs(rheojobs, tmp_path: Path):
    out = tmp_path / "fit.json"
    out.write_text("mine")
    ran = rheojobs(*FIT, "--json", out, "--no-overwrite")
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.error == f"rheojobs: {out} exists: give another name, or --overwrite"
    assert "springpot" not in ran.stderr
    assert out.read_text() == "mine"
    assert rheojobs(*FIT, "--json", tmp_path / "new.json", "--no-overwrite").status == 0


def test_devices_are_no_files(tmp_path: Path):
    check_overwriting([Path(os.devnull), tmp_path / "absent"], overwrite=False)
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    with pytest.raises(InputError, match=r"a, .*b exist: give another name"):
        check_overwriting([tmp_path / "a", tmp_path / "b"], overwrite=False)


@on_a_terminal
@pytest.mark.parametrize("answer", ["n", "", "y"])
def test_a_person_is_asked(tmp_path: Path, answer: str):
    out = tmp_path / "models.json"
    out.write_text("mine")
    terminal = Terminal(tmp_path, "models", "maxwell", "--json", str(out))
    terminal.wait_for(r"models.json exists: replace it\? \[y/N\] ")
    terminal.type(f"{answer}\n")
    if answer == "y":
        terminal.wait_for("replaced")
        assert terminal.wait() == 0
        assert '"maxwell"' in out.read_text()
    else:
        assert terminal.wait() == 2
        assert "kept; give another name, or --overwrite" in terminal.text
        assert out.read_text() == "mine"


@on_a_terminal
def test_a_person_who_says_so_is_not_asked(tmp_path: Path):
    (tmp_path / "models.json").write_text("mine")
    terminal = Terminal(tmp_path, "models", "maxwell", "--json", "models.json", "--overwrite")
    assert terminal.wait() == 0
    assert "[y/N]" not in terminal.text


@on_a_terminal
@pytest.mark.parametrize("answer", ["n", "yes"])
def test_removing_a_job_is_asked(tmp_path: Path, answer: str):
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "jobs.sqlite3"
    with JobStore(path) as store:
        store.join()
        for job_id in ("0123", "4567"):
            store.add(job_id, "an old fit", None)
            store.move(job_id, JobState.CANCELLED)
        store.leave()
    terminal = Terminal(tmp_path, "jobs", "remove", "0123", "4567")
    terminal.wait_for(r"Remove 2 jobs and their results\? \[y/N\] ")
    terminal.type(f"{answer}\n")
    assert terminal.wait() == (0 if answer == "yes" else 2)
    with JobStore(path) as store:
        assert len(store.jobs()) == (0 if answer == "yes" else 2)


@on_a_terminal
def test_clearing_the_cache_is_asked(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path))
    (tmp_path / "models-x.json").write_text("[]")
    terminal = Terminal(tmp_path, "cache", "clear")
    terminal.wait_for(r"Clear \S+ .*\[y/N\] ")
    terminal.type("\x04")  # Ctrl-D: the end of the input is no yes
    assert terminal.wait() == 2
    assert "nothing was cleared" in terminal.text
    assert (tmp_path / "models-x.json").exists()
