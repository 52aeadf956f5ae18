from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QCoreApplication, QEvent, QTimer
from tests.qt import helpers

from rheojobs import Dataset, JobEngine, WorkerPool
from rheojobs.engine.states import JobState
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.qt.app.dataset_library import DatasetLibrary
from rheojobs.qt.app.job_follower import JobFollower
from rheojobs.qt.app.session import WindowSession

S = JobState
LONG = 30_000


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    with JobEngine("threads", max_workers=2) as engine:
        yield engine


def test_each_state_of_the_job_followed_is_told_and_no_other(
    engine: JobEngine, qtbot: QtBot
) -> None:
    follower = JobFollower(engine)
    seen: list[JobState] = []
    follower.state_changed.connect(seen.append)
    other = engine.run(helpers.count_to, 10_000)
    job = engine.run(helpers.count_to, 10_000)
    follower.follow(job)
    qtbot.waitUntil(lambda: S.RUNNING in seen, timeout=LONG)
    job.pause()
    qtbot.waitUntil(lambda: seen[-1] is S.PAUSED, timeout=LONG)
    other.pause()
    job.resume()
    qtbot.waitUntil(lambda: seen[-1] is S.RUNNING, timeout=LONG)
    job.cancel()
    qtbot.waitUntil(lambda: seen[-1] is S.CANCELLED, timeout=LONG)
    assert seen.count(S.PAUSED) == 1
    count = len(seen)
    follower.leave()
    other.cancel()
    assert engine.wait(10)
    QCoreApplication.processEvents()
    assert len(seen) == count


def test_one_that_is_deleted_is_left_in_peace(engine: JobEngine, qtbot: QtBot) -> None:
    follower = JobFollower(engine)
    job = engine.run(helpers.count_to, 10_000)
    follower.follow(job)
    follower.deleteLater()
    QCoreApplication.sendPostedEvents(follower, QEvent.Type.DeferredDelete)
    job.cancel()
    assert engine.wait(10)


def test_a_pause_from_elsewhere_is_told_and_nothing_is_polled(qtbot: QtBot, data: Dataset) -> None:
    """The table of jobs or another program may pause it."""
    pool = WorkerPool(1)
    library = DatasetLibrary()
    library.add(data)
    session = WindowSession(pool, library)
    told: list[bool] = []
    session.paused_changed.connect(told.append)
    info = ModelInfo("maxwell", ("relaxation",), (), "", "stress")
    session.sample(info, {"num_warmup": 100, "num_samples": 1_000_000, "num_chains": 1})
    (job,) = pool.engine.jobs()
    qtbot.waitUntil(lambda: job.state is S.RUNNING, timeout=LONG)
    assert job.pause()
    qtbot.waitUntil(lambda: told == [True], timeout=60_000)
    assert session.is_paused
    assert not any(timer.isActive() for timer in session.findChildren(QTimer))
    job.resume()
    qtbot.waitUntil(lambda: told == [True, False], timeout=LONG)
    job.pause()
    qtbot.waitUntil(lambda: told == [True, False, True], timeout=LONG)
    assert session.cancel()
    qtbot.waitUntil(lambda: not session.is_running, timeout=LONG)
    assert told == [True, False, True, False]
    assert pool.shutdown()
