"""Fits beside what a user would pick instead; `benchmarks/README.md` describes it.

RheoJAX's processes import this file again for every job, so it holds nothing but the study.
"""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/fitting.py",
        "Fits beside RheoJAX's jobs and loops, SciPy and NLSQ.",
        needs=("PySide6", "rheojax", "nlsq"),
        parts={
            "jobs": Part("Whole fits", "repeats: {repeats}.", "fitting_study.jobs"),
            "inside": Part("A fit against SciPy's", "repeats: {repeats}.", "fitting_study.inside"),
            "many": Part("Many datasets", "repeats: {repeats}.", "fitting_study.many"),
            "callback": Part(
                "What a callback costs", "repeats: {repeats}.", "fitting_study.callback"
            ),
        },
        settings={
            "repeats": 5,
            "datasets": 200,
            "models": ("maxwell", "fractional_maxwell_liquid", "carreau"),
        },
        quick={"repeats": 1, "datasets": 20},
        options={"repeats": "how often each"},
    )
    sys.exit(study.main())
