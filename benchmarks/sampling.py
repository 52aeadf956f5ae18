"""Samplings beside what a user would take instead: whole jobs, kernels, starts, cancels.

    python benchmarks/sampling.py [--only jobs|bare|starts|cancel ...] [--models NAME ...]
        [--repeats N] [--cancels N] [--quick] [--json OUT] [--markdown FILE] [--tables]

RheoJAX's processes import this file anew for every job, so it holds nothing but the call.
"""

import sys

if __name__ == "__main__":
    from sampling_study.main import main

    sys.exit(main())
