"""Fits beside what a user would pick instead; `benchmarks/README.md` describes it.

RheoJAX's processes import this file again for every job, so it holds nothing but the study.
"""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/fitting.py",
        "Fits beside RheoJAX's jobs and loops, SciPy, optimistix and NLSQ.",
        needs=("PySide6", "rheojax", "nlsq", "optimistix"),
        parts={
            "jobs": Part("Whole fits", "repeats: {repeats}.", "fitting_study.jobs"),
            "single": Part(
                "A fit beside others", "repeats: {repeats}.", "fitting_study.single", alone=True
            ),
            "large": Part("Very many points", "repeats: {repeats}.", "fitting_study.large"),
            "batches": Part(
                "Batches of datasets", "repeats: {repeats}.", "fitting_study.batches", alone=True
            ),
            "callback": Part(
                "What a callback costs", "repeats: {repeats}.", "fitting_study.callback"
            ),
        },
        settings={
            "repeats": 5,
            "sizes": (1_000_000, 10_000_000),
            "batches": (200, 10_000),
            "models": ("maxwell", "fractional_maxwell_liquid", "carreau"),
        },
        quick={"repeats": 1, "sizes": (100_000,), "batches": (20, 100)},
        options={"repeats": "how often each"},
    )
    sys.exit(study.main())
