"""An application that works on mixed jobs for long; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/soak.py",
        "Mixed jobs for long, with cancels, pauses and kills: does anything grow?",
        needs=("PySide6", "rheojax"),
        parts={
            "soak": Part(
                "An application that works for long",
                "{minutes:g} min of mixed jobs, the first third being warm-up; seed {seed}; a "
                "worker killed every {kill_every:g} s, read every {read_every:g} s.",
                "soak_study.soak",
                alone=True,
            ),
        },
        settings={"minutes": 30.0, "seed": 1, "kill_every": 45.0, "read_every": 5.0},
        quick={"minutes": 1.5, "kill_every": 15.0, "read_every": 1.0},
        options={"minutes": "how long", "seed": "of the jobs and of what befalls them"},
    )
    sys.exit(study.main())
