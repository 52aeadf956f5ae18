"""How often intervals of 95 % hold the truth; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/coverage.py",
        "How often intervals of 95 % hold the truth, on simulated data.",
        needs=("PySide6",),
        parts={
            "fits": Part("Intervals of fits", "{datasets} datasets each.", "coverage_study.fits"),
            "posteriors": Part(
                "Intervals of posteriors",
                "{datasets} datasets each, half of them from a fit.",
                "coverage_study.posteriors",
            ),
        },
        settings={"datasets": 400},
        quick={"datasets": 40},
        options={"datasets": "datasets of each model"},
    )
    sys.exit(study.main())
