"""Drive RheoJAX's real window through its own controls, in a process of its own.

``python -m tests.integrations.rheojax.driver SCENARIO OUT FILE... [--ours]`` writes what it saw to
OUT as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtWidgets import QPushButton

LIMIT = 240.0
"""Seconds after which the process gives up."""


class Driver:
    """The window's controls, and what is seen of it."""

    def __init__(self, window: Any, out: Path, files: list[str]) -> None:
        from qtpy.QtCore import QTimer

        self.window = window
        self.out = out
        self.files = files
        self.seen: dict[str, Any] = {}
        self._gap, self._last = 0.0, time.perf_counter()
        self._values: list[Any] = []
        self._clock = QTimer()
        self._clock.setInterval(2)
        self._clock.timeout.connect(self._tick)
        self._clock.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self._gap, self._last = max(self._gap, now - self._last), now
        bars = (self.window.statusBar().progress_bar, *(s._progress_bar for s in self.steps()))
        values = [bar.value() if bar.maximum() else -1 for bar in bars if not bar.isHidden()]
        if values and (not self._values or self._values[-1] != values):
            self._values.append(values)

    def steps(self) -> tuple[Any, Any]:
        """Return the steps of the fit and of the sampling."""
        bodies = self.window.fit_bodies()
        return bodies[2], bodies[3]

    @property
    def state(self) -> Any:
        return self.window._state.fit

    def watched(self, name: str, act: Callable[[], object]) -> None:
        """Do something; note how long it took, the longest gap, and the values of the bars."""
        self._values, self._gap, self._last = [], 0.0, time.perf_counter()
        began = time.perf_counter()
        act()
        seconds = time.perf_counter() - began
        self.seen[name] = {
            "seconds": seconds,
            "longest_gap": self._gap,
            "status_values": len({values[0] for values in self._values}),
            "step_values": len({tuple(values[1:]) for values in self._values}),
            "text": [step._result.text() for step in self.steps()],
        }

    def wait(self, until: Callable[[], bool], seconds: float = 60.0) -> None:
        """Let the window work until something is so."""
        from qtpy.QtCore import QCoreApplication, QEventLoop

        end = time.perf_counter() + seconds
        while not until():
            if time.perf_counter() > end:
                raise TimeoutError("the window did not get there")
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
            time.sleep(0.002)

    def choose(self, protocol: str, model: str, config: dict[str, Any] | None = None) -> None:
        """Choose the test, the model and the data that were imported last."""
        first, second = self.window.fit_bodies()[:2]
        first.set_protocol(protocol)
        first.set_model(model)
        if config:
            first.set_model_config(config)
        self.wait(lambda: bool(second.available_datasets()))
        second.refresh()
        second.select_dataset(second.available_datasets()[-1])
        assert second.is_ready(), second.validation_errors()

    def once_drawing(self, step: Any, act: Callable[[], object]) -> None:
        """Do something once a sampling that is about to start has begun to draw."""

        def look() -> None:
            if " draws" in step._elapsed_label.text():
                act()
            else:
                self.later(0.02, look)

        self.later(0.02, look)

    def pause_a_second(self, step: Any) -> None:
        """Press *Pause*, and *Resume* a second later; note what the step said meanwhile."""
        (button,) = (each for each in step.findChildren(QPushButton) if each.text() == "Pause")
        before = not button.isHidden()
        button.click()
        pause(self, 0.4)  # for the progress that is on its way
        texts = [step._elapsed_label.text().partition(": ")[2]]
        pause(self, 0.6)
        texts.append(step._elapsed_label.text().partition(": ")[2])
        name = button.text()
        button.click()
        self.seen["paused"] = {"visible": before, "texts": texts, "names": [name, button.text()]}

    def load(self, file: str, protocol: str) -> None:
        """Import another file."""
        from rheojax.gui.foundation.import_service import import_dataset

        reference, data = import_dataset(Path(file), protocol)
        self.window._commit_dataset(reference, data, overwrite=False)

    def sampler(self, warmup: int, draws: int, chains: int, seed: int = 0) -> None:
        """Set the sampling."""
        step = self.steps()[1]
        step._warmup.setValue(warmup)
        step._samples.setValue(draws)
        step._chains.setValue(chains)
        step._seed.setValue(seed)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something while a job runs."""
        from qtpy.QtCore import QTimer

        QTimer.singleShot(int(1000 * seconds), act)

    def picture(self, name: str) -> None:
        """Save a picture of the window beside the file of what was seen."""
        self.window.grab().save(str(self.out.with_name(f"{self.out.stem}-{name}.png")))

    def fit_facts(self) -> dict[str, Any]:
        result = self.state.nlsq_result or {}
        keys = ("success", "params", "r_squared", "chi_squared", "mpe", "message", "num_iterations")
        found = {key: result.get(key) for key in keys}
        found["keys"] = sorted(result)
        for key in ("y_fit", "pcov"):
            values = result.get(key)
            if values is not None and not np.iscomplexobj(values):
                found[key] = np.asarray(values).tolist()
        return found

    def draws(self) -> dict[str, Any]:
        result = self.state.nuts_result or {}
        samples = result.get("posterior_samples", {})
        found = {
            name: {"mean": float(np.mean(v)), "std": float(np.std(v)), "size": int(np.size(v))}
            for name, v in samples.items()
        }
        keys = ("r_hat", "ess", "divergences", "verdict", "is_partial", "num_samples", "num_chains")
        return {"draws": found, "keys": sorted(result)} | {key: result.get(key) for key in keys}


def one_of_each(driver: Driver) -> None:
    """Fit twice, sample twice, look at all plots."""
    driver.choose("relaxation", "maxwell")
    fit, sample = driver.steps()
    pause(driver, 3.0)
    driver.watched("first fit", fit.run)
    driver.seen["fit"] = driver.fit_facts()
    driver.watched("second fit", fit.run)
    driver.sampler(500, 1000, 4)
    driver.watched("first sampling", sample.run)
    driver.seen["sampling"] = driver.draws()
    driver.watched("second sampling", sample.run)
    pause(driver, 0.5)
    driver.watched("look at the plots", lambda: look_at_plots(driver))
    driver.picture("plots")


def look_at_plots(driver: Driver) -> None:
    """Open the last step and its diagnostics."""
    driver.window._jump_to_step(4)
    view = driver.window.fit_bodies()[4]
    view._tabs.setCurrentIndex(view._tabs.count() - 1)
    pause(driver, 0.2)
    canvases = view._arviz_canvases.values()
    driver.wait(lambda: all(each._status_label.isHidden() for each in canvases), 90)
    pause(driver, 0.5)


def cancelling(driver: Driver) -> None:
    """Cancel a fit and a sampling by the buttons of their steps; close amid a sampling."""
    from qtpy.QtWidgets import QMessageBox

    driver.choose("relaxation", "maxwell")
    fit, sample = driver.steps()
    fit.run()
    driver.sampler(500, 1000, 4)
    sample.run()
    driver.sampler(500, 100_000, 16)
    driver.once_drawing(sample, lambda: driver.pause_a_second(sample))
    driver.once_drawing(sample, lambda: driver.later(1.2, sample._cancel_btn.click))
    sample.run()
    cancelled: list[float] = []

    def cancel() -> None:
        cancelled.append(time.perf_counter())
        sample._cancel_btn.click()

    driver.once_drawing(sample, lambda: driver.later(1.0, cancel))
    driver.watched("cancelled sampling", sample.run)
    driver.seen["cancelled sampling"]["after_cancel"] = time.perf_counter() - cancelled[0]
    driver.seen["kept"] = driver.draws()
    driver.seen["project"] = saved_and_loaded(driver)
    answers = QMessageBox.StandardButton
    QMessageBox.question = staticmethod(
        lambda *args: answers.Discard if "nsaved" in args[1] else answers.Yes
    )

    def close() -> None:
        driver.seen["close asked"] = time.time()
        driver.window._on_close()

    driver.once_drawing(sample, close)
    sample.run()


def saved_and_loaded(driver: Driver) -> dict[str, Any]:
    """Save the project with a stopped sampling, and load it; compare what is in it.

    Export the bundle, too.
    """
    from rheojax.gui.foundation.project_codec import load_project_v2, save_project_v2

    path = driver.out.with_suffix(".rheojax")
    save_project_v2(driver.window._state, path)
    loaded = load_project_v2(path).fit
    before, after = driver.state.nuts_result, loaded.nuts_result
    return {
        "draws": all(
            np.array_equal(values, np.asarray(after["posterior_samples"][name]).ravel())
            for name, values in before["posterior_samples"].items()
        ),
        "fit": loaded.nlsq_result["params"] == driver.state.nlsq_result["params"],
        "bundle": sorted(
            driver.window.fit_bodies()[5].export_bundle(driver.out.with_suffix(".bundle"))
        ),
    }


def kinds(driver: Driver) -> None:
    """Fit moduli of two columns, with a fixed parameter, several starts, and a model's settings."""
    oscillation, relaxation = driver.files
    driver.load(oscillation, "oscillation")
    driver.choose("oscillation", "fractional_maxwell_liquid")
    fit, sample = driver.steps()
    driver.watched("moduli", fit.run)
    driver.seen["moduli fit"] = driver.fit_facts()
    driver.sampler(300, 300, 2)
    driver.watched("moduli sampling", sample.run)
    driver.seen["moduli draws"] = driver.draws()
    driver.picture("moduli")

    driver.load(relaxation, "relaxation")
    driver.choose("relaxation", "zener")
    table = fit.parameter_table().get_parameters()
    name = next(iter(table))
    table[name].fixed = True
    fit.parameter_table().set_parameters(table)
    driver.watched("fixed", fit.run)
    driver.seen["fixed fit"] = driver.fit_facts() | {"fixed": {name: table[name].value}}
    driver.watched("fixed sampling", sample.run)
    driver.seen["fixed draws"] = driver.draws()

    driver.choose("relaxation", "generalized_maxwell", {"n_modes": 2})
    fit.set_multistart(True, 3)
    driver.watched("three starts", fit.run)
    driver.seen["modes fit"] = driver.fit_facts()


