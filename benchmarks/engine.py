"""The job engine beside what a user would take instead: empty jobs, long queues, floods of news.

    python benchmarks/engine.py [--only overhead|queue|listing|flood|remaining ...] [--jobs N]
        [--repeats N] [--quick] [--json OUT] [--markdown FILE] [--tables]

Processes that are spawned import this file anew, so it holds nothing but the call.
"""

import sys

if __name__ == "__main__":
    from engine_study.main import main

    sys.exit(main())
