"""A pool that prewarms is not busy, and its next job of that kind need not compile."""

from __future__ import annotations

import pytest
from tests.qt.helpers import Recorder, decay_data

from rheojobs import FitWorker, WorkerPool, catalogue
from rheojobs.engine.jobs.job import Job
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.jobs.table_model import JobTableModel

pytestmark = pytest.mark.slow


def test_nobody_sees_a_prewarming_and_the_fit_comes_all_the_same(qapp, qtbot, monkeypatch):
    pool = WorkerPool(1)
    table = JobTableModel(pool)
    recorder = Recorder(pool, qtbot)
    warm: list[Job] = []
    prewarm = pool.engine.prewarm
    monkeypatch.setattr(pool.engine, "prewarm", lambda task: warm.append(prewarm(task)) or warm[-1])
    try:
        data = decay_data()
        pool.prewarm("maxwell", "relaxation", x=data.x, is_sampling=False)
        assert not pool.is_busy()
        assert pool.get_active_count() == 0
        qtbot.waitUntil(warm[0].done, timeout=60_000)
        assert warm[0].exception() is None
        table.flush()
        assert table.rowCount() == 0
        worker = FitWorker("maxwell", data)
        with qtbot.waitSignal(worker.signals.completed, timeout=60_000) as fitted:
            pool.submit(worker)
        assert fitted.args[0].success
        # The first iteration of a fit that compiles comes after a second or two.
        assert fitted.args[0].fit_time < 0.5
    finally:
        recorder.disconnect()
        table.close()
        assert pool.shutdown(timeout_ms=10_000)


def test_on_threads_nothing_is_imported_into_the_application(qapp, monkeypatch):
    pool = WorkerPool(1, executor="threads")
    monkeypatch.setattr(pool.engine, "prewarm", lambda task: 1 / 0)
    pool.prewarm("maxwell", "relaxation")
    assert pool.shutdown()


def test_the_window_prewarms_the_choice_that_stands(qapp, qtbot, monkeypatch):
    catalogue()  # on disk from here on: the window need not make it
    pool = WorkerPool(1, executor="threads")
    asked: list[tuple[str, str, int]] = []
    monkeypatch.setattr(
        pool, "prewarm", lambda model, mode, x, **_: asked.append((model, mode, len(x)))
    )
    window = MainWindow(pool)
    try:
        data = decay_data()
        window.library.add(data)
        for name in ("zener", "springpot", "maxwell"):  # scrolling by
            assert window.model_picker.choose(name)
        qtbot.waitUntil(lambda: bool(asked), timeout=10_000)
        assert asked == [("maxwell", "relaxation", len(data))]
    finally:
        window.close()
        window.deleteLater()
        assert pool.shutdown()
