"""RheoJAX's own window, alone and on our engine; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/rheojax_window.py",
        "RheoJAX's own window, alone and on our engine.",
        needs=("PySide6", "rheojax"),
        parts={
            "steps": Part(
                "RheoJAX's window on our engine",
                "maxwell, ps145_relaxation.csv (1,799 points), 4 chains of 500 + 1000; offscreen; "
                "3 s between the choice of the data and the first fit; repeats: {repeats}, by "
                "turns.",
                "rheojax_window_study.steps",
            ),
        },
        settings={"repeats": 3},
        quick={"repeats": 1},
        options={"repeats": "how often each"},
    )
    sys.exit(study.main())
