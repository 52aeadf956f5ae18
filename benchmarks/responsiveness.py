"""How smooth the window stays, and how soon it opens; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    how = "on {screen}, repeats: {repeats}"
    from responsiveness_study.windows import platform

    study = Study(
        "benchmarks/responsiveness.py",
        "How smooth the window stays, and how soon it opens.",
        needs=("PySide6", "rheojax", "pyqtgraph"),
        parts={
            "gaps": Part(
                "How smooth the window stays",
                how + ", {seconds:g} s each.",
                "responsiveness_study.smoothness",
            ),
            "drag": Part(
                "How soon a curve follows a slider",
                how + ", {seconds:g} s each.",
                "responsiveness_study.dragging",
            ),
            "start": Part(
                "How soon the window opens", how + ".", "responsiveness_study.opening_times"
            ),
        },
        settings={"repeats": 3, "seconds": 20.0, "screen": platform()},
        quick={"repeats": 1, "seconds": 8.0},
        options={"seconds": "seconds of a window", "repeats": "how often each"},
    )
    sys.exit(study.main())
