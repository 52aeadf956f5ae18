"""`python -m rheojobs` is the command `rheojobs`."""

from __future__ import annotations

import sys

from rheojobs.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
