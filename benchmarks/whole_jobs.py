"""Whole-job times, submit to completed, beside those of RheoJAX's own job system.

    python benchmarks/whole_jobs.py [--repeats N] [--quick] [--json OUT]

RheoJAX's processes import this file anew for every job, so it holds nothing but the call.
"""

import sys

if __name__ == "__main__":
    from side_by_side.comparison import main

    sys.exit(main())
