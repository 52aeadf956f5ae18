"""Samplers on many posteriors, with many seeds; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from posteriors_study.names import POSTERIORS, SIDES
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/posteriors.py",
        "Effective draws a second of our sampler and of others, on posteriors nobody tuned for.",
        needs=("PySide6",),
        parts={
            "efficiency": Part(
                "Nineteen posteriors",
                "4 × (500 + 1000) draws, {seeds} seeds, new data each time.",
                "posteriors_study.efficiency",
                alone=True,
            ),
        },
        settings={"seeds": 20, "posteriors": POSTERIORS, "sides": SIDES},
        quick={"seeds": 3},
        options={
            "seeds": "seeds of each posterior",
            "posteriors": "which",
            "sides": "which samplers",
        },
    )
    sys.exit(study.main())
