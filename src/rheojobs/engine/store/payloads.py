"""The parts of a job that are not in its row: task, result, error, checkpoint.

Small ones are in the database, large ones in files beside it; a very small task or result is in
the job's row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rheojobs.engine.errors import EntryError, NotDurableError, StoreError
from rheojobs.engine.serialization import Record, from_json, to_json, utf8
from rheojobs.engine.store.database import Database, translate_errors
from rheojobs.engine.store.payload_files import PayloadFiles, strays

__all__ = ["Payloads", "Piece", "Prepared", "content_of", "row_text"]

INLINE_BYTES = 256 * 1024
"""Bytes above which a piece is in a file."""

ROW_BYTES = 500
"""The largest task or result in the row of its job, which listing jobs must skip."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The JSON of a part, with the name '', or one of its blobs; in a file if it is large."""

    name: str
    content: bytes | None
    file: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part of a job that is ready for the database: encoded, with its large files on disk.

    Attributes
    ----------
    job_id, part : str
        The job, and the name of the part.
    kind : str
        As in `Record`.
    pieces : tuple of Piece
        The pieces of its content.
    """

    job_id: str
    part: str
    kind: str
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """The size in bytes."""
        return sum(piece.size for piece in self.pieces)

    @property
    def files(self) -> list[str]:
        """The names of its files."""
        return [piece.file for piece in self.pieces if piece.file is not None]


def row_text(content: Any) -> str | None:
    """Return the JSON of a task or a result that is small enough for its job's row; else None."""
    try:
        text = to_json(content)
    except NotDurableError:
        return None
    return text if len(text) <= ROW_BYTES else None


def content_of(text: str | bytes, part: str, job_id: str) -> Any:
    """Return the content of a JSON text; raise `StoreError` if it is damaged."""
    try:
        return from_json(text)
    except ValueError as error:
        raise StoreError(f"the {part} of job {job_id[:8]} is damaged: {error}") from error


