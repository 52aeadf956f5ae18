"""Widgets of the window, each usable alone in another one; they know no JAX and no models.

Each room has its own subject; `common` is below all of them.
"""

from __future__ import annotations

import importlib.util

from rheojobs.errors import MissingExtraError
from rheojobs.qt import binding as _binding  # noqa: F401  (says in one line where PySide6 lacks)

if importlib.util.find_spec("pyqtgraph") is None:
    raise MissingExtraError('the window needs pyqtgraph: pip install "rheojobs[gui]"')
