"""Samplers on many posteriors, with many seeds; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/posteriors.py",
        "Effective draws a second of our sampler and of others, on posteriors nobody tuned for.",
        needs=("PySide6",),
        parts={
            "efficiency": Part(
                "Nineteen posteriors",
                "4 × (500 + 1000) draws, {seeds} seeds, new data each time, no start.",
                "posteriors_study.efficiency",
                alone=True,
            ),
        },
        settings={"seeds": 20},
        quick={"seeds": 3},
        options={"seeds": "seeds of each posterior"},
    )
    sys.exit(study.main())
