"""The job engine beside other executors; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/engine.py",
        "The job engine beside other executors.",
        needs=("PySide6", "rheojax"),
        parts={
            "overhead": Part(
                "An empty job",
                "{jobs} jobs a turn, {repeats} turns of each side.",
                "engine_study.overhead",
                alone=True,
            ),
            "queue": Part(
                "Long queues", "median of {queue_repeats}.", "engine_study.queue", alone=True
            ),
            "listing": Part(
                "Many jobs in the store", "{stored:,} jobs.", "engine_study.listing", alone=True
            ),
            "flood": Part(
                "A flood of progress", "{seconds:g} s.", "engine_study.flood", alone=True
            ),
            "remaining": Part(
                "The time remaining",
                "{draws} draws; fits from {starts} starts.",
                "engine_study.remaining",
                alone=True,
            ),
        },
        settings={
            "jobs": 500,
            "repeats": 9,
            "queue_repeats": 3,
            "stored": 100_000,
            "seconds": 5.0,
            "draws": 6_000,
            "starts": 60,
        },
        quick={
            "jobs": 50,
            "repeats": 1,
            "queue_repeats": 1,
            "stored": 2_000,
            "seconds": 1.0,
            "draws": 400,
            "starts": 6,
        },
        options={"jobs": "empty jobs of a measurement", "repeats": "turns of each side"},
    )
    sys.exit(study.main())
