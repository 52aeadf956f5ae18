"""Samplings beside what a user would pick instead; `benchmarks/README.md` describes it.

RheoJAX's processes import this file again for every job, so it holds nothing but the study.
"""

import sys

if __name__ == "__main__":
    from side_by_side.study import Part, Study

    how = "{num_chains} chains, {num_warmup} + {num_samples} steps, repeats: {repeats}."
    study = Study(
        "benchmarks/sampling.py",
        "Samplings beside RheoJAX's job system, plain NumPyro and nutpie.",
        needs=("nutpie", "PySide6", "rheojax"),
        parts={
            "jobs": Part("Whole jobs", how, "sampling_study.jobs"),
            "bare": Part("The job against its kernel", how, "sampling_study.bare"),
            "starts": Part("Warm and cold starts", how, "sampling_study.starts"),
            "cancel": Part("Cancelling", "one job at a time.", "sampling_study.cancels"),
        },
        settings={
            "models": ("maxwell", "fractional_maxwell_liquid", "carreau", "generalized_maxwell"),
            "repeats": 3,
            "cancels": 100,
            "num_warmup": 500,
            "num_samples": 1000,
            "num_chains": 4,
            "seed": 1,
        },
        quick={"repeats": 1, "cancels": 12, "num_warmup": 100, "num_samples": 200},
        options={
            "models": "models (all)",
            "repeats": "how often each",
            "cancels": "jobs to cancel",
        },
    )
    sys.exit(study.main())
