"""Compiled programs on disk: damage, full disks and other processes never stand in the way."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rheojobs.inference.programs import disk_cache
from rheojobs.inference.programs.disk_cache import PARTIAL, ProgramCache, stored_files
from rheojobs.inference.readiness.warm_up import warm_up_fully

pytestmark = pytest.mark.slow

VALUE = bytes(range(256)) * 40


@pytest.fixture
def cache(tmp_path: Path) -> ProgramCache:
    return ProgramCache(tmp_path / "xla" / "here", tmp_path / "xla", 1 << 20)


def _only_file(folder: Path) -> Path:
    (file,) = stored_files(folder)
    return Path(file.path)


def test_what_was_put_is_got(cache):
    assert cache.get("key") is None
    cache.put("key", VALUE)
    assert cache.get("key") == VALUE


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda stored: stored[: len(stored) // 2],
    "truncated header": lambda stored: stored[:10],
    "empty": lambda stored: b"",
    "garbage": lambda stored: os.urandom(len(stored)),
    "a flipped bit": lambda stored: stored[:-1] + bytes([stored[-1] ^ 1]),
    "of JAX's own cache": lambda stored: VALUE,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_program_is_dropped_and_can_be_made_again(cache, tmp_path, damage):
    cache.put("key", VALUE)
    path = _only_file(tmp_path)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert cache.get("key") is None
    assert not path.exists()
    cache.put("key", VALUE)
    assert cache.get("key") == VALUE


def test_the_least_recently_used_go_first(tmp_path):
    cache = ProgramCache(tmp_path / "here", tmp_path, 10 * (len(VALUE) + 64))
    for number in range(8):
        cache.put(f"key{number}", VALUE)
        os.utime(tmp_path / "here" / f"key{number}.xla", (number, number))
    assert cache.get("key0") == VALUE  # of use now
    for number in range(8, 12):
        cache.put(f"key{number}", VALUE)
        assert sum(file.size for file in stored_files(tmp_path)) <= 10 * (len(VALUE) + 64)
    assert cache.get("key0") == VALUE
    assert cache.get("key1") is None
    assert cache.get("key11") == VALUE


def test_programs_of_other_machines_and_interrupted_writes_count(tmp_path):
    (tmp_path / "there").mkdir()
    old = [tmp_path / "there" / "old.xla", tmp_path / "there" / f"{PARTIAL}x"]
    for path in old:
        path.write_bytes(VALUE)
        os.utime(path, (1, 1))
    cache = ProgramCache(tmp_path / "here", tmp_path, 2 * len(VALUE))
    cache.put("key", VALUE)
    assert not any(path.exists() for path in old)
    assert cache.get("key") == VALUE


def test_one_that_is_too_large_is_not_kept(tmp_path):
    cache = ProgramCache(tmp_path / "here", tmp_path, 100)
    cache.put("key", VALUE)
    assert list(stored_files(tmp_path)) == []


def test_a_full_disk_is_said_once_and_leaves_nothing_half_written(
    cache, tmp_path, monkeypatch, caplog
):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk_cache.os, "replace", full)
    cache.put("one", VALUE)
    cache.put("two", VALUE)
    assert list(stored_files(tmp_path)) == []
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "No space left" in warnings[0].getMessage()


def test_where_nothing_can_be_written_programs_are_still_read(cache, tmp_path, monkeypatch):
    cache.put("key", VALUE)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    for name in ("utime", "unlink", "replace"):
        monkeypatch.setattr(disk_cache.os, name, refuse)
    assert cache.get("key") == VALUE
    path = _only_file(tmp_path)
    path.write_bytes(b"damaged")
    assert cache.get("key") is None
    cache.put("other", VALUE)


def test_a_program_that_another_process_reads_stays(cache, monkeypatch, caplog):
    """Windows does not replace open files; under its key there is the same program."""
    real = os.replace

    def replace(partial: str, path: str) -> None:
        real(partial, path)  # the other process was quicker, and reads it
        Path(partial).write_bytes(b"ours")
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", replace)
    cache.put("key", VALUE)
    assert cache.get("key") == VALUE
    assert caplog.text == ""
    assert not list(cache._path.glob(f"{PARTIAL}*"))


def test_a_file_where_the_folder_should_be_is_no_error(tmp_path):
    (tmp_path / "xla").write_text("in the way")
    cache = ProgramCache(tmp_path / "xla" / "here", tmp_path / "xla", 1 << 20)
    cache.put("key", VALUE)
    assert cache.get("key") is None


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes there")
def test_nobody_else_may_put_programs_there(cache, tmp_path):
    cache.put("key", VALUE)
    assert stat.S_IMODE((tmp_path / "xla" / "here").stat().st_mode) & 0o077 == 0


PROGRAM = """
import sys
from rheojobs.inference.programs.jax_setup import configure_jax
configure_jax()
import jax, jax.numpy as jnp
events = []
jax.monitoring.register_event_listener(lambda name, **_: events.append(name.split("/")[-1]))
f = jax.jit(lambda x: jnp.sin(x) @ jnp.cos(x) + jnp.linalg.norm(x))
print(float(f(jnp.arange(64.0))), events.count("cache_hits"), events.count("cache_misses"))
"""


def _start(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"RHEOJOBS_CACHE_DIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _end(process: subprocess.Popen[str]) -> tuple[float, int, int]:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors == ""
    value, hits, misses = output.split()
    return float(value), int(hits), int(misses)


def test_jax_finds_its_programs_and_makes_damaged_ones_again(tmp_path):
    value, hits, misses = _end(_start(tmp_path))
    assert hits == 0
    assert misses > 0
    assert _end(_start(tmp_path)) == (value, misses, 0)
    files = [Path(file.path) for file in stored_files(tmp_path)]
    for number, path in enumerate(files):
        damage = list(DAMAGE.values())[number % len(DAMAGE)]
        path.write_bytes(damage(path.read_bytes()))
    assert _end(_start(tmp_path)) == (value, 0, misses)
    assert _end(_start(tmp_path)) == (value, misses, 0)


def test_no_library_leads_jax_to_another_folder():
    """Both nlsq and RheoJAX have folders of their own, and set them when they are imported."""
    import jax
    from jax._src import compilation_cache

    warm_up_fully()
    assert isinstance(compilation_cache._cache, ProgramCache)
    assert jax.config.jax_persistent_cache_min_compile_time_secs == 0.0


def test_two_processes_at_once_do_not_harm_each_other(tmp_path):
    both = [_start(tmp_path), _start(tmp_path)]
    first, second = (_end(process) for process in both)
    assert first[0] == second[0]
    assert not any(Path(f.path).name.startswith(PARTIAL) for f in stored_files(tmp_path))
    assert _end(_start(tmp_path))[2] == 0


def test_a_program_has_the_same_key_in_every_process(tmp_path):
    """NumPyro orders a distribution's arguments by the hash of their names."""
    program = """
from rheojobs.inference.programs.jax_setup import configure_jax
configure_jax()
import hashlib, jax, numpyro.distributions as dist
from rheojobs.inference.posterior.priors import prior_of
shift = dist.transforms.AffineTransform(0.1, 0.8, domain=dist.constraints.unit_interval)
priors = (dist.Uniform(0.0, 1.0), dist.TransformedDistribution(dist.Beta(2.0, 3.0), shift),
          dist.TruncatedNormal(0.0, 1.0, low=-1.0, high=2.0), dist.Normal(0.0, 2.0))
given = tuple(prior_of("x", prior) for prior in priors)
again = jax.tree.unflatten(jax.tree.structure(given), jax.tree.leaves(given))
same = [p.log_prob(0.3) == q.distribution().log_prob(0.3) for p, q in zip(priors, again)]
assert all(same), same
f = jax.jit(lambda x, priors: sum(prior.distribution().log_prob(x) for prior in priors))
text = f.lower(0.3, given).as_text()
print(hashlib.sha256(text.encode()).hexdigest())
"""
    told = set()
    for seed in ("1", "2", "3", "4"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "RHEOJOBS_CACHE_DIR": str(tmp_path)}
        ran = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        told.add(ran.stdout)
    assert len(told) == 1
