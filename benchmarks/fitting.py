"""Fits beside what a user would take instead: RheoJAX's jobs and loops, and SciPy.

    python benchmarks/fitting.py [--only jobs|inside|many|callback ...] [--repeats N] [--quick]
        [--json OUT] [--markdown FILE] [--tables]

RheoJAX's processes import this file anew for every job, so it holds nothing but the call.
"""

import sys

if __name__ == "__main__":
    from fitting_study.main import main

    sys.exit(main())
