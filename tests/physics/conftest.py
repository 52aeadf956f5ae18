"""JAX as the tests of fits and samplings have it."""

from tests.compiled import few_programs, pytest_configure

__all__ = ["few_programs", "pytest_configure"]
