"""Start RheoJAX's window on our engine: ``python -m rheojobs.integrations.rheojax [arguments]``."""

from __future__ import annotations

import sys

from rheojobs.errors import RheojobsError
from rheojobs.integrations.rheojax import install
from rheojobs.integrations.rheojax.hooks import run_window


def main(arguments: list[str]) -> int:
    """Install the engine and open the window; return the exit status."""
    try:
        install()
    except RheojobsError as error:
        print(f"rheojobs: {error}", file=sys.stderr)
        return 2
    return run_window(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
