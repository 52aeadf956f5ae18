"""Messages between the application and a worker process: pickles over a pipe, arrays beside them.

Pickle is safe here: both ends are processes of this application, and nothing of it is written to
disk. Large arrays are written from their memory and read into their memory, without a copy.
"""

from __future__ import annotations

import pickle
import struct
import threading
from io import BufferedReader, BufferedWriter
from typing import Any

import cloudpickle

__all__ = ["Channel", "ChannelClosedError"]

_HEAD = struct.Struct("<QQ")
"""The number of buffers, and the length of the pickle."""

_SIZE = struct.Struct("<Q")


class ChannelClosedError(EOFError):
    """The process at the other end has ended."""


class Channel:
    """A two-way stream of Python objects; `send` may be called from any thread.

    Parameters
    ----------
    reader, writer : buffered binary files
        The ends of two pipes.
    """

    def __init__(self, reader: BufferedReader, writer: BufferedWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, message: Any) -> None:
        """Send an object; raises `ChannelClosedError` if the other end has ended."""
        data, buffers = _dumps(message)
        views = [buffer.raw() for buffer in buffers]
        head = _HEAD.pack(len(views), len(data))
        sizes = b"".join([_SIZE.pack(view.nbytes) for view in views])
        try:
            with self._lock:
                self._writer.write(head + sizes)
                for view in (memoryview(data), *views):
                    self._writer.write(view)
                self._writer.flush()
        except (OSError, ValueError) as error:
            raise ChannelClosedError from error

    def receive(self) -> Any:
        """Wait for an object; raises `ChannelClosedError` if the other end has ended."""
        count, size = _HEAD.unpack(self._read(_HEAD.size))
        if not count:
            return pickle.loads(self._read(size))
        sizes = _SIZE.iter_unpack(self._read(count * _SIZE.size))
        data = self._read(size)
        return pickle.loads(data, buffers=[self._read(size) for (size,) in sizes])

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        try:
            count = self._reader.readinto(data)
        except (OSError, ValueError) as error:
            raise ChannelClosedError from error
        if count < length:
            raise ChannelClosedError
        return data

    def close(self) -> None:
        """Close the sending end: the other side reaches the end of the stream."""
        try:
            with self._lock:
                self._writer.close()
        except OSError:
            return  # the other end has ended first; there is nothing left to flush


def _dumps(message: Any) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Pickle a message, by the standard library's pickle if it can.

    Both ends have the same modules except for `__main__`. The standard library would pickle its
    objects by name, but an application sends tasks that are pickled already.
    """
    buffers: list[pickle.PickleBuffer] = []
    try:
        return pickle.dumps(message, protocol=5, buffer_callback=buffers.append), buffers
    except Exception:  # not by name; if it cannot be pickled at all, cloudpickle raises
        buffers = []
        return cloudpickle.dumps(message, protocol=5, buffer_callback=buffers.append), buffers
