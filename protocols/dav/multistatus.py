"""Multistatus answers (RFC 4918 section 13), written as text while they are made."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from folkmoot.protocols.dav.names import DECLARATIONS
from folkmoot.protocols.http.exchange import Exchange

XML_TYPE: Final = ("Content-Type", "application/xml; charset=utf-8")
_HEAD: Final = f'<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus{DECLARATIONS}>'
_TAIL: Final = "</D:multistatus>"
_PIECE: Final = 48 * 1024  # characters that are gathered before they are sent


class Multistatus:
    """A 207 answer: ``add`` responses, then ``end``. Nothing is sent before the first piece is
    full, so that what fails at the beginning can still have another status."""

    def __init__(self, exchange: Exchange, fields: tuple[tuple[str, str], ...] = ()) -> None:
        self._exchange = exchange
        self._fields = (XML_TYPE, *fields)
        self._parts: list[str] = [_HEAD]
        self._length = len(_HEAD)

    async def add(self, text: str) -> None:
        """One or more finished ``DAV:response`` elements. Raises ``ClientGone``."""
        self._parts.append(text)
        self._length += len(text)
        if self._length >= _PIECE:
            await self._flush()

    async def end(self, text: str = "") -> None:
        """The answer is complete; ``text`` is what comes behind the responses."""
        self._parts += [text, _TAIL]
        if not self._exchange.started:
            await self._exchange.respond(207, self._fields, self._take())
            return
        await self._flush()
        self._exchange.finish()

    def _take(self) -> bytes:
        octets = "".join(self._parts).encode("utf-8", "replace")
        self._parts, self._length = [], 0
        return octets

    async def _flush(self) -> None:
        if not self._exchange.started:
            await self._exchange.start(207, self._fields)
        await self._exchange.write(self._take())


def status_line(status: int) -> str:
    """``HTTP/1.1 404 Not Found`` in its element."""
    return f"<D:status>HTTP/1.1 {status} {HTTPStatus(status).phrase}</D:status>"


def status_response(href: str, status: int, condition: str = "") -> str:
    """The ``DAV:response`` of a resource as a whole; ``condition`` is finished XML."""
    # rfc4918#13, rfc4918#14.24
    error = f"<D:error>{condition}</D:error>" if condition else ""
    return f"<D:response><D:href>{href}</D:href>{status_line(status)}{error}</D:response>"
