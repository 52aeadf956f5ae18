"""The catalogue of RheoJAX's models: complete, kept on disk, made anew where it is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.inference.helpers import in_new_process

from rheojobs.errors import InputError, MissingExtraError
from rheojobs.inference.models import catalogue
from rheojobs.inference.models.loading import check_name
from rheojobs.inference.models.rheojax import registry


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_catalogue_lists_all_models_and_is_kept(cache):
    assert catalogue.cached_catalogue() is None
    check_name("anything, as nothing is known")
    made = catalogue.catalogue()
    assert len(made) >= 50
    assert catalogue.cached_catalogue() == made
    assert catalogue.catalogue() == made
    by_name = {info.name: info for info in made}
    maxwell = by_name["maxwell"]
    assert maxwell.test_modes == ("relaxation", "creep", "oscillation", "flow_curve")
    assert [p.name for p in maxwell.parameters] == ["G0", "eta"]
    assert maxwell.description
    assert by_name["itt_mct_isotropic"].test_modes == ()
    assert by_name["itt_mct_isotropic"].refused
    with pytest.raises(InputError, match="did you mean 'maxwell'"):
        check_name("maxwel")
    check_name("maxwell")
    assert [path.suffix for path in cache.glob("*models-*")] == [".json"]


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 0}',
        '{"format": 1, "models": [{"name": "x"}]}',
        "\x00\xff",
    ],
)
def test_a_damaged_cache_is_made_anew(cache, damage):
    made = catalogue.catalogue()
    (path,) = cache.glob("models-*.json")
    path.write_bytes(damage.encode("latin-1"))
    assert catalogue.cached_catalogue() is None
    assert catalogue.catalogue() == made
    assert json.loads(path.read_text())["models"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert len(catalogue.catalogue()) >= 50
    assert catalogue.cached_catalogue() is None


def test_another_version_of_rheojax_does_not_read_the_list(cache, monkeypatch):
    catalogue.catalogue()
    monkeypatch.setattr(registry, "version", lambda: "9.9.9")
    assert catalogue.cached_catalogue() is None


def test_without_rheojax_there_is_no_catalogue(cache, monkeypatch):
    monkeypatch.setattr(registry, "version", lambda: None)
    assert catalogue.cached_catalogue() is None
    with pytest.raises(MissingExtraError, match=r"rheojobs\[rheology\]"):
        catalogue.catalogue()


def test_reading_the_kept_list_imports_no_jax(cache):
    catalogue.catalogue()
    code = (
        "import sys; from rheojobs.inference.models.catalogue import cached_catalogue;"
        "print(len(cached_catalogue()) >= 50, {'jax', 'rheojax'} & set(sys.modules))"
    )
    assert in_new_process(code, RHEOJOBS_CACHE_DIR=str(cache)).strip() == "True set()"
