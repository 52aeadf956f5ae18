"""A processor against a GPU; `benchmarks/README.md` describes it."""

import sys

if __name__ == "__main__":
    from gpu_study.device import absent
    from side_by_side.study import Part, Study

    study = Study(
        "benchmarks/gpu.py",
        "The same fits and samplings on a processor and on a GPU.",
        needs=("rheojax",),
        parts={
            "large": Part("Large fits", "{repeats} turns of each device.", "gpu_study.large"),
            "many": Part("Many fits", "{fits:,} fits, {repeats} turns.", "gpu_study.many"),
            "posteriors": Part(
                "Many posteriors", "{posteriors:,} posteriors.", "gpu_study.posteriors"
            ),
        },
        settings={
            "devices": "cpu,gpu",
            "sizes": [1e6, 1e7, 1e8],
            "fits": 10_000,
            "posteriors": 1_000,
            "repeats": 5,
        },
        quick={"sizes": [1e5, 1e6], "fits": 100, "posteriors": 5, "repeats": 1},
        options={
            "devices": "names of devices, with commas between them",
            "fits": "fits of one model",
            "posteriors": "posteriors of one model",
            "repeats": "turns of each device",
        },
        absent=absent,
    )
    sys.exit(study.main())
