"""A store that cannot be read, or is in use, ends in one line."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from tests.engine import chores
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import (
    JobEngine,
    JobState,
    JobStore,
)
from rheojobs.engine.store import schema
from rheojobs.engine.store.writing import maintenance

S = JobState


class TestBadStores:
    def test_locked_at_the_start(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        holder = JobStore(path)
        with holder.transaction(), JobEngine("threads", store=path) as engine:
            assert "held by another program" in engine.store_problem
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
        holder.close()
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1
        assert "the jobs are only in memory" in warnings[0].getMessage()

    def test_locked_for_a_while(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
        monkeypatch.setattr(maintenance, "RENEWAL", 0.05)
        with JobStore(path) as holder, JobEngine("threads", store=path) as engine:
            before = engine.run(chores.add, 1.0)
            before.result(TIMEOUT)
            with holder.transaction():
                job = engine.run(chores.add, 2.0)
                assert job.result(TIMEOUT) == 3.0
                assert "held by another program" in engine.store_problem
                assert [one.id for one in holder.jobs()] == [before.id]
            wait_until(lambda: not engine.store_problem)
            wait_until(lambda: holder.counts() == {S.SUCCEEDED: 2})
            assert holder.result(job.id) == 3.0
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 2, "that it does not work, and that it works again"

    def test_damaged_while_in_use(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        with JobEngine("threads", store=path) as engine:
            engine.run(chores.add, 1.0).result(TIMEOUT)
            with sqlite3.connect(path) as vandal:
                vandal.execute("DROP TABLE parts")
            vandal.close()
            assert engine.run(sorted, [2.0, 1.0]).result(TIMEOUT) == [1.0, 2.0]  # a part of its own
            assert engine.run(chores.add, 3.0).result(TIMEOUT) == 4.0
            assert "is damaged" in engine.store_problem
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1

    @pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\x00"])
    def test_no_database(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        with JobEngine("threads", store=path) as engine:
            assert "damaged" in engine.store_problem
            assert engine.run(chores.add, 1.0).result(TIMEOUT) == 2.0
            assert engine.store is None
        assert path.read_bytes() == content
