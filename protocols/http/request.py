"""One request as its connection sees it: receives head and body, sends the answer's octets."""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.web.http_headers import Headers
from twisted.web.iweb import INonQueuedRequestFactory
from zope.interface import provider  # type: ignore[import-untyped]

from folkmoot.protocols.http.body import Body
from folkmoot.protocols.http.exchange import NO_BODY

if TYPE_CHECKING:
    from folkmoot.protocols.http.channel import Channel

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Request:
    """What ``HTTPChannel`` calls a request, and an exchange its ``Wire``.

    The answer may begin before the body has come. The next request is looked at when the answer
    is sent and the body is over, whichever comes last.
    """

    def __init__(self, channel: Channel) -> None:
        self.requestHeaders = Headers()
        self.responseHeaders = Headers()  # the channel notes here that a client wants to close
        self.fields: list[tuple[str, str]] = []
        self.gone = False
        self.answered = False
        self.version = b"HTTP/1.1"
        self.head_only = False
        self._channel = channel
        self._chunked = False
        self.body = Body(
            0, hold=channel.hold_body, release=channel.release_body, begin=self._continue
        )
        self._expects = False
        self._pieces: list[bytes] = []

    def begin(self, method: bytes, version: bytes, length: int | None) -> None:
        """The head is there."""
        self.version = version
        self.head_only = method == b"HEAD"
        self.body.length = length
        # rfc9110#10.1.1: clients of HTTP/1.0 do not know 100.
        self._expects = version == b"HTTP/1.1" and any(
            name == "expect" and value.lower() == "100-continue" for name, value in self.fields
        )

    @property
    def expected(self) -> bool:
        """Whether the client waits for 100 Continue and did not get it. # rfc9110#10.1.1"""
        return self._expects

    def _continue(self) -> None:
        if self._expects and not self.gone:
            self._expects = False
            self._channel.send(_CONTINUE)
            self._channel.flush()

    # --- the channel's side, with Twisted's names ---------------------------------------------

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Octets of the body; there may be thousands of pieces in what was read at once."""
        self._pieces.append(data)

    def feed_body(self) -> None:
        """Hand on what has come."""
        if not self._pieces:
            return
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.body.feed(data)
        if self.answered:
            self._channel.body_unwanted(self)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """The body is over."""
        self.feed_body()
        answered = self.answered
        self.body.end()  # may complete the answer, and so the request
        if answered:
            self._channel.body_drained(self)
        elif not self.answered:
            self._channel.body_over()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        """The client went away."""
        self.gone = True
        self.body.fail()

    # --- the exchange's side ------------------------------------------------------------------

    def head(self, status: int, fields: list[tuple[str, str]], length: int | None) -> None:
        """Send status and fields; without ``length`` the body is framed in chunks."""
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}", f"Date: {_date()}"]
        lines += [f"{name}: {value}" for name, value in fields]
        if any(_CONTROL.search(line) for line in lines):
            raise ValueError("a field of an answer has control characters")
        # rfc9112#6.1
        if length is not None:
            lines.append(f"Content-Length: {length}")
        elif status not in NO_BODY and not self.head_only:
            if self.version == b"HTTP/1.1":
                self._chunked = True
                lines.append("Transfer-Encoding: chunked")
            else:
                self._channel.keep = False  # the end of the connection is the end of the body
        if not self._channel.will_stay(self):
            lines.append("Connection: close")
        self._channel.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def send(self, data: bytes) -> None:
        """Send octets of the body."""
        if self._chunked:
            self._channel.send(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            self._channel.send(data)

    def drained(self) -> Deferred[None]:
        """Fires when the client has taken most of what was sent, or has gone."""
        if self.gone:
            return succeed(None)
        return self._channel.drained()

    def end(self) -> None:
        """The answer is complete."""
        if self._chunked:
            self._channel.send(b"0\r\n\r\n")
        self.answered = True
        self._channel.answer_over(self)

    def break_off(self) -> None:
        """The answer cannot be completed: the client must not take it for whole."""
        if not self.gone:
            self._channel.abort()


provider(INonQueuedRequestFactory)(Request)

_dates: tuple[int, str] = (0, "")


def _date() -> str:
    global _dates
    now = int(time.time())
    if _dates[0] != now:
        _dates = (now, formatdate(now, usegmt=True))
    return _dates[1]
