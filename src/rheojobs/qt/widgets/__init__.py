"""Widgets of the window, each usable alone in another window; they import no JAX.

Each package has its own subject; all may use `common`.
"""

from __future__ import annotations

import importlib.util

from rheojobs.errors import MissingExtraError
from rheojobs.qt import binding as _binding  # noqa: F401  (before qtpy)

if importlib.util.find_spec("pyqtgraph") is None:
    raise MissingExtraError('the window needs pyqtgraph: pip install "rheojobs[gui]"')