def pipeline(driver: Driver) -> None:
    """Run a pipeline of a fit and a sampling on three datasets; then close amid another."""
    from qtpy.QtWidgets import QMessageBox

    for file in driver.files:
        driver.load(file, "relaxation")
    state = driver.window._state
    driver.window.set_mode("pipeline")
    body = driver.window._pipeline_bodies[0]
    settings = {"num_warmup": 200, "num_samples": 200, "num_chains": 2}
    body.add_step("fit", {"model_name": "zener", "run_nuts": True, "nuts_config": settings})
    body.set_selected_dataset_ids([ref.id for ref in state.library.all()])

    def run() -> None:
        body.run_requested.emit()
        driver.wait(lambda: not state.active_jobs.by_id, 120)

    driver.watched("pipeline", run)
    results = [
        phase
        for record in state.job_history.by_id.values()
        for step in record["step_results"].values()
        for phase in (step["nlsq"], step["nuts"])
    ]
    driver.seen["statuses"] = [phase["status"] for phase in results]
    body.add_step(
        "fit", {"model_name": "maxwell", "run_nuts": True, "nuts_config": {"num_samples": 100_000}}
    )
    answers = QMessageBox.StandardButton
    QMessageBox.question = staticmethod(
        lambda *args: answers.Discard if "nsaved" in args[1] else answers.Yes
    )
    body.run_requested.emit()
    pause(driver, 2.0)
    driver.seen["close asked"] = time.time()
    driver.window._on_close()
    driver.wait(lambda: not driver.window.isVisible(), 30)


