"""What a shell offers for half-typed words, asked as bash asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rheojobs import JobStore, catalogue
from rheojobs.cli.main import main
from rheojobs.inference.data import example_melt

MELT = str(example_melt.csv_path())


@pytest.fixture(scope="module", autouse=True)
def known_models() -> None:
    catalogue()


@pytest.fixture
def offered(monkeypatch, capsys):
    """Return the words that are offered for the last of a line."""

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("_RHEOJOBS_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(["rheojobs", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main([])
        out, err = capsys.readouterr()
        assert err == ""
        return out.split("\n")[:-1]

    return ask


def test_commands_and_options(offered):
    assert {"fit", "read", "export", "jobs"} <= set(offered(""))
    assert offered("fit", MELT, "--multi") == ["--multi-start"]
    assert offered("jobs", "rem") == ["remove"]


def test_models_and_tests(offered):
    assert offered("fit", MELT, "--model", "maxw") == ["maxwell"]
    assert offered("models", "maxw") == ["maxwell"]
    assert offered("compare", MELT, "--models", "maxwell,maxw") == ["maxwell,maxwell"]
    assert offered("fit", MELT, "--mode", "f") == ["flow_curve"]
    assert offered("fit", MELT, "--weights", "") == ["uniform", "relative", "divided", "sigma"]


def test_names_in_front_of_values(offered):
    assert offered("fit", MELT, "--model", "maxwell", "--init", "") == ["G0=", "eta="]
    assert offered("fit", MELT, "-m", "maxwell", "--bounds", "G") == ["G0="]
    assert offered("fit", MELT, "--init", "") == [""]  # of which model?
    assert offered("fit", MELT, "--at", "gamma_d") == ["gamma_dot="]


def test_columns_of_the_file(offered, tmp_path: Path):
    assert offered("fit", MELT, "--y", "Sto") == [r"Storage\ Modulus\ \(Pa\)"]
    assert offered("fit", str(tmp_path / "absent.csv"), "--y", "") == [""]
    (tmp_path / "empty.csv").touch()
    assert offered("fit", str(tmp_path / "empty.csv"), "--x", "") == [""]


def test_jobs_and_states(offered, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path / "none"))
    assert offered("jobs", "cancel", "") == [""]
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    with JobStore(tmp_path / "jobs.sqlite3") as store:
        store.join()
        store.add("0000cafe-0000-4000-8000-000000000000", "first", None)
        store.add("1000cafe-0000-4000-8000-000000000000", "second", None)
    assert offered("jobs", "cancel", "") == ["1000cafe", "0000cafe"]
    assert offered("jobs", "show", "0") == ["0000cafe"]
    assert offered("export", "1") == ["1000cafe"]
    assert offered("jobs", "remove", "--state", "fa") == ["failed"]
    (tmp_path / "jobs.sqlite3").write_bytes(b"no database" * 1000)
    assert offered("jobs", "cancel", "") == [""]


def test_no_question_loads_what_takes_long():
    script = (
        "import sys\n"
        "from rheojobs.cli.main import main\n"
        "try:\n    main([])\n"
        "finally:\n"
        "    slow = {'jax', 'rheojax', 'numpyro', 'PySide6', 'xarray', 'matplotlib'}\n"
        "    print(sorted(slow & sys.modules.keys()), file=sys.stderr)\n"
    )
    for words in ("jobs cancel ", "fit x.csv --model ma", f"fit {MELT} --x "):
        environment = os.environ | {
            "_RHEOJOBS_COMPLETE": "complete_bash",
            "COMP_WORDS": f"rheojobs {words}",
            "COMP_CWORD": str(words.count(" ") + 1),
        }
        ran = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True
        )
        assert (ran.returncode, ran.stderr.strip()) == (0, "[]")
