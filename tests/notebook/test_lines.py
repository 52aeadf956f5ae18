"""Outside a notebook: one line that is rewritten in a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from rheojobs.engine import JobEngine, JobState, Progress, TaskContext
from rheojobs.engine.cancellation import CancellationError
from rheojobs.notebook import progress, watch
from rheojobs.notebook.displays import PlainDisplay, TerminalDisplay, in_notebook
from rheojobs.notebook.job_view import JobView, view_of_job, view_of_progress


def in_two_stages(context: TaskContext) -> str:
    for stage in ("first", "second"):
        for step in range(1, 6):
            context.check()
            context.progress(step, 5, f"step {step}", stage=stage)
            time.sleep(0.06)
    return "whole"


def until_cancelled(context: TaskContext) -> None:
    while True:
        context.check()
        time.sleep(0.01)


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    with JobEngine("threads") as engine:
        yield engine


def test_a_line_for_each_stage_without_a_terminal(
    engine: JobEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not in_notebook()
    assert watch(engine.run(in_two_stages)) == "whole"
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if "queued" not in line and "running" not in line][:2] == [
        "in_two_stages: first",
        "in_two_stages: second",
    ]
    assert re.fullmatch(r"in_two_stages: succeeded, after [\d.]+ s", lines[-1])


def test_beside_the_caller(engine: JobEngine, capfd: pytest.CaptureFixture[str]) -> None:
    job = engine.run(in_two_stages)
    watch(job, wait=False)
    assert not job.done()
    for thread in threading.enumerate():
        if thread.name == "rheojobs-watch":
            thread.join(30)
    assert "in_two_stages: succeeded" in capfd.readouterr().err


def test_a_cancelled_job_without_a_result(engine: JobEngine) -> None:
    job = engine.run(until_cancelled)
    threading.Timer(0.2, job.cancel).start()
    with pytest.raises(CancellationError):
        watch(job)


def test_a_terminal_has_one_line_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    display = TerminalDisplay(stream)
    view = JobView("fit", "running", "fit", "iteration 5, " + "and so on " * 10, share=0.5)
    display.show(view)
    display.show(view)
    display.close(JobView("fit", "succeeded", seconds=2.0))
    first, last = stream.getvalue().split("\r\x1b[K")[1:]
    assert len(first) == 39
    assert first.endswith("…")
    assert last == "fit: succeeded, after 2.0 s\n"


def test_the_advice_is_written_at_the_end() -> None:
    for kind in (TerminalDisplay, PlainDisplay):
        stream = io.StringIO()
        kind(stream).close(JobView("fit", "cancelled"), "stopped")
        assert stream.getvalue().endswith("fit: cancelled, after 0.0 s; stopped\n")


def test_texts_are_escaped() -> None:
    view = JobView("<i>a</i>", "running", "<s>", "<b>&", figures=(("<loss>", "<1>"),))
    html = view.as_html("<u>")
    assert not re.findall(r"<(?:i|s|loss|1|u)>", html)
    assert "&lt;b&gt;&amp;" in html


@pytest.mark.parametrize(
    "metrics",
    [
        {"loss": "low", "r_hat": "fine", "ess_bulk": {"a": None}, "divergences": [1]},
        {"r_hat": {"a": float("nan")}, "ess_bulk": {}, "loss": None},
    ],
)
def test_metrics_of_other_kinds_are_left_out(metrics: dict[str, object]) -> None:
    view = view_of_progress("it", Progress(metrics=metrics), 0.0, JobState.RUNNING)
    assert view.figures == ()


def test_the_figures_of_a_sampling() -> None:
    metrics = {
        "r_hat": {"a": 1.0, "b": 1.02},
        "ess_bulk": {"a": 300.0, "b": 500.0},
        "ess_tail": {"a": 250.2, "b": 900.0},
        "divergences": 2,
        "time_remaining": 3.0,
    }
    view = view_of_progress("it", Progress(1, 4, metrics=metrics), 0.0, JobState.RUNNING)
    assert dict(view.figures) == {"R-hat": "≤ 1.020", "ESS": "≥ 250", "divergences": "2"}
    assert view.as_line() == "it: 25 %, 3.0 s left"


def test_a_job_that_waits(engine: JobEngine) -> None:
    blocker = engine.run(until_cancelled)
    waiting = engine.submit(len, after=[blocker])
    assert view_of_job(waiting).as_line().endswith("blocked")
    blocker.cancel()


def test_an_error_in_the_block_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with progress("sums") as show:
            show(Progress(1, 2, "half", "adding"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert capfd.readouterr().err.splitlines()[-1].startswith("sums: failed")


SCRIPT = """
import numpy as np
from rheojobs import Dataset
from rheojobs.notebook import sample

t = np.logspace(-1, 1, 40)
data = Dataset(t, 1e5 * np.exp(-t / 2), "relaxation")
posterior = sample(data, "maxwell", num_samples=1_000_000, checkpoint="")
print("kept:", posterior.is_partial, posterior.num_samples > 0)
"""


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_keeps_the_draws() -> None:
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal", exc_type=ImportError)
    terminal, inside = pty.openpty()
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=inside, text=True
    )
    os.close(inside)
    said, asked = b"", False
    with open(terminal, "rb", buffering=0) as reader:
        while True:
            try:
                more = reader.read(4096)
            except OSError:  # the other side is closed
                break
            said += more
            if not asked and b"ESS" in said:
                asked = True
                script.send_signal(signal.SIGINT)
            if not more:
                break
    assert script.communicate(timeout=60)[0] == "kept: True True\n"
    assert b"stopped; the result so far is kept" in said
    assert said.count(b"\n") == 1  # but for the end, it is one line
