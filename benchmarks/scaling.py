"""Jobs on a Dask cluster; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    cost = "{cost_jobs:,} jobs a turn, {repeats} turns of each side."
    study = Study(
        "benchmarks/scaling.py",
        "Jobs on a Dask cluster.",
        needs=("distributed", "rheojax"),
        parts={
            "fits": Part("Fits over more and more workers", "{fits:,} fits.", "scaling_study.fits"),
            "cost": Part("What an empty job costs", cost, "scaling_study.cost"),
            "memory": Part("The client's memory", "{jobs:,} jobs.", "scaling_study.memory"),
        },
        settings={
            "fits": 1_000,
            "workers": [1, 2, 4],
            "cost_jobs": 1_000,
            "repeats": 5,
            "jobs": 10_000,
        },
        quick={"fits": 60, "workers": [1, 2], "cost_jobs": 200, "repeats": 1, "jobs": 300},
        options={
            "fits": "fits of a measurement",
            "jobs": "jobs with results",
            "repeats": "turns of each side",
        },
    )
    sys.exit(study.main())
