"""Batch plans: what they say, and one line for each thing that can be wrong in them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rheojobs import Dataset, InputError, catalogue
from rheojobs.inference.batch import files
from rheojobs.inference.batch.files import BatchFiles
from rheojobs.inference.batch.item_store import ItemStore, fit_fingerprint, sample_fingerprint
from rheojobs.inference.batch.plan import BatchItem, BatchPlan
from rheojobs.inference.batch.yaml_with_lines import PlanText

EXAMPLE = Path(__file__).parents[3] / "examples" / "batch_plan.yaml"


@pytest.fixture(scope="module", autouse=True)
def known_models() -> None:
    catalogue()


@pytest.fixture
def plan(tmp_path: Path):
    """Write a plan beside a few files and read it."""
    (tmp_path / "data").mkdir()
    for name in ("run1", "run2", "run10", "a_noisy"):
        (tmp_path / "data" / f"{name}.csv").write_text("t,G\n1,2\n")

    def read(text: str, **options) -> BatchPlan:
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return BatchPlan.read(path, **options)

    return read


def _by(items: tuple[BatchItem, ...], name: str, label: str) -> BatchItem:
    (item,) = [item for item in items if item.name == name and item.label == label]
    return item


def test_the_example_says_what_its_comments_say(plan):
    items = plan(EXAMPLE.read_text(encoding="utf-8")).items
    assert [item.name for item in items[::3]] == [
        *("data/a_noisy.csv", "data/run1.csv", "data/run2.csv", "data/run10.csv"),
    ]
    assert [item.label for item in items[:3]] == [
        *("zener", "fractional_zener_ss", "generalized_maxwell:n_modes=3"),
    ]
    plain = _by(items, "data/run1.csv", "zener")
    assert plain.data == {"mode": "relaxation"}
    assert plain.fit == {"multi_start": 4}
    assert plain.sample == {
        "num_warmup": 500,
        "num_samples": 1000,
        "num_chains": 4,
        "likelihood": "relative",
    }
    assert _by(items, "data/run1.csv", "generalized_maxwell:n_modes=3").sample is None
    noisy = _by(items, "data/a_noisy.csv", "zener")
    assert noisy.fit == {"multi_start": 16}
    assert noisy.sample["likelihood"] == "relative_student_t"
    assert noisy.sample["num_warmup"] == 500  # what is not overridden stays
    assert noisy.sample["priors"]["Ge"]["type"] == "lognormal"


def test_paths_are_relative_to_the_plan_and_results_are_no_data(plan, tmp_path: Path, monkeypatch):
    monkeypatch.chdir("/")
    results = tmp_path / "batch-results" / "items"
    results.mkdir(parents=True)
    (results / "old.csv").write_text("x")
    read = plan("files: ['**/*.csv']\nmodels: zener\n")
    assert read.out == tmp_path / "batch-results"
    assert {item.name for item in read.items} == {
        *("data/run1.csv", "data/run2.csv", "data/run10.csv", "data/a_noisy.csv"),
    }
    assert plan("files: data/run1.csv\nmodels: zener", out=Path("/x")).out == Path("/x")
    # A name that is there is a file, whatever brackets it has.
    (tmp_path / "data" / "[1].csv").write_text("t,G\n1,2\n")
    assert plan("files: 'data/[1].csv'\nmodels: zener").items[0].name == "data/[1].csv"


def test_numbers_are_read_as_people_write_them(plan):
    read = plan("files: data/run1.csv\nmodels: zener\nfit: {ftol: 1e-8, init: {Ge: 1e5}}\n")
    assert read.items[0].fit == {"ftol": 1e-8, "initial_params": {"Ge": 1e5}}


def test_standard_deviations_and_what_is_fixed_and_tied_are_the_command_line_s(plan):
    read = plan(
        "files: data/run1.csv\nmodels: [zener, {generalized_maxwell: {n_modes: 3}}]\n"
        "data: {sigma: [Gs, 4]}\nfit: {loss: huber}\n"
        "overrides:\n"
        "  - models: zener\n    fit: {fix: {Ge: 1e3}}\n    data: {sigma: Gs}\n"
        "  - models: generalized_maxwell\n    fit: {tie: {G_2: 0.5 * G_1}}\n"
    )
    zener, maxwell = read.items
    assert zener.data == {"sigma": ("Gs",)}
    assert zener.fit == {"loss": "huber", "fixed": {"Ge": 1e3}}
    assert maxwell.data == {"sigma": ("Gs", 4)}
    assert maxwell.fit == {"loss": "huber", "tied": {"G_2": "0.5 * G_1"}}


GOOD = "files: data/*.csv\nmodels: zener\n"


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("", "plan.yaml", "must be keys with values"),
        ("- a\n- b\n", "line 1", "must be keys with values"),
        ("files: [a\nmodels: zener", "line 2", "not YAML"),
        ("files: data/run1.csv\n", "models", "a plan needs models"),
        ("models: zener\n", "files", "a plan needs files"),
        ("files: []\nmodels: zener\n", "line 1, files", "a plan needs files"),
        (GOOD + "fils: x\n", "line 3, fils", "did you mean 'files'?"),
        (GOOD + "files: data/run1.csv\n", "line 1", "'files' is given twice"),
        (
            "files: [data/run1.csv, data/run7.csv]\nmodels: zener",
            "line 1, files[2]",
            "no file 'data",
        ),
        ("files:\n  - '*.csv'\nmodels: zener", "line 2, files[1]", "no file matches '*.csv'"),
        ("files:\n  - 3\nmodels: zener", "line 2, files[1]", "must be a file or a pattern"),
        ("files: data\nmodels: zener", "line 1, files", "'data' is a folder: give 'data/*'"),
        ("files: 3\nmodels: zener", "line 1, files", "must be a list"),
        ("files: data/*.csv\nmodels: [zenner]\n", "line 2, models[1]", "did you mean 'zener'?"),
        ("files: data/*.csv\nmodels: [zener, zener]", "line 2, models[2]", "given twice"),
        ("files: data/*.csv\nmodels: [[zener]]", "line 2, models[1]", "must be a name"),
        (GOOD + "data: {mod: creep}\n", "line 3, data.mod", "did you mean 'mode'?"),
        (GOOD + "data: {mode: crep}\n", "line 3, data.mode", "unknown test mode 'crep'"),
        (GOOD + "data: {step: 0}\n", "line 3, data.step", "must be at least 1, got 0"),
        (GOOD + "data: {x: [1]}\n", "line 3, data.x", "name or the number of a column"),
        (GOOD + "data: {at: {gamma: 1}}\n", "line 3, data.at", "did you mean 'gamma_"),
        (
            GOOD + "data: {at: {omega: fast}}\n",
            "line 3, data.at",
            "a finite number for omega",
        ),
        (GOOD + "data: 7\n", "line 3, data", "must be keys with values, got 7"),
        (GOOD + "fit:\n  weights: same\n", "line 4, fit.weights", "cannot be 'same'"),
        (GOOD + "fit:\n  multi_start: 0\n", "line 4, fit.multi_start", "must be at least 1, got 0"),
        (GOOD + "fit:\n  model_config: {}\n", "line 4, fit.model_config", "unknown key"),
        (
            GOOD + "fit:\n  init: {Ge: big}\n",
            "line 4, fit.init",
            "a finite number for Ge",
        ),
        (GOOD + "data: {sigma: [1, 2, 3]}\n", "line 3, data.sigma", "or two for G' and G''"),
        (GOOD + "data: {sigma: 0.5}\n", "line 3, data.sigma", "must be a column, or two"),
        (GOOD + "fit:\n  fix: {Gee: 1}\n", "line 4, fit.fix.Gee", "to fix; did you mean 'Ge'?"),
        (
            GOOD + "fit:\n  bounds: {Gee: [1, 2]}\n",
            "line 4, fit.bounds.Gee",
            "that could have bounds; did you mean 'Ge'?",
        ),
        (GOOD + "fit:\n  fix: {Ge: all}\n", "line 4, fit.fix", "a finite number for Ge"),
        (GOOD + "fit:\n  fixed: {Ge: 1}\n", "line 4, fit.fixed", "did you mean 'fix'?"),
        (GOOD + "fit:\n  tie: {Ge: G9}\n", "line 4, fit.tie", "zener has no parameter 'G9'"),
        (GOOD + "fit:\n  tie: {Ge: 2 +}\n", "line 4, fit.tie", "it ends too early"),
        (GOOD + "fit:\n  tie: Ge\n", "line 4, fit.tie", "expressions by name"),
        (GOOD + "fit:\n  loss: hubr\n", "line 4, fit.loss", "did you mean 'huber'?"),
        (
            GOOD + "overrides:\n  - models: zener\n    fit: {fix: {G: 1}}\n",
            "line 5, overrides[1].fit.fix.G",
            "zener has no parameter 'G' to fix",
        ),
        (
            GOOD + "fit: {tie: {Ge: 2 * Gm}}\nsample: true\n",
            "line 4, sample",
            "zener cannot be sampled",
        ),
        (GOOD + "sample:\n  draw: 10\n", "line 4, sample.draw", "did you mean 'draws'?"),
        (GOOD + "sample:\n  draws: many\n", "line 4, sample.draws", "whole number, got 'many'"),
        (
            GOOD + "sample: {until_ess: x}\n",
            "line 3, sample.until_ess",
            "must be a positive number",
        ),
        (
            GOOD + "sample: {likelihood: normal}\n",
            "line 3, sample.likelihood",
            "cannot be 'normal'",
        ),
        (
            GOOD + "sample: {priors: {Ge: wide(1)}}\n",
            "line 3, sample.priors",
            "unknown type 'wide'",
        ),
        (
            GOOD + "sample: {priors: flat}\n",
            "line 3, sample.priors",
            "must give expressions by name",
        ),
        (GOOD + "sample: 5\n", "line 3, sample", "must be keys with values, got 5"),
        (GOOD + "timeout: soon\n", "line 3, timeout", "positive number of seconds"),
        (GOOD + "out: 5\n", "line 3, out", "must be the name of a folder"),
        (GOOD + "overrides:\n  - fit: {}\n", "line 4, overrides[1]", "needs files, models or both"),
        (GOOD + "overrides:\n  - files: 'z*'\n", "line 4, overrides[1].files", "matches none"),
        (GOOD + "overrides:\n  - models: maxwell\n", "overrides[1].models", "none of the plan's"),
        (
            GOOD + "overrides:\n  - models: zener\n    fit: {weigths: relative}\n",
            "line 5, overrides[1].fit.weigths",
            "did you mean 'weights'?",
        ),
        (GOOD + "fit: &a\n  init: *a\n", "line", "refers to itself"),
        (GOOD + "? [a, b]\n: 1\n", "line 3", "a key must be a plain word"),
        (GOOD + "x: !!python/object:os.system {}\n", "line 3", "unknown key"),
        ("files: \x07\n", "plan.yaml", "not YAML"),
    ],
)
@pytest.mark.promise("one-line-errors")
def test_a_bad_plan_is_refused_with_its_place(plan, text, where, words):
    with pytest.raises(InputError) as caught:
        plan(text)
    message = str(caught.value)
    assert message.startswith("plan.yaml")
    assert where in message
    assert words in message
    assert "\n" not in message


def test_a_plan_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match=r"there is no plan .*plan\.yaml"):
        BatchPlan.read(tmp_path / "plan.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        BatchPlan.read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"files: \xe9\n")
    with pytest.raises(InputError, match="cannot be read"):
        BatchPlan.read(tmp_path / "latin.yaml")


def test_a_few_lines_that_unfold_without_end_are_refused(tmp_path: Path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "plan.yaml").write_text("\n".join(lines))
    with pytest.raises(InputError, match="more than 100000 parts"):
        PlanText.read(tmp_path / "plan.yaml")


def test_merged_mappings_are_taken_over(tmp_path: Path):
    (tmp_path / "plan.yaml").write_text("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n")
    assert PlanText.read(tmp_path / "plan.yaml").value["b"] == {"x": 1, "y": 3}


def test_fingerprints_change_with_all_that_matters_and_nothing_else(plan, tmp_path: Path):
    def item(more: str = "", model: str = "zener") -> BatchItem:
        return plan(f"files: data/run1.csv\nmodels: {model}\n{more}").items[0]

    def fingerprint(item: BatchItem) -> str:
        return fit_fingerprint(item, BatchFiles(1).digest(item.file))

    first = fingerprint(item())
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert fingerprint(item("sample: true\ntimeout: 7\n")) == first
    others = {
        fingerprint(item("fit: {multi_start: 2}\n")),
        fingerprint(item("fit: {fix: {Ge: 2}}\n")),
        fingerprint(item("data: {mode: relaxation}\n")),
        fingerprint(item("data: {sigma: 2}\n")),
        fingerprint(item(model="maxwell")),
        fingerprint(item(model="{generalized_maxwell: {n_modes: 2}}")),
    }
    assert len(others | {first}) == 7
    assert sample_fingerprint(item("sample: true\n"), first) != sample_fingerprint(
        item("sample: {draws: 5}\n"), first
    )
    (tmp_path / "data" / "run1.csv").write_text("t,G\n1,3\n")
    assert fingerprint(item()) != first


def test_a_file_is_read_once_for_all_models(tmp_path: Path, monkeypatch):
    parsed, hashed = [], []
    real_read, real_bytes = files.read, Path.read_bytes

    def read(file: Path, **how: object) -> Dataset:
        parsed.append(file.name)
        return real_read(file, **how)

    def read_bytes(path: Path) -> bytes:
        hashed.append(path.name)
        return real_bytes(path)

    items = []
    for number in range(3):
        path = tmp_path / f"run{number}.csv"
        path.write_text(f"time (s),relaxation modulus (Pa)\n1,{5 - number}\n2,1\n3,0.5\n")
        items += [BatchItem(path, path.name, model) for model in ("zener", "maxwell", "springpot")]
    monkeypatch.setattr(files, "read", read)
    opened = BatchFiles(2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_bytes)
        digests = [opened.digest(item.file) for item in items]
    assert hashed == ["run0.csv", "run1.csv", "run2.csv"]
    assert len(set(digests)) == 3
    curves = [opened.dataset(item) for item in items]
    assert parsed == ["run0.csv", "run1.csv", "run2.csv"]
    assert [curve.y[0] for curve in curves[::3]] == [5.0, 4.0, 3.0]
    opened.dataset(items[0])  # of which there is no room any more
    opened.dataset(replace(items[0], data={"y": 2}))  # read in another way
    assert parsed[3:] == ["run0.csv", "run0.csv"]


def test_items_have_folders_of_their_own(tmp_path: Path):
    names = ["a.csv", "b/a.csv", "/elsewhere/a.csv", "/other/a.csv"]
    items = [BatchItem(Path(name), name, "zener") for name in names]
    items.append(BatchItem(Path("a.csv"), "a.csv", "zener", {"n": "../.."}))
    folders = [ItemStore(tmp_path, item).folder for item in items]
    assert len(set(folders)) == len(items)
    assert all(folder.resolve().is_relative_to(tmp_path / "items") for folder in folders)


def test_a_plan_chooses_rows_and_a_range_of_x(plan):
    text = "files: ['data/run1.csv']\nmodels: [maxwell]\ndata: {mode: relaxation, rows: %s}\n"
    for written, rows in (("2-3", [2.0, 3.0]), ("[1, 3]", [1.0, 3.0]), ("2, skip: 1", [3.0])):
        (item,) = plan(text % written).items
        item.file.write_text(
            "t,G\n1,9\n2,8\n3,7\n" if "skip" not in written else "x\nt,G\n1,9\n3,8\n"
        )
        assert list(BatchFiles(3).dataset(item).x) == rows
    (item,) = plan((text % "1-").replace("rows: 1-", "x_range: [2, null]")).items
    item.file.write_text("t,G\n1,9\n2,8\n3,7\n")
    assert list(BatchFiles(3).dataset(item).x) == [2.0, 3.0]
    assert len(fit_fingerprint(item, "0" * 64)) == 64
    assert len(fit_fingerprint(replace(item, data={"x_range": (2.0, 3.0)}), "0" * 64)) == 64
    with pytest.raises(InputError, match=r"data\.rows: must be rows such as 3-60"):
        plan(text % "often")


def test_a_plan_has_formulas_and_functions_in_files_beside_it(plan, tmp_path: Path):
    mark = tmp_path / "executed"
    (tmp_path / "lab.py").write_text(f"open({str(mark)!r}, 'w').close()\ndef f(t, G): return G*t\n")
    text = (
        "files: ['data/run1.csv']\nmodels: ['G0*exp(-t/tau)', 'lab.py:f', zener]\n"
        "fit:\n  bounds: {%s: [1, 10]}\noverrides:\n- {models: 'lab.py:f', fit: {fix: {G: 2}}}\n"
    )
    with pytest.raises(InputError, match=r"zener has no parameter 'tau'"):
        plan(text % "tau")
    items = plan((text % "tau").replace(", zener", "")).items
    assert [item.label for item in items] == ["G0*exp(-t/tau)", "lab.py:f"]
    assert items[1].model.startswith(f"{tmp_path / 'lab.py'}:f@")
    assert items[1].fit == {"bounds": {"tau": (1.0, 10.0)}, "fixed": {"G": 2.0}}
    assert not mark.exists()
    folders = {ItemStore(tmp_path, replace(items[0], model=f"G0{sign}t")).folder for sign in "+-*/"}
    assert len(folders) == 4
    long = ItemStore(tmp_path, replace(items[0], model="t" + "+G0" * 200)).folder
    assert len(long.name) < 100
    with pytest.raises(InputError, match=r"plan.yaml, line 2, models.*column 4: write a sign"):
        plan("files: ['data/run1.csv']\nmodels: ['G0 exp(-t)']\n")
