"""`rheojobs export`: the result of a stored job as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rheojobs import FitResult, FitTask, JobEngine, JobStore, SampleTask
from rheojobs.inference.data import example_melt
from rheojobs.inference.data.reading.read import read


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """A store with a fit, a sampling, and a job that is neither."""
    folder = tmp_path_factory.mktemp("state")
    data = read(example_melt.csv_path())
    sample = SampleTask("springpot", data, num_warmup=50, num_samples=40, num_chains=2)
    with JobEngine("threads", max_workers=1, store=folder / "jobs.sqlite3") as engine:
        jobs = (
            engine.submit(FitTask("springpot", data)),
            engine.submit(sample),
            engine.run(abs, -2),
        )
        for job in jobs:
            job.result(120)
    return folder, *(job.id for job in jobs)


@pytest.fixture
def export(rheojobs, stored, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(stored[0]))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: rheojobs("export", *arguments)


def test_a_fit(export, stored):
    ran = export(stored[1][:8])
    assert ran.status == 0, ran.stderr
    folder = Path(f"export-{stored[1][:8]}")
    names = {"report.html", "figure.png", "parameters.csv", "fit.json"}
    assert {path.name for path in folder.iterdir()} == names
    fit = FitResult.load(folder / "fit.json")
    assert f"alpha,{fit.parameters['alpha']}" in (folder / "parameters.csv").read_text("utf-8")
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert "springpot" in (folder / "report.html").read_text("utf-8")


def test_a_sampling_has_draws(export, stored):
    from xarray import open_datatree

    assert export(stored[2], "-o", "some/draws").status == 0
    names = {path.name for path in Path("some/draws").iterdir()}
    assert names == {
        "report.html",
        "figure.png",
        "parameters.csv",
        "posterior.json",
        "posterior.nc",
    }
    with open_datatree("some/draws/posterior.nc", engine="h5netcdf") as tree:
        assert tree["posterior"].sizes["draw"] == 40


def test_one_file_of_a_kind(export, stored):
    assert export(stored[1], "-o", "one.json").status == 0
    assert [path.name for path in Path().iterdir()] == ["one.json"]
    assert json.loads(Path("one.json").read_text("utf-8"))["model_name"] == "springpot"
    ran = export(stored[1], "-o", "one.json", "--no-overwrite")
    assert (ran.status, "one.json exists" in ran.error) == (2, True)


@pytest.mark.parametrize(
    ("which", "out", "words"),
    [
        (1, "fit.nc", "a fit has no draws"),
        (1, "fit.docx", "names no kind of file"),
        (3, "x.json", "is neither a fit nor a sampling"),
    ],
)
def test_what_is_refused(export, stored, which: int, out: str, words: str):
    ran = export(stored[which], "-o", out)
    assert ran.status == 2
    assert words in ran.error
    assert not list(Path().iterdir())


def test_a_job_without_a_result(rheojobs, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    with JobStore(tmp_path / "jobs.sqlite3") as store:
        store.join()
        store.add("0123", "a fit", None)
    ran = rheojobs("export", "0123")
    assert (ran.status, ran.error) == (2, "rheojobs: a fit (0123) is queued and has no result")
