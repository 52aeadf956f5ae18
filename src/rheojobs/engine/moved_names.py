"""Import paths that stand in stored jobs and lead elsewhere by now.

Whoever moves a class or function that a store may name adds a line: no line is ever removed.
"""

from __future__ import annotations

__all__ = ["MOVED", "present_path"]

MOVED = {
    "rheojobs.inference.catalogue:catalogue": "rheojobs.inference.models.catalogue:catalogue",
    "rheojobs.inference.checkpoints:Leftover": "rheojobs.inference.sampling.checkpoints:Leftover",
    "rheojobs.inference.exporting:export": "rheojobs.inference.reports.export:export",
    "rheojobs.inference.fitting:FitTask": "rheojobs.inference.fits.task:FitTask",
    "rheojobs.inference.results:BayesianResult": (
        "rheojobs.inference.results.bayesian_result:BayesianResult"
    ),
    "rheojobs.inference.results:FitResult": "rheojobs.inference.results.fit_result:FitResult",
    "rheojobs.inference.sampling:SampleTask": "rheojobs.inference.sampling.task:SampleTask",
}
"""The path ``"package.module:name"`` as it was when it was stored, and as it is now."""


def present_path(path: str) -> str:
    """Return where to import from what a stored path names."""
    return MOVED.get(path, path)
