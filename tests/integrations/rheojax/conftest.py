"""What tests of RheoJAX's window must not leave behind in a process that has other tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _own_options_of_pyqtgraph() -> Iterator[None]:
    """Restore pyqtgraph's options: RheoJAX's window draws all plots of a process by OpenGL."""
    pyqtgraph = pytest.importorskip("pyqtgraph")
    before = dict(pyqtgraph.CONFIG_OPTIONS)
    yield
    pyqtgraph.setConfigOptions(**before)
