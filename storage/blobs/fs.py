"""Large bodies as files: written under a temporary name, synced, renamed, only then referenced.

A file's name begins with the digest of its octets, which `check` verifies, and ends with a random
part: no two rows ever share a file by accident, so removing one never races with storing another.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

TEMPORARY = "incoming"
DIGEST_SIZE = 32
PIECE = 1 << 20  # octets read at a time


def digest(data: bytes) -> bytes:
    """The digest that names content: BLAKE2b with 32 octets."""
    return hashlib.blake2b(data, digest_size=DIGEST_SIZE).digest()


class Spool:
    """A body on its way in: written in order, then kept or discarded. Any thread, one at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._hash = hashlib.blake2b(digest_size=DIGEST_SIZE)
        self.size = 0
        self.path = root / TEMPORARY / secrets.token_hex(16)
        self._file: BinaryIO | None = open(self.path, "x+b", buffering=0)  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Append octets. Raises OSError when the disk is full."""
        assert self._file is not None
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._hash.update(data)
        self.size += len(data)

    def read(self, offset: int, length: int) -> bytes:
        """Octets that were written; shorter at their end. Not after ``keep``."""
        assert self._file is not None
        return os.pread(self._file.fileno(), length, offset)

    def keep(self) -> tuple[str, bytes]:
        """Make it durable; returns its name in the store and its digest.

        Raises OSError; it is still there to be discarded then.
        """
        assert self._file is not None
        os.fsync(self._file.fileno())
        hexed = self._hash.hexdigest()
        name = f"{hexed[:2]}/{hexed}.{secrets.token_hex(8)}"
        target = self._root / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(self.path, target)
        self.path = target  # until it is durable under this name, ``discard`` finds it here
        _sync_folder(target.parent)
        _sync_folder(self._root)
        self._file.close()
        self._file = None
        return name, self._hash.digest()

    def discard(self) -> None:
        """Forget it. Idempotent; does nothing after ``keep``. Never fails.

        What a broken disk does not remove, ``FileBlobs.sweep_temporary`` and the sweep of bodies
        find later.
        """
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self.path.unlink()


class FileBlobs:
    """The blob store on a file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / TEMPORARY).mkdir(mode=0o700, parents=True, exist_ok=True)

    def spool(self) -> Spool:
        """Begin to store a body. Raises OSError when the disk is full."""
        return Spool(self.root)

    def path(self, name: str) -> Path:
        """Where a kept body lies."""
        return self.root / name

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Octets of a kept body; shorter at its end. Raises FileNotFoundError."""
        descriptor = os.open(self.root / name, os.O_RDONLY)
        try:
            pieces = []
            while length > 0 and (piece := os.pread(descriptor, length, offset)):
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
            return b"".join(pieces)
        finally:
            os.close(descriptor)

    def digest(self, name: str, size: int) -> bytes:
        """The digest of a kept body's octets. Raises FileNotFoundError."""
        hashed = hashlib.blake2b(digest_size=DIGEST_SIZE)
        for offset in range(0, size, PIECE):
            hashed.update(self.read(name, offset, PIECE))
        return hashed.digest()

    def remove(self, name: str) -> None:
        """Remove a kept body; none is fine."""
        with contextlib.suppress(FileNotFoundError):
            (self.root / name).unlink()

    def names(self) -> Iterator[str]:
        """All kept bodies."""
        for folder in sorted(self.root.iterdir()):
            if folder.name != TEMPORARY and folder.is_dir():
                for file in sorted(folder.iterdir()):
                    yield f"{folder.name}/{file.name}"

    def sweep_temporary(self, older_than: float) -> int:
        """Remove what uploads that died left behind; ``older_than`` in seconds. How many."""
        limit = time.time() - older_than
        count = 0
        for file in (self.root / TEMPORARY).iterdir():
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime < limit:
                    file.unlink()
                    count += 1
        return count


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
