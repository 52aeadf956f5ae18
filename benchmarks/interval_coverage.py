"""How often intervals of 95 % hold the truth; `benchmarks/README.md` describes it.

Not named after coverage alone: Numba would import it in place of that package.
"""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/interval_coverage.py",
        "How often intervals of 95 % hold the truth, on simulated data.",
        needs=("PySide6",),
        parts={
            "fits": Part(
                "Intervals of fits", "{datasets} datasets each.", "interval_coverage_study.fits"
            ),
            "posteriors": Part(
                "Intervals of posteriors",
                "{datasets} datasets each, half of them from a fit.",
                "interval_coverage_study.posteriors",
            ),
        },
        settings={"datasets": 400},
        quick={"datasets": 40},
        options={"datasets": "datasets of each model"},
    )
    sys.exit(study.main())
