"""Messages between the application and a worker process: length-prefixed pickles over a pipe.

Pickle is safe here: both ends are our own processes, and nothing of it touches the disk.
"""

from __future__ import annotations

import pickle
import struct
import threading
from typing import Any, BinaryIO

import cloudpickle

__all__ = ["Channel", "ChannelClosedError"]

_HEADER = struct.Struct("<Q")


class ChannelClosedError(EOFError):
    """The process at the other end is gone."""


class Channel:
    """A two-way stream of Python objects; `send` may be called from any thread.

    Parameters
    ----------
    reader, writer : binary files
        The ends of two pipes.
    """

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, message: Any) -> None:
        """Send an object; raises `ChannelClosedError` where nobody is there to receive it."""
        data = cloudpickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            with self._lock:
                self._writer.write(_HEADER.pack(len(data)))
                self._writer.write(data)
                self._writer.flush()
        except (OSError, ValueError) as error:
            raise ChannelClosedError from error

    def receive(self) -> Any:
        """Wait for an object; raises `ChannelClosedError` when the other end is gone."""
        (length,) = _HEADER.unpack(self._read(_HEADER.size))
        return pickle.loads(self._read(length))

    def _read(self, length: int) -> bytes:
        try:
            data = self._reader.read(length)
        except (OSError, ValueError) as error:
            raise ChannelClosedError from error
        if len(data) < length:
            raise ChannelClosedError
        return data

    def close(self) -> None:
        """Close the sending end: the other side sees the end of the stream."""
        try:
            with self._lock:
                self._writer.close()
        except OSError:
            return  # the other end went first; there is nothing left to flush
