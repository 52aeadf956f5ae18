"""Damaged and hostile files that rheojobs has written or takes besides data.

Of `inference.results`, `inference.sampling.checkpoints`, `inference.batch`, `inference.programs`,
`inference.models` (ties, cards, the catalogue) and `inference.posterior` (priors). Opening one
executes nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.damage import damaged, odd_text, odd_values
from tests.fuzz.guard import examples, tree, tried

from rheojobs import BayesianResult, FitResult, InputError
from rheojobs.inference.batch.plan import BatchPlan
from rheojobs.inference.batch.yaml_with_lines import PlanText
from rheojobs.inference.models.ties import parse_tie
from rheojobs.inference.posterior.prior_syntax import parse_prior
from rheojobs.inference.programs.disk_cache import ProgramCache
from rheojobs.inference.results.json_format import plain
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.checkpoints import Checkpoints
from rheojobs.inference.sampling.task import SampleTask

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
FIT = FitResult(
    *("maxwell", {"G0": 1e5, "eta": 1e3}, 0.99, 1.0, 0.1, 0.2, WHEN, 7, True),
    covariance=np.eye(2),
    residuals=np.ones(3) + 1j,
    bounds={"G0": (0.0, np.inf)},
)
POSTERIOR = BayesianResult(
    *("maxwell", {"G0": np.ones(4)}, {"G0": {"mean": 1.0}}, {"divergences": 0}, 2, 2, 0.1, WHEN),
    credible_intervals={"G0": (0.0, 1.0)},
    curve_band={"x": np.ones(2)},
)
PLAN = b"files: '*.csv'\nmodels: [maxwell]\nfit: {weights: relative, init: {G0: 1e5}}\nsample:\n"


@pytest.mark.parametrize("result", [FIT, POSTERIOR], ids=["fit", "posterior"])
class TestResults:
    @examples(25)
    @given(st.data())
    def test_damaged(self, tmp_path: Path, result, data: st.DataObject):
        path = tmp_path / "result.json"
        result.save(path)
        path.write_bytes(data.draw(damaged(path.read_bytes())))
        before = tree(tmp_path)
        tried(lambda: type(result).load(path))
        assert tree(tmp_path) == before

    @examples(80)
    @given(st.data())
    def test_wrong_values(self, tmp_path: Path, result, data: st.DataObject):
        content = plain(result.as_dict())
        name = data.draw(st.sampled_from(sorted(content)))
        inner = content[name]
        if isinstance(inner, dict) and inner and data.draw(st.booleans()):
            inner[next(iter(inner))] = data.draw(odd_values)
        else:
            content[name] = data.draw(odd_values)
        path = tmp_path / "result.json"
        path.write_text(json.dumps(content))
        found = tried(lambda: type(result).load(path))
        if not isinstance(found, InputError):
            assert isinstance(found.model_name, str)

    def test_deep(self, tmp_path: Path, result):
        path = tmp_path / "result.json"
        path.write_text("[" * 100_000)
        assert isinstance(tried(lambda: type(result).load(path)), InputError)


def _sampling(folder: Path, told: object, **arrays: object) -> Path:
    checkpoints = Checkpoints(folder)
    checkpoints.begin(Segment({"task": told, "fingerprint": {}}, dict(arrays)))
    checkpoints.append(Segment({"state": 1}, {"draws": np.ones(3)}))
    return folder


class TestCheckpoints:
    @examples(25)
    @given(st.data(), st.sampled_from(["plan.npz", "000000.npz"]))
    def test_damaged(self, tmp_path: Path, data: st.DataObject, name: str):
        folder = _sampling(tmp_path / "sampling", {"model": "maxwell", "priors": {}}, x=np.ones(3))
        path = folder / name
        path.write_bytes(data.draw(damaged(path.read_bytes())))
        tried(lambda: SampleTask.of_checkpoint(folder))
        tried(lambda: Checkpoints(folder).read_segments())

    @examples(40)
    @given(odd_values | st.dictionaries(st.sampled_from(["model", "priors", "data"]), odd_values))
    def test_wrong_values(self, tmp_path: Path, told: object):
        try:
            folder = _sampling(tmp_path / "sampling", told, x=np.ones(3), y=np.ones(3))
        except (ValueError, UnicodeError):
            return  # not even JSON
        tried(lambda: SampleTask.of_checkpoint(folder), is_printable=False)

    def test_an_archive_that_unpacks_to_much_more(self, tmp_path: Path):
        folder = _sampling(tmp_path / "sampling", {})
        array = io.BytesIO()
        np.save(array, np.zeros(50_000_000))
        with zipfile.ZipFile(folder / "plan.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", array.getvalue())
        assert "damaged" in str(tried(lambda: SampleTask.of_checkpoint(folder)))


YAML = {
    "aliases": "a: &a [1, 1]\n"
    + "".join(f"{chr(98 + k)}: &{chr(98 + k)} [{f'*{chr(97 + k)}, ' * 9}1]\n" for k in range(8)),
    "merges": "a: &a {x: 1}\n"
    + "".join(
        f"{chr(98 + k)}: &{chr(98 + k)}\n  <<: [{', '.join([f'*{chr(97 + k)}'] * 9)}]\n"
        for k in range(8)
    ),
    "deep": "[" * 50_000,
    "deep mappings": "{a: " * 20_000,
    "many keys": "{" + ", ".join(f"k{k}: 1" for k in range(30_000)) + "}",
    "code": "a: !!python/object/apply:os.system ['touch marker']",
    "module": "a: !!python/module:os",
    "a date that is none": "a: !!timestamp soon",
    "a truth that is none": "a: !!bool perhaps",
    "a number that is none": "a: !!int ''",
    "a float that is none": "a: !!float ''",
    "a set": "a: !!set {x, y}",
    "bytes that are none": "a: !!binary '='",
    "itself": "a: &a [*a]",
    "merged into itself": "a: &a\n  <<: *a",
    "a mapping as key": "? {a: 1}\n: 1",
    "a huge number": "a: " + "9" * 10_000,
    "sixties": "a: " + ":".join(["59"] * 3000),
}


@pytest.mark.parametrize("name", YAML)
def test_hostile_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "plan.yaml"
    path.write_text(YAML[name])
    before = tree(tmp_path)
    tried(lambda: PlanText.read(path))
    assert isinstance(tried(lambda: BatchPlan.read(path)), InputError)
    assert tree(tmp_path) == before


@examples(60)
@given(damaged(PLAN))
def test_damaged_plans(tmp_path: Path, content: bytes):
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    tried(lambda: BatchPlan.read(path), is_printable=False)


CHARACTERS = st.text("G0tau19.+-*/() e,=_[]'", max_size=60)


@examples(150)
@given(odd_text | CHARACTERS)
@pytest.mark.parametrize("parse", [parse_tie, parse_prior])
def test_expressions(parse, text: str):
    found = tried(lambda: parse("G0", text), is_printable=False)
    if parse is parse_tie and not isinstance(found, InputError):
        tried(lambda: found.evaluate(dict.fromkeys(found.sources, np.float64(2.0))), TypeError)


@pytest.mark.parametrize(
    "text", ["9**9**9**9", "1/0", "1e999", "(-2)**0.5", "G + 9**999", "-" * 400]
)
def test_constants_without_a_finite_value(text: str):
    assert isinstance(tried(lambda: parse_tie("tau", text)), InputError)


@examples(30)
@given(st.data())
def test_damaged_entries_of_the_cache(tmp_path: Path, data: st.DataObject):
    cache = ProgramCache(tmp_path, tmp_path, 1_000_000)
    cache.drop("key")
    cache.put("key", b"program" * 20)
    (path,) = tmp_path.glob("*.xla")
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    assert tried(lambda: cache.get("key")) in (None, b"program" * 20)
