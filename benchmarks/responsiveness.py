"""How smooth the window stays while jobs run, beside RheoJAX's thread mode; and how soon it opens.

    python benchmarks/responsiveness.py [--only gaps|start ...] [--seconds S] [--repeats N]
        [--quick] [--json OUT] [--markdown FILE] [--tables]

Processes that are spawned import this file anew, so it holds nothing but the call.
"""

import sys

if __name__ == "__main__":
    from responsiveness_study.main import main

    sys.exit(main())
