"""Jobs on a Dask cluster: fits over more and more workers, the cost of a job, the client's memory.

    python benchmarks/scaling.py [--only fits cost memory] [--fits N] [--jobs N] [--repeats N]
        [--quick] [--json OUT] [--markdown FILE] [--tables]

Processes that are spawned import this file anew, so it holds nothing but the call.
"""

import sys

if __name__ == "__main__":
    from scaling_study.main import main

    sys.exit(main())
