"""What belongs to a job of the store and is not a row: task, result, error, checkpoint.

Small ones lie in the database, large ones in files beside it, a folder for each job. Knows
records and SQLite, not jobs.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

from rheojobs.engine.errors import StoreError
from rheojobs.engine.records import Record

__all__ = ["Parts"]

INLINE_BYTES = 256 * 1024
ORPHAN_SECONDS = 3600.0
"""A folder of no known job is removed when it is so old: a younger one may only just be written."""


class Parts:
    """The parts of all jobs.

    Parameters
    ----------
    db : Connection
        The database; who calls holds its lock and a transaction.
    folder : path
        Where large ones go.
    """

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self.folder = folder

    def put(self, number: int, job_id: str, part: str, record: Record) -> None:
        """Keep a part of a job, in place of what was kept of it before."""
        stale = self._delete(number, part)
        self.add(number, job_id, part, record)
        self._remove(job_id, stale)

    def add(self, number: int, job_id: str, part: str, record: Record) -> None:
        """Keep a part that a job has not got yet."""
        rows = {"": json.dumps(record.content).encode()} | dict(record.blobs)
        for name, content in rows.items():
            file = None if len(content) <= INLINE_BYTES else self._write(job_id, part, content)
            inline = content if file is None else None
            self._db.execute(
                "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, part, name, record.kind, inline, file, len(content)),
            )
        self._count(number, sum(map(len, rows.values())))

    def drop(self, number: int, job_id: str, part: str) -> None:
        """Remove a part of a job, where it has it."""
        self._remove(job_id, self._delete(number, part))

    def get(self, number: int, job_id: str, part: str) -> Record | None:
        """Read a part; None where there is none.

        Raises
        ------
        StoreError
            Where its file is gone or damaged.
        """
        rows = self._db.execute(
            "SELECT name, kind, content, file, size FROM parts WHERE job = ? AND part = ?",
            (number, part),
        ).fetchall()
        contents = {
            name: content if file is None else self._read(job_id, file, size)
            for name, _, content, file, size in rows
        }
        if "" not in contents:
            return None
        try:
            content = json.loads(contents.pop(""))
        except ValueError as error:
            raise StoreError(f"the {part} of job {job_id[:8]} is damaged: {error}") from error
        return Record(rows[0][1], content, contents)

    def kinds(self, number: int) -> dict[str, str]:
        """Say which parts a job has, and of what kind each is."""
        rows = self._db.execute(
            "SELECT part, kind FROM parts WHERE job = ? AND name = ''", (number,)
        )
        return dict(rows.fetchall())

    def remove_files(self, job_ids: Iterable[str]) -> None:
        """Remove the files of jobs that are in the store no more."""
        for job_id in job_ids:
            shutil.rmtree(self.folder / job_id, ignore_errors=True)

    def remove_orphans(self) -> None:
        """Remove the files of jobs that never came into the store: written, then the end came."""
        if not self.folder.is_dir():
            return
        for folder in self.folder.iterdir():
            known = self._db.execute("SELECT 1 FROM jobs WHERE id = ?", (folder.name,)).fetchone()
            if known is None and time.time() - folder.stat().st_mtime > ORPHAN_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _delete(self, number: int, part: str) -> list[str]:
        """Delete the rows of a part; gives the files that they spoke of."""
        rows = self._db.execute(
            "DELETE FROM parts WHERE job = ? AND part = ? RETURNING file, size", (number, part)
        ).fetchall()
        if rows:
            self._count(number, -sum(size for _, size in rows))
        return [Path(file).name for file, _ in rows if file is not None]

    def _count(self, number: int, more: int) -> None:
        self._db.execute("UPDATE jobs SET bytes = bytes + ? WHERE number = ?", (more, number))

    def _remove(self, job_id: str, files: Iterable[str]) -> None:
        for file in files:
            (self.folder / job_id / file).unlink(missing_ok=True)

    def _write(self, job_id: str, part: str, content: bytes) -> str:
        folder = self.folder / job_id
        folder.mkdir(parents=True, exist_ok=True)
        # Never the name of one that a row speaks of: the transaction may yet be undone.
        path = folder / f"{part}-{uuid.uuid4().hex}"
        temporary = path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        return path.name

    def _read(self, job_id: str, file: str, size: int) -> bytes:
        # A name alone: a row must not lead out of the folder.
        path = self.folder / Path(job_id).name / Path(file).name
        content = path.read_bytes() if path.is_file() else b""
        if len(content) != size:
            raise StoreError(f"{path} is damaged or gone: {len(content)} of {size} bytes are there")
        return content
