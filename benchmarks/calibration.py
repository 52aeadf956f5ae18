"""Simulation-based calibration of six models; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/calibration.py",
        "Ranks of parameters drawn from their priors among the draws of their posteriors.",
        needs=("PySide6",),
        parts={
            "ranks": Part(
                "Simulation-based calibration",
                "{simulations} simulations of each model and start.",
                "calibration_study.ranks",
            ),
        },
        settings={"simulations": 192},
        quick={"simulations": 32},
        options={"simulations": "simulations of each model and start"},
    )
    sys.exit(study.main())