class Payloads:
    """The parts of all jobs.

    Parameters
    ----------
    database : Database
        The database. All methods but `prepare`, `discard`, `get` and `sweep` need a transaction.
    files : PayloadFiles
        The files of the large pieces.
    """

    def __init__(self, database: Database, files: PayloadFiles) -> None:
        self._db = database
        self._files = files
        self._dropped: list[tuple[str, str]] = []  # files whose rows are deleted, not committed yet
        self._new: list[Prepared] = []  # parts whose rows are written, not committed yet
        database.on_end.append(self._end)

    def prepare(self, job_id: str, part: str, record: Record, writer: str) -> Prepared:
        """Encode a part, and write its large files; not in a transaction, as it may take long.

        Parameters
        ----------
        writer : str
            The id of the engine that owns the job.

        Raises
        ------
        EntryError
            If it cannot be encoded.
        StoreError
            If a file cannot be written; then none remains.
        """
        pieces: list[Piece] = []
        try:
            contents = {"": to_json(record.content).encode(), **record.blobs}
            for name, content in contents.items():
                is_large = len(content) > INLINE_BYTES
                file = self._write(job_id, part, writer, content) if is_large else None
                pieces.append(Piece(utf8(name), None if is_large else content, file, len(content)))
        except NotDurableError as error:
            raise EntryError(f"the {part} of job {job_id[:8]} cannot be stored: {error}") from error
        except BaseException:
            self._files.remove(job_id, [piece.file for piece in pieces if piece.file is not None])
            raise
        return Prepared(job_id, part, record.kind, tuple(pieces))

    def _write(self, job_id: str, part: str, writer: str, content: bytes) -> str:
        with translate_errors(self._db.path):
            if not self._files.is_there():
                with self._db:
                    self._files.claim(self._db.store_id)
            return self._files.write(job_id, part, writer, content)

    def discard(self, prepared: Prepared) -> None:
        """Remove the files of a part that will not be put."""
        if prepared.files:
            self._files.remove(prepared.job_id, prepared.files)

    def discard_if_undone(self, prepared: Prepared) -> None:
        """Remove the files of a part if the present transaction is rolled back."""
        self._new.append(prepared)

    def put(self, number: int, prepared: Prepared) -> None:
        """Store a part of a job, in place of an earlier one."""
        self.drop(number, prepared.job_id, prepared.part)
        self.add(number, prepared)
        self._count(number, prepared.size)

    def add(self, number: int, prepared: Prepared) -> None:
        """Store a part that a job does not have yet; the caller adds its size to the job's."""
        for file in prepared.files:
            if not self._files.has(prepared.job_id, file):
                raise EntryError(f"the {prepared.part} of job {prepared.job_id[:8]} was removed")
        for piece in prepared.pieces:
            self._db.execute(
                "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(number, prepared.part, piece.name, prepared.kind),
                    *(piece.content, piece.file, piece.size),
                ),
            )

    def drop(self, number: int, job_id: str, part: str) -> None:
        """Remove a part of a job, if it has it; its files are removed after the commit."""
        rows = self._db.rows(
            "DELETE FROM parts WHERE job = ? AND part = ? RETURNING file, size", (number, part)
        )
        if rows:
            self._count(number, -sum(size for _, size in rows))
        self._dropped += [(job_id, file) for file, _ in rows if file is not None]

    def get(self, number: int, job_id: str, part: str) -> Record | None:
        """Return a part; None if there is none.

        Raises
        ------
        StoreError
            If it is damaged, or its file is missing.
        """
        rows = self._pieces(number, part)
        try:
            contents = self._contents(job_id, rows)
        except StoreError:  # the owner may have replaced it meanwhile
            if rows == (rows := self._pieces(number, part)):
                raise
            contents = self._contents(job_id, rows)
        if "" not in contents:
            return None
        content = content_of(contents.pop(""), part, job_id)
        return Record(rows[0][0], content, contents)

    def _pieces(self, number: int, part: str) -> list[Any]:
        statement = "SELECT kind, name, content, file, size FROM parts WHERE job = ? AND part = ?"
        return self._db.rows(statement, (number, part))

    def _contents(self, job_id: str, rows: list[Any]) -> dict[str, bytes]:
        return {
            name: content if file is None else self._files.read(job_id, file, size)
            for _, name, content, file, size in rows
        }

    def check(self) -> None:
        """Raise `StoreError` if the folder of the files is not that of this store."""
        with translate_errors(self._db.path):
            self._files.check(self._db.store_id)

    def remove_files(self, job_ids: Iterable[str]) -> None:
        """Remove the files of jobs that were removed from the store."""
        for job_id in job_ids:
            self._files.remove_job(job_id)

    def sweep(self) -> None:
        """Remove the files of engines that were killed before the rows of these were written."""
        with translate_errors(self._db.path):
            if not self._files.check(self._db.store_id):
                return
        if there := self._files.names():
            # In this order: an engine that leaves meanwhile has written its rows before.
            writers = [row[0] for row in self._db.rows("SELECT id FROM engines")]
            known = set(
                self._db.rows(
                    "SELECT id, file FROM parts JOIN jobs ON number = job WHERE file IS NOT NULL"
                )
            )
            for job_id, names in strays(there, known, writers).items():
                self._files.remove(job_id, names)
        self._files.remove_empty()

    def _end(self, is_committed: bool) -> None:
        """Remove the files of dropped parts after a commit.

        Not before: if the transaction is rolled back, or its process killed, rows still refer to
        them.
        """
        dropped, self._dropped = self._dropped, []
        new, self._new = self._new, []
        if is_committed:
            for job_id, file in dropped:
                self._files.remove(job_id, [file])
        else:
            for prepared in new:
                self.discard(prepared)

    def _count(self, number: int, more: int) -> None:
        self._db.execute("UPDATE jobs SET bytes = bytes + ? WHERE number = ?", (more, number))
