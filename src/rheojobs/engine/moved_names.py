"""Import paths that stand in stored jobs and lead elsewhere by now.

When a class or function that a store may name is moved, a line is added here; none is removed.
"""

from __future__ import annotations

__all__ = ["MOVED", "present_path"]

MOVED = {
    "rheojobs.inference.catalogue:catalogue": "rheojobs.inference.models.catalogue:catalogue",
    "rheojobs.inference.checkpoints:Leftover": "rheojobs.inference.sampling.checkpoints:Leftover",
    "rheojobs.inference.comparing:compare": "rheojobs.inference.comparison.run:compare",
    "rheojobs.inference.exporting:export": "rheojobs.inference.reports.export:export",
    "rheojobs.inference.fitting:FitTask": "rheojobs.inference.fits.task:FitTask",
    "rheojobs.inference.fitting:fit": "rheojobs.inference.fits.task:fit",
    "rheojobs.inference.prior_check:prior_predictive": (
        "rheojobs.inference.sampling.prior_predictive:prior_predictive"
    ),
    "rheojobs.inference.reading:read": "rheojobs.inference.data.reading.read:read",
    "rheojobs.inference.results:BayesianResult": (
        "rheojobs.inference.results.bayesian_result:BayesianResult"
    ),
    "rheojobs.inference.results:FitResult": "rheojobs.inference.results.fit_result:FitResult",
    "rheojobs.inference.sampling:SampleTask": "rheojobs.inference.sampling.task:SampleTask",
    "rheojobs.inference.sampling:extend": "rheojobs.inference.sampling.sample:extend",
    "rheojobs.inference.sampling:resume": "rheojobs.inference.sampling.sample:resume",
    "rheojobs.inference.sampling:sample": "rheojobs.inference.sampling.sample:sample",
}
"""The path ``"package.module:name"`` as it was when it was stored, and as it is now."""


def present_path(path: str) -> str:
    """Return where to import from what a stored path names."""
    return MOVED.get(path, path)
