"""A message while it comes in: its header is stamped, its body goes to a file when it is large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from folkmoot.protocols.smtp.headers import header_length, starts_header
from folkmoot.storage.types import BodySpool

_WRITE_AT = 256 * 1024


class SpoolError(Exception):
    """The message cannot be kept; what else comes is to be read and dropped."""


class HeaderTooLarge(SpoolError):
    """No end of the header came within the limit."""


class MessageTooLarge(SpoolError):
    """The message is larger than allowed."""


class MailLoop(SpoolError):
    """The header shows that the message has gone through too many hosts."""


class DiskFull(SpoolError):
    """The file system does not take the message."""


class Spool:
    """Collects one message. Implements ``storage.types_mail.Octets`` once ``finish`` is called.

    ``stamp`` gets the header block as it came (through its empty line) and returns the one to
    keep; it may raise SpoolError. Octets behind the header are never changed. ``open_file`` and
    what it returns are used in worker threads.
    """

    def __init__(
        self,
        stamp: Callable[[bytes], bytes],
        open_file: Callable[[], BodySpool],
        *,
        size_limit: int,
        header_limit: int,
    ) -> None:
        self._stamp = stamp
        self._open_file = open_file
        self._size_limit = size_limit
        self._header_limit = header_limit
        self._pending = bytearray()
        self._in_header = True
        self._came = 0
        self._searched = 0
        self._begins_well = False
        self.header = b""
        self.size = 0
        self.data: bytes | None = None
        self.file: BodySpool | None = None

    async def add(self, content: bytes) -> None:
        """Take more of the message. Raises SpoolError."""
        self._came += len(content)
        if self._came > self._size_limit:
            raise MessageTooLarge
        self._pending += content
        if self._in_header:
            self._find_header()
        if len(self._pending) > _WRITE_AT and not self._in_header:
            await self._write()

    async def finish(self) -> None:
        """Say that the message is complete. Raises SpoolError."""
        if self._in_header:
            # rfc5322#3.5: a message may be a header only
            self._set_header(len(self._pending), b"")
        if self.file is not None:
            await self._write()
            self.size = self.file.size
        else:
            self.data = bytes(self._pending)
            self.size = len(self.data)
            self._pending.clear()

    async def close(self) -> None:
        """Remove the file, unless the store has kept it. May be called at any time, also twice."""
        self.data = None
        file, self.file = self.file, None
        if file is not None:
            await asyncio.to_thread(file.discard)

    def _find_header(self) -> None:
        start = max(0, self._searched - 3)
        length = header_length(self._pending, start)
        self._searched = len(self._pending)
        if not self._begins_well and self._pending.find(b"\n", start) >= 0:
            self._begins_well = starts_header(self._pending)
            if not self._begins_well:
                # Text without any header: it must not become part of the fields put before it.
                self._set_header(0, b"\r\n")
                return
        if length > self._header_limit or (length < 0 and self._searched > self._header_limit):
            raise HeaderTooLarge
        if length >= 0:
            self._set_header(length, b"")

    def _set_header(self, length: int, separator: bytes) -> None:
        self._in_header = False
        self.header = self._stamp(bytes(self._pending[:length])) + separator
        self._pending[:length] = self.header

    async def _write(self) -> None:
        octets = bytes(self._pending)
        self._pending.clear()
        try:
            await asyncio.to_thread(self._write_now, octets)
        except OSError as error:
            raise DiskFull from error

    def _write_now(self, octets: bytes) -> None:
        if self.file is None:
            self.file = self._open_file()
        self.file.write(octets)