def endless(driver: Driver) -> None:
    """Sample until the process is killed."""
    driver.choose("relaxation", "maxwell")
    fit, sample = driver.steps()
    fit.run()
    driver.sampler(500, 100_000, 16)
    driver.later(1.5, lambda: driver.out.with_suffix(".busy").touch())
    sample.run()


def pictures(driver: Driver) -> None:
    """Take pictures for the documents: a sampling that runs, and one that was stopped."""
    driver.window.resize(1200, 800)
    driver.choose("relaxation", "maxwell")
    fit, sample = driver.steps()
    fit.run()
    driver.window._jump_to_step(3)
    pause(driver, 10.0)
    driver.sampler(500, 100_000, 4)
    driver.later(4.0, lambda: driver.picture("running"))
    driver.later(4.3, sample._cancel_btn.click)
    sample.run()
    pause(driver, 0.3)
    driver.picture("stopped")


def pause(driver: Driver, seconds: float) -> None:
    """Let the window work for so long."""
    end = time.perf_counter() + seconds
    driver.wait(lambda: time.perf_counter() > end, seconds + 10)


SCENARIOS = {
    "each": one_of_each,
    "cancelling": cancelling,
    "kinds": kinds,
    "pipeline": pipeline,
    "endless": endless,
    "pictures": pictures,
}


def main() -> int:
    """Run a scenario; return the window's exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("out", type=Path)
    parser.add_argument("files", nargs="+", help="of relaxations; the first is imported")
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--one-core", action="store_true")
    parser.add_argument("--options", default="{}")
    given = parser.parse_args()
    if given.one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.perf_counter()
    if given.ours:
        from rheojobs.integrations.rheojax import install

        install(**json.loads(given.options))

    import pyqtgraph
    import rheojax.gui.main as rheojax_main
    import rheojax.gui.widgets.pyqtgraph_canvas  # noqa: F401 (it asks for OpenGL)
    from qtpy.QtCore import QCoreApplication, QTimer

    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":  # where each curve would be an exception
        pyqtgraph.setConfigOptions(useOpenGL=False, enableExperimental=False)

    create = rheojax_main._create_workspace_window
    drivers: list[Driver] = []

    def script() -> None:
        driver = drivers[0]
        driver.seen["window there"] = time.perf_counter() - began
        driver.seen["uncaught"] = uncaught = []
        sys.excepthook = lambda kind, error, trace: uncaught.append(
            "".join(traceback.format_exception(kind, error, trace))
        )
        try:
            SCENARIOS[given.scenario](driver)
        except BaseException:
            driver.seen["error"] = traceback.format_exc()
        if driver.window.isVisible():
            driver.window._close_confirmed = True
            driver.window.close()
            QCoreApplication.quit()

    def make() -> Any:
        window = create()
        drivers.append(Driver(window, given.out, given.files))
        QTimer.singleShot(0, script)
        return window

    rheojax_main._create_workspace_window = make
    # The scenario imports the others.
    first = [] if given.scenario in ("kinds", "pipeline") else given.files[:1]
    arguments = ["--import", first[0], "--protocol", "relaxation"] if first else []
    status = rheojax_main.main(arguments)
    drivers[0].seen["ended"] = time.time()
    given.out.write_text(json.dumps(drivers[0].seen, indent=1, default=str))
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
