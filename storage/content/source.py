"""Read-only access to the octets of a message, in memory or in a file."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

WINDOW = 1 << 20
"""The most octets that a search in a file holds at one time."""

_FIRST_WINDOW = 1 << 16


class Source(Protocol):
    """Octets that can be read and searched without holding all of them.

    Offsets and lengths are octets from the start; ranges are half open and are cut at `size`.
    """

    @property
    def size(self) -> int:
        """Count of octets."""

    def read(self, offset: int, length: int) -> bytes:
        """Return the octets of `[offset, offset + length)`."""

    def find(self, needle: bytes, start: int, end: int) -> int:
        """Return the first offset where `needle` lies whole in `[start, end)`, or -1."""

    def count(self, needle: bytes, start: int, end: int) -> int:
        """Return how often the single octet `needle` occurs in `[start, end)`."""


class BytesSource:
    """A source over octets in memory."""

    __slots__ = ("data", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def find(self, needle: bytes, start: int, end: int) -> int:
        return self.data.find(needle, start, end)

    def count(self, needle: bytes, start: int, end: int) -> int:
        return self.data.count(needle, start, end)


class FileSource:
    """A source over a regular file, read in windows of at most `WINDOW` octets.

    `file` is a path, opened here and closed by `close()` or the end of the `with` block, or a
    file descriptor, which stays the caller's. The descriptor's position is neither used nor
    moved, so one descriptor may serve several threads. Raises OSError where the system does.
    """

    __slots__ = ("_fd", "_owned", "size")

    def __init__(self, file: str | Path | int) -> None:
        self._owned = not isinstance(file, int)
        self._fd = file if isinstance(file, int) else os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.size = os.fstat(self._fd).st_size
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, if it was opened here."""
        if self._owned:
            self._owned = False
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        data = os.pread(self._fd, length, offset)
        if len(data) == length or not data:
            return data
        # One call reads at most 2 GiB, and less where a signal or a network file system is in
        # the way.
        pieces = [data]
        done = len(data)
        while done < length and (data := os.pread(self._fd, length - done, offset + done)):
            pieces.append(data)
            done += len(data)
        return b"".join(pieces)

    def find(self, needle: bytes, start: int, end: int) -> int:
        end = min(end, self.size)
        # A match across two windows is whole in the overlap.
        overlap = len(needle) - 1
        window = max(_FIRST_WINDOW, 2 * len(needle))
        while start + overlap < end:
            data = self.read(start, min(window, end - start))
            hit = data.find(needle)
            if hit >= 0:
                return start + hit
            if len(data) <= overlap:
                break
            start += len(data) - overlap
            window = max(window, min(window * 2, WINDOW))
        return -1

    def count(self, needle: bytes, start: int, end: int) -> int:
        end = min(end, self.size)
        total = 0
        while start < end:
            data = self.read(start, min(WINDOW, end - start))
            if not data:
                break
            total += data.count(needle)
            start += len(data)
        return total
