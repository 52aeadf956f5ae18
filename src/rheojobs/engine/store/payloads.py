"""What belongs to a job of the store and is not in its row: task, result, error, checkpoint.

Small ones lie in the database, large ones in files beside it, a folder for each job; a task or
result that is smaller still is in the job's row. Knows records and SQLite, not jobs.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import StoreError
from rheojobs.engine.serialization import Record

__all__ = ["Payloads", "content_of", "contents_of", "row_text", "size_of"]

INLINE_BYTES = 256 * 1024
ROW_BYTES = 500
"""What a task or a result may take in the row of its job: those who list jobs read past it."""


def contents_of(record: Record) -> dict[str, bytes]:
    """Give what is kept of a record, by name: its JSON under the name ''."""
    return {"": json.dumps(record.content).encode(), **record.blobs}


def row_text(content: Any) -> str | None:
    """Give the JSON of a task or a result that is small enough for its job's row; else None."""
    text = json.dumps(content)
    return text if len(text) <= ROW_BYTES else None


def content_of(text: str | bytes, part: str, job_id: str) -> Any:
    """Read the JSON of a part; `StoreError` where it is damaged."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise StoreError(f"the {part} of job {job_id[:8]} is damaged: {error}") from error


def size_of(contents: Mapping[str, bytes]) -> int:
    """Give how many bytes they take."""
    return sum(map(len, contents.values()))


class Payloads:
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
        self._stale: list[Path] = []

    def put(self, number: int, job_id: str, part: str, record: Record) -> None:
        """Keep a part of a job, in place of what was kept of it before."""
        self.drop(number, job_id, part)
        contents = contents_of(record)
        self.add(number, job_id, part, record.kind, contents)
        self._count(number, size_of(contents))

    def add(
        self, number: int, job_id: str, part: str, kind: str, contents: Mapping[str, bytes]
    ) -> None:
        """Keep a part that a job has not got yet; who calls adds its size to the job's."""
        for name, content in contents.items():
            file = None if len(content) <= INLINE_BYTES else self._write(job_id, part, content)
            inline = content if file is None else None
            self._db.execute(
                "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, part, name, kind, inline, file, len(content)),
            )

    def drop(self, number: int, job_id: str, part: str) -> None:
        """Remove a part of a job, where it has it; its files go when that is certain."""
        rows = self._db.execute(
            "DELETE FROM parts WHERE job = ? AND part = ? RETURNING file, size", (number, part)
        ).fetchall()
        if rows:
            self._count(number, -sum(size for _, size in rows))
        # A name alone: a row must not lead out of the folder.
        files = [Path(file).name for file, _ in rows if file is not None]
        self._stale += [self.folder / Path(job_id).name / file for file in files]

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
        content = content_of(contents.pop(""), part, job_id)
        return Record(rows[0][1], content, contents)

    def settle(self, is_committed: bool) -> None:
        """Remove the files of what was dropped, once a transaction has ended well.

        Not before: where it is undone, or its process killed, the rows speak of them still.
        """
        stale, self._stale = self._stale, []
        if is_committed:
            for path in stale:
                with contextlib.suppress(OSError):  # it goes with the next sweep, or its job
                    path.unlink()

    def remove_files(self, job_ids: Iterable[str]) -> None:
        """Remove the files of jobs that are in the store no more."""
        import shutil  # not by everybody who only looks into a store

        for job_id in job_ids:
            shutil.rmtree(self.folder / job_id, ignore_errors=True)

    def sweep(self) -> None:
        """Remove the files of which no row speaks: their writer was killed before these were.

        Files are written within transactions alone, so that nobody is just writing any; and
        this one must not have dropped anything yet.
        """
        known = set(
            self._db.execute(
                "SELECT id, file FROM parts JOIN jobs ON number = job WHERE file IS NOT NULL"
            )
        )
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if folder.is_symlink():
                continue
            with contextlib.suppress(OSError):  # another is removing it, or it is not ours
                for file in folder.iterdir():
                    if (folder.name, file.name) not in known:
                        file.unlink()
                if not any(folder.iterdir()):
                    folder.rmdir()

    def _count(self, number: int, more: int) -> None:
        self._db.execute("UPDATE jobs SET bytes = bytes + ? WHERE number = ?", (more, number))

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
