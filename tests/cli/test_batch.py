"""`rheojobs batch`: what it runs, what it skips, and that it survives failures and kills."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.batches import ENDED, rows_of, write_plan, write_run
from tests.engine.cluster import shared_cluster

from rheojobs import FitResult
from rheojobs.inference.data import example_melt


def _written(folder: Path) -> dict[Path, int]:
    """Return when each result was written, except the table."""
    items = folder / "batch-results" / "items"
    return {path: path.stat().st_mtime_ns for path in items.rglob("*") if path.is_file()}


def test_fits_and_samplings_end_in_one_table_and_are_done_once(rheojobs, folder: Path):
    plan = write_plan(
        folder,
        models=["zener", "maxwell"],
        sample={"warmup": 150, "draws": 100, "chains": 2},
        overrides=[{"models": "maxwell", "sample": False}],
    )
    ran = rheojobs("batch", plan)
    assert ran.status in ENDED, ran.stderr
    assert "0 skipped (nothing has changed), 0 failed" in ran.stdout
    rows = rows_of(folder)
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
    assert again.status in ENDED
    assert "0 done, 6 skipped (nothing has changed), 0 failed" in again.stdout
    assert _written(folder) == before
    assert rows_of(folder) == rows

    write_run(folder / "run1.csv", 7.0)
    ran = rheojobs("batch", plan)
    assert " 4 skipped (nothing has changed), 0 failed" in ran.stdout
    changed = {path for path, when in _written(folder).items() if before.get(path) != when}
    assert {path.parts[len(items.parts)] for path in changed} == {"run1.csv"}
    assert float(rows_of(folder)[2]["eta [Pa·s]"]) == pytest.approx(2.8e5, rel=0.1)


def test_other_options_are_done_and_the_samplings_alone_where_only_they_changed(
    rheojobs, folder: Path
):
    ran = rheojobs("batch", write_plan(folder, files=["run0.csv"]))
    assert ran.status == 0, ran.stderr
    fit = folder / "batch-results" / "items" / "run0.csv" / "zener" / "fit.json"
    when = fit.stat().st_mtime_ns
    sample = {"warmup": 100, "draws": 50, "chains": 2}
    ran = rheojobs("batch", write_plan(folder, files=["run0.csv"], sample=sample))
    assert " 0 skipped" in ran.stdout
    assert fit.stat().st_mtime_ns == when
    ran = rheojobs("batch", write_plan(folder, files=["run0.csv"], fit={"weights": "relative"}))
    assert "1 done, 0 skipped" in ran.stdout
    assert FitResult.load(fit).weights == "relative"
    assert not fit.with_name("posterior.nc").exists()  # it belonged to the other fit


def test_a_damaged_result_is_made_anew(rheojobs, folder: Path):
    plan = write_plan(folder)
    assert rheojobs("batch", plan).status == 0
    items = folder / "batch-results" / "items"
    (items / "run0.csv" / "zener" / "fit.json").write_text("{ half")
    (items / "run1.csv" / "zener" / "fit.step.json").write_text("")
    ran = rheojobs("batch", plan)
    assert "2 done, 1 skipped" in ran.stdout


def test_failures_are_listed_and_stop_nothing(rheojobs, folder: Path):
    (folder / "run3.csv").write_text("not\na table\n")
    (folder / "run4.csv").write_text("")
    plan = write_plan(
        folder, models=["zener", "cross"], sample={"warmup": 50, "draws": 20, "chains": 1}
    )
    ran = rheojobs("batch", plan)
    assert ran.status == 1
    assert "3 done, 0 skipped (nothing has changed), 7 failed" in ran.stdout
    assert "cross does not describe 'relaxation'" in ran.stdout
    states = {(row["file"], row["model"]): row for row in rows_of(folder)}
    assert states["run2.csv", "zener"]["state"] == "succeeded"
    for file in ("run3.csv", "run4.csv"):
        assert states[file, "zener"]["state"] == "failed"
        assert states[file, "zener"]["message"].endswith("(not sampled: its fit failed)")
    # Repaired files are fitted; a permanent error is tried again, with the same message.
    write_run(folder / "run3.csv", 1.0)
    ran = rheojobs("batch", plan)
    assert ran.status == 1
    assert "1 done, 3 skipped (nothing has changed), 6 failed" in ran.stdout


def test_the_parquet_table_is_that_of_the_csv(rheojobs, folder: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder / "run3.csv").write_text("not\na table\n")
    rheojobs("batch", write_plan(folder))
    table = parquet.read_table(folder / "batch-results" / "results.parquet").to_pylist()
    rows = rows_of(folder)
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
    ran = rheojobs("batch", write_plan(folder, files=["run0.csv"]))
    assert ran.status == 0
    assert 'pip install "rheojobs[parquet]"' in ran.stderr
    assert rows_of(folder)
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
    assert [row["state"] for row in rows_of(folder)] == ["succeeded"] * 3
    here = rheojobs("batch", "run*.csv", "--model", "zener", "--out", "here")
    assert here.status == 0
    there = FitResult.load(next((folder / "batch-results").rglob("fit.json")))
    assert there.parameters == FitResult.load(next((folder / "here").rglob("fit.json"))).parameters


@pytest.mark.slow
def test_a_sampling_on_a_cluster_leaves_no_checkpoint(rheojobs, folder: Path):
    plan = write_plan(folder, files=["run0.csv"], sample={"warmup": 100, "draws": 50, "chains": 2})
    done = rheojobs("batch", plan, "--cluster", shared_cluster().address)
    assert done.status in ENDED, done.stderr
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
    for row in rows_of(folder):
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
    plan = write_plan(
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
    plan = write_plan(
        tmp_path,
        files=[str(shared_data / "ethylcellulose_5pct_flow.csv")],
        models=["cross", "carreau"],
        fit={"weights": "relative"},
    )
    ran = rheojobs("batch", plan)
    assert ran.status == 0, ran.stderr
    assert all(float(row["r_squared"]) > 0.99 for row in rows_of(tmp_path))


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
