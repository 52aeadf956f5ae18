"""Run the fits and samplings of RheoJAX's own window on our engine.

`install` replaces a few names of `rheojax.gui`, and `uninstall` restores them; no file of RheoJAX
is changed. `python -m rheojobs.integrations.rheojax` starts the window with it. The module
`jobs` has RheoJAX's `WorkerPool`, `FitWorker` and `BayesianWorker` over our engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheojobs.lazy import importer

if TYPE_CHECKING:
    from rheojobs.integrations.rheojax.installation import install, uninstall

__all__ = ["install", "uninstall"]

__getattr__ = importer(__name__, dict.fromkeys(__all__, f"{__name__}.installation"))
