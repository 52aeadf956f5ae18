"""`rheojobs batch`: what it runs, what it skips, and that it survives failures and kills."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray
import yaml
from tests.engine.cluster import shared_cluster

from rheojobs import FitResult, JobStore
from rheojobs.inference.data import example_melt
from rheojobs.inference.sampling.checkpoints import Checkpoints


def _write(path: Path, tau: float, seed: int = 0) -> None:
    """Relaxation of a Zener solid with 2 % of noise."""
    t = np.geomspace(0.01, 100.0, 40)
    noise = 1 + 0.02 * np.random.default_rng(seed).standard_normal(t.size)
    y = (1e4 + 4e4 * np.exp(-t / tau)) * noise
    rows = "".join(f"{a:.6g},{b:.6g}\n" for a, b in zip(t, y, strict=True))
    path.write_text("time (s),relaxation modulus (Pa)\n" + rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        _write(tmp_path / f"run{number}.csv", 1.0 + number, number)
    return tmp_path


def _plan(folder: Path, **parts: object) -> Path:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"files": ["run*.csv"], "models": ["zener"]} | parts))
    return path


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "batch-results" / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _written(folder: Path) -> dict[Path, int]:
    """Return when each result was written, except the table."""
    items = folder / "batch-results" / "items"
    return {path: path.stat().st_mtime_ns for path in items.rglob("*") if path.is_file()}


def test_fits_and_samplings_end_in_one_table_and_are_done_once(rheojobs, folder: Path):
    plan = _plan(
        folder,
        models=["zener", "maxwell"],
        sample={"warmup": 150, "draws": 100, "chains": 2},
        overrides=[{"models": "maxwell", "sample": False}],
    )
    ran = rheojobs("batch", plan)
    assert ran.status == 0, ran.stderr
    assert "6 done, 0 skipped (nothing has changed), 0 failed" in ran.stdout
    rows = _rows(folder)
    assert [(row["file"], row["model"]) for row in rows] == [
        (f"run{number}.csv", model) for number in range(3) for model in ("zener", "maxwell")
    ]
    items = folder / "batch-results" / "items"
    for number, row in enumerate(rows[::2]):
        fit = FitResult.load(items / row["file"] / "zener" / "fit.json")
        assert float(row["Ge [Pa]"]) == fit.parameters["Ge"]
        assert float(row["Ge error [Pa]"]) == fit.uncertainties["Ge"]
        assert float(row["eta [Pa·s]"]) == pytest.approx(4e4 * (1 + number), rel=0.1)
        assert float(row["Ge 95% low [Pa]"]) < 1e4 * 1.1 < 1.2 * float(row["Ge 95% high [Pa]"])
        assert int(row["draws"]) == 200
        assert row["G0 [Pa]"] == ""  # of the other model
    assert {row["draws"] for row in rows[1::2]} == {""}
    assert (items / "run0.csv" / "zener" / "posterior.nc").is_file()
    assert not list(items.rglob("sampling-*"))  # the checkpoints of the samplings

    before = _written(folder)
    again = rheojobs("batch", plan)
    assert again.status == 0
    assert "0 done, 6 skipped (nothing has changed), 0 failed" in again.stdout
    assert _written(folder) == before
    assert _rows(folder) == rows

    _write(folder / "run1.csv", 7.0)
    ran = rheojobs("batch", plan)
    assert "2 done, 4 skipped (nothing has changed), 0 failed" in ran.stdout
    changed = {path for path, when in _written(folder).items() if before.get(path) != when}
    assert {path.parts[len(items.parts)] for path in changed} == {"run1.csv"}
    assert float(_rows(folder)[2]["eta [Pa·s]"]) == pytest.approx(2.8e5, rel=0.1)


def test_other_options_are_done_and_the_samplings_alone_where_only_they_changed(
    rheojobs, folder: Path
):
    ran = rheojobs("batch", _plan(folder, files=["run0.csv"]))
    assert ran.status == 0, ran.stderr
    fit = folder / "batch-results" / "items" / "run0.csv" / "zener" / "fit.json"
    when = fit.stat().st_mtime_ns
    sample = {"warmup": 100, "draws": 50, "chains": 2}
    ran = rheojobs("batch", _plan(folder, files=["run0.csv"], sample=sample))
    assert "1 done, 0 skipped" in ran.stdout
    assert fit.stat().st_mtime_ns == when
    ran = rheojobs("batch", _plan(folder, files=["run0.csv"], fit={"weights": "relative"}))
    assert "1 done, 0 skipped" in ran.stdout
    assert FitResult.load(fit).weights == "relative"
    assert not fit.with_name("posterior.nc").exists()  # it belonged to the other fit


def test_a_damaged_result_is_made_anew(rheojobs, folder: Path):
    plan = _plan(folder)
    assert rheojobs("batch", plan).status == 0
    items = folder / "batch-results" / "items"
    (items / "run0.csv" / "zener" / "fit.json").write_text("{ half")
    (items / "run1.csv" / "zener" / "fit.step.json").write_text("")
    ran = rheojobs("batch", plan)
    assert "2 done, 1 skipped" in ran.stdout


def test_failures_are_listed_and_stop_nothing(rheojobs, folder: Path):
    (folder / "run3.csv").write_text("not\na table\n")
    (folder / "run4.csv").write_text("")
    plan = _plan(folder, models=["zener", "cross"], sample={"warmup": 50, "draws": 20, "chains": 1})
    ran = rheojobs("batch", plan)
    assert ran.status == 1
    assert "3 done, 0 skipped (nothing has changed), 7 failed" in ran.stdout
    assert "cross does not describe 'relaxation'" in ran.stdout
    states = {(row["file"], row["model"]): row for row in _rows(folder)}
    assert states["run2.csv", "zener"]["state"] == "succeeded"
    for file in ("run3.csv", "run4.csv"):
        assert states[file, "zener"]["state"] == "failed"
        assert states[file, "zener"]["message"].endswith("(not sampled: its fit failed)")
    # Repaired files are fitted; a permanent error is tried again, with the same message.
    _write(folder / "run3.csv", 1.0)
    ran = rheojobs("batch", plan)
    assert ran.status == 1
    assert "1 done, 3 skipped (nothing has changed), 6 failed" in ran.stdout


def test_the_parquet_table_is_that_of_the_csv(rheojobs, folder: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder / "run3.csv").write_text("not\na table\n")
    rheojobs("batch", _plan(folder))
    table = parquet.read_table(folder / "batch-results" / "results.parquet").to_pylist()
    rows = _rows(folder)
    assert list(table[0]) == list(rows[0])
    assert [row["state"] for row in table] == ["succeeded"] * 3 + ["failed"]
    for one, other in zip(table[:3], rows, strict=False):
        assert one["Ge [Pa]"] == float(other["Ge [Pa]"])
        assert one["converged"] is True
    assert table[3]["Ge [Pa]"] is None


def test_without_pyarrow_the_csv_is_written_and_a_line_says_what_is_missing(
    rheojobs, folder: Path, monkeypatch
):
    find = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "pyarrow" else find(name)
    )
    ran = rheojobs("batch", _plan(folder, files=["run0.csv"]))
    assert ran.status == 0
    assert 'pip install "rheojobs[parquet]"' in ran.stderr
    assert _rows(folder)
    assert not (folder / "batch-results" / "results.parquet").exists()


def test_one_model_on_a_pattern(rheojobs, folder: Path, monkeypatch):
    monkeypatch.chdir(folder)
    ran = rheojobs("batch", "run*.csv", "--model", "zener", "--init", "Ge=1e4", "--out", "here")
    assert ran.status == 0, ran.stderr
    assert "3 done" in ran.stdout
    assert (folder / "here" / "items" / "run2.csv" / "zener" / "fit.json").is_file()
    # A shell without quotes gives the names one by one: the same batch.
    ran = rheojobs(
        *("batch", "run0.csv", "run1.csv", "-m", "zener", "--init", "Ge=1e4", "--out", "here"),
    )
    assert "0 done, 2 skipped" in ran.stdout


def test_on_a_cluster(rheojobs, folder: Path, monkeypatch):
    monkeypatch.chdir(folder)
    done = rheojobs("batch", "run*.csv", "--model", "zener", "--cluster", shared_cluster().address)
    assert done.status == 0, done.stderr
    assert [row["state"] for row in _rows(folder)] == ["succeeded"] * 3
    here = rheojobs("batch", "run*.csv", "--model", "zener", "--out", "here")
    assert here.status == 0
    there = FitResult.load(next((folder / "batch-results").rglob("fit.json")))
    assert there.parameters == FitResult.load(next((folder / "here").rglob("fit.json"))).parameters


@pytest.mark.slow
def test_a_sampling_on_a_cluster_leaves_no_checkpoint(rheojobs, folder: Path):
    plan = _plan(folder, files=["run0.csv"], sample={"warmup": 100, "draws": 50, "chains": 2})
    done = rheojobs("batch", plan, "--cluster", shared_cluster().address)
    assert done.status == 0, done.stderr
    assert len(list(folder.rglob("posterior.nc"))) == 1
    assert not list(folder.rglob("sampling-*"))


def test_a_cluster_that_is_not_there(rheojobs, folder: Path, monkeypatch):
    monkeypatch.chdir(folder)
    done = rheojobs("batch", "run*.csv", "--model", "zener", "--cluster", "gopher://head")
    assert done.status == 2
    assert "no Dask scheduler answers at gopher://head" in done.error


def test_deviations_loss_and_what_is_fixed_and_tied(rheojobs, folder: Path, monkeypatch):
    monkeypatch.chdir(folder)
    for path in folder.glob("run*.csv"):
        head, *rows = path.read_text().splitlines()
        rows = [f"{row},{0.02 * float(row.split(',')[1]):.6g}" for row in rows]
        path.write_text("\n".join([f"{head},std (Pa)", *rows]) + "\n")
    options = ("--sigma", "std", "--loss", "huber", "--fix", "Ge=1e4", "--tie", "Gm=4*Ge")
    ran = rheojobs("batch", "run*.csv", "--model", "zener", *options)
    assert ran.status == 0, ran.stderr
    for row in _rows(folder):
        fit = FitResult.load(folder / "batch-results" / "items" / row["file"] / "zener/fit.json")
        assert (fit.weights, fit.loss, fit.fixed) == ("sigma", "huber", {"Ge": 1e4})
        assert fit.parameters["Gm"] == pytest.approx(4e4)
    again = rheojobs("batch", "run*.csv", "--model", "zener", *options)
    assert "0 done, 3 skipped" in again.stdout


def test_a_sampling_keeps_what_is_fixed_and_knows_the_noise(rheojobs, folder: Path):
    path = folder / "run0.csv"
    head, *rows = path.read_text().splitlines()
    rows = [f"{row},{0.02 * float(row.split(',')[1]):.6g}" for row in rows]
    path.write_text("\n".join([f"{head},std (Pa)", *rows]) + "\n")
    plan = _plan(
        folder,
        files=["run0.csv"],
        data={"sigma": "std"},
        fit={"fix": {"Ge": 1e4}},
        sample={"warmup": 100, "draws": 50, "chains": 2},
    )
    ran = rheojobs("batch", plan)
    assert ran.status == 0, ran.stderr
    item = folder / "batch-results" / "items" / "run0.csv" / "zener"
    posterior = json.loads((item / "posterior.json").read_text())
    assert posterior["summary"].keys() == {"Gm", "eta"}
    assert posterior["diagnostics"]["likelihood"] == "sigma"
    assert posterior["diagnostics"]["fixed"] == {"Ge": 1e4}


def test_measured_files(rheojobs, shared_data: Path, tmp_path: Path):
    plan = _plan(
        tmp_path,
        files=[str(shared_data / "ethylcellulose_5pct_flow.csv")],
        models=["cross", "carreau"],
        fit={"weights": "relative"},
    )
    ran = rheojobs("batch", plan)
    assert ran.status == 0, ran.stderr
    assert all(float(row["r_squared"]) > 0.99 for row in _rows(tmp_path))


def _start(folder: Path, plan: Path) -> subprocess.Popen[str]:
    """Run the command in a separate process, and wait until a first file is fitted."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "rheojobs", "batch", str(plan)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    deadline = time.monotonic() + 120
    while not list((folder / "batch-results").rglob("fit.json")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_killed_workers_cost_nothing(folder: Path):
    plan = _plan(folder, sample={"warmup": 200, "draws": 40000, "chains": 2})
    process = _start(folder, plan)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    for worker in workers:
        worker.kill()
    told, _ = process.communicate(timeout=200)
    assert process.returncode == 0, told
    assert "3 done, 0 skipped (nothing has changed), 0 failed" in told
    assert {row["draws"] for row in _rows(folder)} == {"80000"}


_KILLED_AT = """
import os, signal, sys
from rheojobs.cli.main import main
from rheojobs.engine import JobStore
from rheojobs.inference.batch.item_store import ItemStore

name, step, plan = sys.argv[1:]
usual = getattr(ItemStore, name)

def die(store, *arguments, **options):
    if step and arguments[0] != step:
        return usual(store, *arguments, **options)
    with JobStore() as jobs:  # whatever is tidied up after a job that is done is gone by now
        while jobs.untidied():
            pass
    os.kill(os.getpid(), signal.SIGKILL)

setattr(ItemStore, name, die)
sys.exit(main(["batch", plan]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize(
    ("name", "step", "has_posterior"), [("keep_posterior", "", False), ("note", "sample", True)]
)
def test_killed_when_all_is_drawn_and_not_yet_noted(
    rheojobs, folder: Path, monkeypatch, name: str, step: str, has_posterior: bool
):
    """The draws made before the kill are in the final result: none is drawn again."""
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(folder / "state"))
    plan = _plan(
        folder, files=["run0.csv"], sample={"warmup": 150, "draws": 100, "chains": 2, "seed": 7}
    )
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_AT, name, step, str(plan)], capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    item = folder / "batch-results" / "items" / "run0.csv" / "zener"
    assert (item / "posterior.nc").exists() is has_posterior
    (sampling,) = item.glob("sampling-*")
    segments, note = Checkpoints(sampling).read_segments()
    assert segments[-1].meta["done"] == [250, 250]
    assert note == ""
    drawn = sum(np.array(segment.meta["lengths"]) for segment in segments)
    assert drawn.tolist() == [100, 100]
    ran = rheojobs("batch", plan)
    assert ran.status == 0, ran.stderr
    assert "1 done, 0 skipped (nothing has changed), 0 failed" in ran.stdout
    with JobStore() as store:  # of the command that was killed
        (job,) = (job for job in store.jobs() if job.task_type.endswith(":SampleTask"))
        before = store.result(job.id).posterior_samples
    with xarray.open_dataset(item / "posterior.nc", group="posterior", engine="h5netcdf") as kept:
        for parameter, draws in before.items():
            np.testing.assert_array_equal(kept[parameter].values.ravel(), draws)
    assert not list(folder.rglob("sampling-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_killed_before_it_had_taken_the_result_of_a_fit(folder: Path, monkeypatch):
    """The store has the result: the fit does not run again unless its result is removed."""
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(folder / "state"))
    plan = _plan(folder, files=["run0.csv"])
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_AT, "keep_fit", "", str(plan)],
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for fits in (1, 2):
        ran = subprocess.run(
            [sys.executable, "-m", "rheojobs", "batch", str(plan)], capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        assert "1 done, 0 skipped (nothing has changed), 0 failed" in ran.stdout
        with JobStore() as store:
            assert len(store.jobs()) == fits
        shutil.rmtree(folder / "batch-results")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(rheojobs, folder: Path):
    plan = _plan(folder, sample={"warmup": 200, "draws": 40000, "chains": 2})
    process = _start(folder, plan)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert f"stopped; continue with: rheojobs batch {plan}" in told
    assert "Traceback" not in told
    rows = _rows(folder)
    assert len(rows) == 3
    assert "stopped" in {row["state"] for row in rows}
    fits = {path: path.stat().st_mtime_ns for path in folder.rglob("fit.json")}
    assert fits
    ran = rheojobs("batch", plan)
    assert ran.status == 0, ran.stderr
    assert {row["state"] for row in _rows(folder)} == {"succeeded"}
    for path, when in fits.items():
        assert path.stat().st_mtime_ns == when
    assert not list(folder.rglob("sampling-*"))


@pytest.mark.slow
def test_a_step_that_takes_too_long_is_stopped_and_listed(rheojobs, folder: Path):
    rate = np.geomspace(0.1, 10.0, 12)
    rows = "".join(f"{x:.6g},{3 + x:.6g}\n" for x in rate)
    (folder / "run9.csv").write_text("shear rate (1/s),shear stress (Pa)\n" + rows)
    plan = _plan(folder, files=["run9.csv"], models=["lattice_epm", "bingham"], timeout=4)
    ran = rheojobs("batch", plan)
    assert ran.status == 1
    assert "1 done, 0 skipped (nothing has changed), 1 failed" in ran.stdout
    assert "ran longer than the 4 s it was given" in ran.stdout
    record = folder / "batch-results" / "items" / "run9.csv" / "lattice_epm" / "fit.step.json"
    assert json.loads(record.read_text())["state"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("absent.yaml",), "there is no plan absent.yaml"),
        (("absent.csv", "-m", "zener"), "there is no file 'absent.csv'"),
        (("*.nothing", "-m", "zener"), "no file matches '*.nothing'"),
        ((example_melt.csv_path(),), "--model is missing"),
        ((example_melt.csv_path(), "-m", "zenner"), "did you mean 'zener'?"),
        ((example_melt.csv_path(), "-m", "zener", "--mode", "crep"), "unknown test mode 'crep'"),
        ((example_melt.csv_path(), "-m", "zener", "--weights", "same"), "cannot be 'same'"),
        ((example_melt.csv_path(), "-m", "zener", "--loss", "hubr"), "did you mean 'huber'?"),
        ((example_melt.csv_path(), "-m", "zener", "--fix", "Gee=1"), "did you mean 'Ge'?"),
        ((example_melt.csv_path(), "-m", "zener", "--tie", "Ge=2*G9"), "no parameter 'G9'"),
        (("plan.yaml", "--fix", "Ge=1"), "only --out may be given"),
        (("plan.yaml", "-m", "zener"), "only --out may be given"),
        (("plan.yaml", "other.csv"), "one plan or files, not both"),
        (
            (example_melt.csv_path(), "-m", "zener", "--out", f"{example_melt.csv_path()}/x"),
            "cannot be made",
        ),
        ((), "Missing argument"),
    ],
)
def test_what_is_refused(rheojobs, tmp_path: Path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    ran = rheojobs("batch", *arguments)
    assert ran.status == 2
    assert ran.stdout == ""
    assert words in ran.error
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.iterdir())
