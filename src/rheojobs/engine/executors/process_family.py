"""A process and all that it has started: how it is started, and how they are ended.

POSIX has groups of processes, which a signal ends as a whole. Elsewhere psutil finds the children,
as long as their parent lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from typing import Any

__all__ = [
    "HAS_GROUPS",
    "kill_children",
    "kill_family",
    "kill_process",
    "python_command",
    "start_apart",
]

HAS_GROUPS = hasattr(os, "killpg")
"""Whether a process can be the leader of a group, to which its children belong."""


def python_command(module: str, **config: object) -> list[str]:
    """Return a command that runs the function `main` of a module, with this process's `sys.path`.

    Parameters
    ----------
    module : str
        Of the standard library or on the path.
    **config
        What `main` finds in `sys.argv[1]`, as JSON.
    """
    path = [entry for entry in sys.path if isinstance(entry, str)]
    bootstrap = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1])['path']; "
        f"from {module} import main; main()"
    )
    # -P: a file in the working folder must not shadow a standard module.
    return [sys.executable, "-P", "-c", bootstrap, json.dumps({"path": path, **config})]


def start_apart(nice: int = 0) -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` for a process that Ctrl-C does not reach.

    Parameters
    ----------
    nice : int
        With a positive niceness, the priority on Windows is below normal; on POSIX the process
        calls `os.nice` itself.
    """
    if HAS_GROUPS:
        return {"start_new_session": True}
    import subprocess  # late: workers do not need it

    flags = ["CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW"]
    if nice > 0:
        flags.append("BELOW_NORMAL_PRIORITY_CLASS")
    # Only Windows has them.
    return {"creationflags": sum(getattr(subprocess, flag, 0) for flag in flags)}


def kill_process(pid: int) -> None:
    """Kill a process at once; it may have ended already."""
    import psutil  # late: most workers do not need it

    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).kill()


def kill_family(pid: int) -> None:
    """Kill the leader of a group, and all that it has started, at once."""
    if HAS_GROUPS:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # they have ended already
            os.killpg(pid, signal.SIGKILL)
        return
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        children = process.children(recursive=True)
        process.kill()  # first, so that it starts no more
        _kill_all(children)


def kill_children() -> None:
    """Kill all that this process has started; nothing to do where the group is ended as a whole."""
    if HAS_GROUPS:
        return
    import psutil

    with contextlib.suppress(psutil.Error):
        _kill_all(psutil.Process().children(recursive=True))


def _kill_all(processes: list[Any]) -> None:
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            process.kill()
