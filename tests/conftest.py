"""What the tests share."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.thorough import mark_thorough

# No deadline: a busy machine is no fault. The gate tries the same examples every time, so that it
# judges the change and not its luck; whoever runs the tests by hand tries others.
settings.register_profile("rheojobs", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("rheojobs")

# Tests import Qt through qtpy, some before pytest-qt is ready, others in programs that they start:
# all from one binding.
os.environ["QT_API"] = os.environ.get("PYTEST_QT_API", "pyside6")

# A shell starts `make test &` with Ctrl-C ignored, and the programs of tests inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled programs of tests in a folder of this checkout, not among the user's own.

    All processes of a run share it, and the next run finds it filled.
    """
    if not hasattr(config, "workerinput") and config.cache is not None:
        os.environ["RHEOJOBS_CACHE_DIR"] = str(config.cache.mkdir("programs"))


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what the gate leaves out; note which promises of the README a test is of."""
    mark_thorough(items, is_whole=config.args == config.getini("testpaths"))
    for item in items:
        for marker in item.iter_markers("promise"):
            item.user_properties += [("promise", name) for name in marker.args]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show for each promise how many of its tests passed, and which did not."""
    passed: dict[str, int] = defaultdict(int)
    failed: dict[str, list[str]] = defaultdict(list)
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for kind, name in getattr(report, "user_properties", ()):  # not of a failed import
                if kind != "promise":
                    continue
                if outcome == "passed":
                    passed[name] += report.when == "call"
                else:
                    failed[name].append(report.nodeid)
    if not passed and not failed:
        return
    terminalreporter.section("promises")
    for name in sorted({*passed, *failed}):
        terminalreporter.write_line(
            f"{name:24} {passed[name]:5} passed {len(failed[name]):3} failed"
        )
        for node in failed[name]:
            terminalreporter.write_line(f"    {node}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of measured data, which is no part of the project (see its SOURCES.md)."""
    given = os.environ.get("RHEOJOBS_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no measured data: {folder} is not a folder; set RHEOJOBS_DATA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the jobs and samplings of the tests away from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
