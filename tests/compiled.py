"""What tests that compile programs of JAX share: its settings, and few programs at a time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

from rheojobs.inference.programs.jax_setup import configure_jax

__all__ = ["few_programs", "pytest_configure"]

MAPPED = Path("/proc/self/maps")
MANY_MAPPINGS = 20_000


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Configure JAX before any module makes an array, and after the cache's folder is set."""
    configure_jax()


@pytest.fixture(scope="module", autouse=True)
def few_programs() -> Iterator[None]:
    """Let go of compiled programs before they are too many for one process.

    Each takes some mappings of memory, of which Linux allows 65,530; beyond, XLA crashes. No
    application compiles as many as all these tests together.
    """
    yield
    if MAPPED.exists() and MAPPED.read_text().count("\n") > MANY_MAPPINGS:
        jax.clear_caches()
        gc.collect()
