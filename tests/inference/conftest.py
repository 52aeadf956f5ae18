"""What the tests of fits and samplings share: real data, and the real libraries, warm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jax
import numpyro
import pytest
from tests.compiled import few_programs, pytest_configure

from rheojobs.inference.data import example_melt
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read

__all__ = ["few_programs", "pytest_configure"]

# ArviZ leaves a numpyro behind that is loaded when it is looked into. Where a module of it comes
# first, that is loaded twice, and numpyro.factor fails.
assert numpyro.__version__


@pytest.fixture(scope="session")
def melt_data() -> Dataset:
    """The shipped moduli of LDPE Melt I."""
    return read(example_melt.csv_path())


@pytest.fixture(scope="session")
def ps145(shared_data: Path) -> Dataset:
    """Relaxation of polystyrene, every 12th of 1,799 points."""
    return read(shared_data / "ps145_relaxation.csv").thin(12)


@pytest.fixture(scope="session")
def polyisoprene(shared_data: Path) -> Dataset:
    """Moduli of polyisoprene over 12 decades."""
    return read(shared_data / "polyisoprene_483k_oscillation.csv")


@pytest.fixture
def compilations() -> Iterator[list[str]]:
    """Each program that JAX compiles, or takes from its cache on disk, during the test."""
    seen: list[str] = []

    def listen(event: str, duration: float, **details: object) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(str(details))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)
