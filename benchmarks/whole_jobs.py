"""Fits and samplings, submit to completed, beside RheoJAX's own job system alone.

The parts are those of `fitting.py` and `sampling.py`. RheoJAX's processes import this file again
for every job, so it holds nothing but the study.
"""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    how = "{num_chains} chains, {num_warmup} + {num_samples} steps, repeats: {repeats}."
    study = Study(
        "benchmarks/whole_jobs.py",
        "Whole-job times, submit to completed, beside RheoJAX's own job system.",
        needs=("PySide6", "rheojax"),
        parts={
            "fits": Part("Whole fits", "repeats: {repeats}.", "fitting_study.jobs"),
            "samplings": Part("Whole samplings", how, "sampling_study.jobs"),
        },
        settings={
            "models": ("maxwell", "fractional_maxwell_liquid"),
            "systems": ("rheojobs", "RheoJAX"),
            "repeats": 3,
            "num_warmup": 500,
            "num_samples": 1000,
            "num_chains": 4,
            "seed": 1,
        },
        quick={"repeats": 1, "num_warmup": 100, "num_samples": 200},
        options={"models": "models (all)", "repeats": "second jobs of each kind"},
    )
    sys.exit(study.main())
