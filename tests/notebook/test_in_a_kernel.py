"""In a kernel of Jupyter: displays that are updated, interrupts, errors of one line."""

from __future__ import annotations

import re

import pytest
from tests.notebook.conftest import Kernel, Output

pytestmark = pytest.mark.slow


def is_running(output: Output) -> bool:
    return any("width:" in bundle.get("text/html", "") for bundle in output.shown + output.updates)


def test_a_watched_job_is_updated_in_place(kernel: Kernel) -> None:
    output = kernel.run("print(watch(engine.run(slowly, 40)))")
    assert len(output.shown) == 1
    assert len(output.updates) > 2
    assert output.printed == "40\n"
    widths = [
        float(found[1])
        for bundle in output.shown + output.updates
        if (found := re.search(r"width:([\d.]+)%", bundle["text/html"]))
    ]
    assert widths == sorted(widths)
    assert widths[-1] == 100.0
    assert "succeeded" in output.newest
    assert "loss <b>" in output.newest


def test_texts_of_a_task_are_escaped(kernel: Kernel) -> None:
    output = kernel.run("watch(engine.run(slowly, 20))")
    shown = "".join(bundle.get("text/html", "") for bundle in output.shown + output.updates)
    assert "&lt;of&gt;" in shown
    assert "<of>" not in shown


def test_an_interrupt_stops_the_watching_only(kernel: Kernel) -> None:
    output = kernel.run("job = engine.run(slowly, 100000)\nwatch(job)", is_running)
    assert "no longer watched; the job continues" in output.newest
    (line,) = output.traceback
    assert line.startswith("no longer watched")
    state = kernel.run("print(job.state, job.cancel(), engine.wait(), job.state)").printed
    assert re.match(r"running True \w+ cancelled", state)


def test_a_cancelled_job_gives_its_partial_result(kernel: Kernel) -> None:
    code = """
import threading
job = engine.run(slowly, 100000)
threading.Timer(0.5, job.cancel).start()
print(watch(job) > 0)
"""
    output = kernel.run(code)
    assert output.printed == "True\n"
    assert "cancelled" in output.newest


def test_a_job_beside_other_cells_has_buttons(kernel: Kernel) -> None:
    output = kernel.run("job = engine.run(slowly, 100000)\nwatch(job, wait=False)")
    assert any("application/vnd.jupyter.widget-view+json" in bundle for bundle in output.shown)
    updates = []
    for button, state in (("Pause", "paused"), ("Pause", "running"), ("Cancel", "cancelled")):
        kernel.click(output.buttons[button])
        until = f"while job.state != '{state}':\n    time.sleep(0.02)"
        updates += kernel.run(f"{until}\ntime.sleep(0.4)").updates
    shown = "".join(bundle["text/html"] for bundle in updates)
    assert shown.index(">paused<") < shown.index(">running<") < shown.index(">cancelled<")


def test_a_line_says_how_without_buttons(kernel: Kernel) -> None:
    code = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "ipywidgets" else find(name, *rest)
watch(engine.run(slowly, 20), wait=False)
engine.wait()
time.sleep(0.5)
importlib.util.find_spec = find
"""
    output = kernel.run(code)
    assert "rheojobs[notebook]" in output.shown[0]["text/html"]
    assert len(output.shown) == 1


def test_a_fit_shows_its_loss_and_returns_a_table(kernel: Kernel) -> None:
    output = kernel.run("fit(data, 'maxwell')")
    assert "fit maxwell" in output.shown[0]["text/html"]
    assert "loss <b>" in output.updates[-1]["text/html"]
    assert "<td" in output.shown[-1]["text/html"]
    assert "Fit of maxwell" in output.shown[-1]["text/html"]


def test_an_interrupted_sampling_keeps_its_draws(kernel: Kernel) -> None:
    code = "posterior = sample(data, 'maxwell', num_samples=100_000, checkpoint='')"
    output = kernel.run(code, lambda output: "R-hat <b>" in output.newest)
    assert not output.traceback
    assert "the result so far is kept" in output.newest
    printed = kernel.run("print(posterior.is_partial, posterior.num_samples > 0)").printed
    assert printed == "True True\n"
    shown = kernel.run("posterior").shown[0]["text/html"]
    assert shown.index("stopped before it was done") < shown.index("<table>")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("fit(data, 'maxwel')", "maxwell"),
        ("fit((t, t), 'maxwell')", "test mode cannot be inferred"),
        ("sample(data, 'maxwell', draws=10)", "unknown setting 'draws'"),
        ("with progress():\n    raise InputError('x is <wrong>')", "x is <wrong>"),
    ],
)
def test_a_wrong_input_is_one_line(code: str, message: str, kernel: Kernel) -> None:
    (line,) = kernel.run(code).traceback
    assert message in line
    assert "\n" not in line


def test_an_error_of_a_function_keeps_its_traceback(kernel: Kernel) -> None:
    output = kernel.run("def wrong():\n    return 1 / 0\nwatch(engine.run(wrong))")
    assert "failed" in output.newest
    assert "ZeroDivisionError" in "".join(output.traceback)
    assert len(output.traceback) > 3


def test_a_callback_shows_progress(kernel: Kernel) -> None:
    code = """
from rheojobs import fit_many
with progress("two fits") as show:
    results = fit_many([data, data], "maxwell", callback=show)
"""
    output = kernel.run(code)
    assert not output.traceback
    assert "two fits" in output.newest
    assert "succeeded" in output.newest


def test_a_job_is_a_table(kernel: Kernel) -> None:
    shown = kernel.run("job = engine.submit(lambda: 1, name='<b>one</b>')\njob.result()\njob")
    html = shown.shown[-1]["text/html"]
    assert "&lt;b&gt;one" in html
    assert "succeeded" in html
