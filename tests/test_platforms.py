"""What only POSIX has stays in a few files of `src`, each of which has a counterpart elsewhere.

docs/platforms.md says what the counterparts are, and what is lost.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rheojobs

SOURCE = Path(rheojobs.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
OF_OS = {
    *("chown", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg"),
    *("getpgid", "getpgrp", "getuid", "killpg", "lchown", "mkfifo", "nice", "openpty"),
    *("posix_spawn", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "setpgid"),
    *("setpriority", "setsid", "statvfs", "sysconf", "uname", "wait", "waitid", "waitpid"),
    *("O_ASYNC", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"),
}
OF_SIGNAL = {
    *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGIO", "SIGKILL", "SIGPIPE", "SIGQUIT"),
    *("SIGSTOP", "SIGTSTP", "SIGUSR1", "SIGUSR2", "alarm", "pthread_kill", "pthread_sigmask"),
    *("setitimer", "sigwait"),
}
WITH_A_CHECK = {
    # a group of processes is ended as a whole; else psutil finds the children
    "engine/executors/process_family.py": {"os.killpg", "signal.SIGKILL"},
    # only where `kernel_ends_workers`; else there is a guard
    "engine/executors/processes/lifeline.py": {
        *("fcntl", "os.O_ASYNC", "os.getpgrp", "signal.SIGKILL")
    },
    # Windows has no fork; the application sets the priority of workers there
    "engine/executors/processes/worker_main.py": {"os.nice", "os.register_at_fork"},
    # msvcrt on Windows
    "engine/store/locks.py": {"fcntl", "os.register_at_fork"},
    # on Windows, a user's folders are private by default
    "engine/store/payload_files.py": {"os.fchmod"},
    "engine/store/permissions.py": {"grp", "os.fchmod", "os.getuid", "pwd"},
    # Windows ends a process whose memory is used up
    "inference/data/reading/formats/workbook_process.py": {"resource"},
    "machine.py": {"os.sched_getaffinity"},
}
SYSTEM_FILES = {
    "engine/store/filesystems.py",
    "engine/store/leases.py",
    "inference/programs/jax_setup.py",
}
"""Each reads the system's files only if they exist."""

RENAMES = {
    "whole_files.py",
    "engine/executors/dask/folders.py",  # a folder of its own, which nobody else has open
    "qt/widgets/fit/fit_view.py",  # a curve, no file
}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def posix_only(path: Path) -> set[str]:
    """Return the names of POSIX alone that a file uses."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} & MODULES
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & {
                *(f"os.{name}" for name in OF_OS),
                *(f"signal.{name}" for name in OF_SIGNAL),
            }
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of = {"os": OF_OS, "signal": OF_SIGNAL}.get(node.value.id, set())
            found |= {f"{node.value.id}.{name}" for name in of & {node.attr}}
    return found


def test_names_of_posix_are_used_in_few_files() -> None:
    assert {name_of(path): used for path in FILES if (used := posix_only(path))} == WITH_A_CHECK


def test_files_of_the_system_are_read_in_few_files() -> None:
    def reads_some(path: Path) -> bool:
        return any(
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith(("/proc/", "/sys/", "/etc/", "/var/", "/dev/", "/tmp/"))
            for node in nodes(path)
        )

    assert {name_of(path) for path in FILES if reads_some(path)} == SYSTEM_FILES


def test_files_are_replaced_by_the_function_that_waits_for_their_readers() -> None:
    def renames(path: Path) -> bool:
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (
                # Path.replace(target); str.replace has two arguments, dataclasses.replace names
                (node.func.attr in ("replace", "rename") and len(node.args) == 1)
                or ast.unparse(node.func) in ("os.replace", "os.rename", "os.link", "shutil.move")
            )
            and not node.keywords
            for node in nodes(path)
        )

    assert {name_of(path) for path in FILES if renames(path)} == RENAMES


@pytest.mark.parametrize("function", ["open", "read_text", "write_text"])
def test_text_is_read_and_written_with_a_named_encoding(function: str) -> None:
    """The default is that of the system: on Windows, not UTF-8."""
    at = {"open": 3, "read_text": 0, "write_text": 1}[function]
    without = []
    for path in FILES:
        for node in nodes(path):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called != function and (function == "open" or not called.endswith(f".{function}")):
                continue
            is_binary = function == "open" and any(
                isinstance(each, ast.Constant) and "b" in str(each.value) for each in node.args[1:2]
            )
            is_named = len(node.args) > at or "encoding" in {word.arg for word in node.keywords}
            if not (is_binary or is_named):
                without.append(f"{name_of(path)}:{node.lineno}")
    assert without == []


def test_tests_are_collected_without_modules_of_posix() -> None:
    """The workflow runs quick tests on Windows: one such import would end them all."""

    def imports_some(path: Path) -> bool:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        return any(
            isinstance(node, ast.Import) and {alias.name for alias in node.names} & MODULES
            for node in tree.body
        )

    assert [path.name for path in Path(__file__).parent.rglob("*.py") if imports_some(path)] == []
