"""DEFLATE between a connection and its transport (RFC 4978), in bounded memory and time.

Compressed input is inflated in pieces, and only while the connection takes them: a few octets
that stand for gigabytes cost no more memory than one piece. Output is compressed in pieces, one
in a turn of the reactor, so that one large answer does not hold up other connections.

A connection that compresses costs 38 KiB for what it sends (`WINDOW`, `MEMORY`) and 4 to 40 KiB
for what it receives, as the client uses its window.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import Any, Final, Protocol

from twisted.internet import interfaces
from zope.interface import implementer  # type: ignore[import-untyped]

LEVEL: Final = 4  # more costs time and gains little with this window
WINDOW: Final = 12  # 4 KiB of history: zlib takes 4 times as much
MEMORY: Final = 5  # 16 KiB of tables
PIECE: Final = 64 * 1024  # octets compressed or inflated at a time
PIECES_AT_ONCE: Final = 4  # inflated before other connections get their turn


class Inner(Protocol):
    """The connection, as the octets between it and the transport see it."""

    def inflated(self, data: bytes) -> None:
        """Take octets that arrived."""

    def garbled(self) -> None:
        """What arrives cannot be inflated; nothing follows."""

    def pauseProducing(self) -> None:  # noqa: N802
        """Write no more for now."""

    def resumeProducing(self) -> None:  # noqa: N802
        """Go on writing."""


class Deflated:
    """Stands for the transport of a connection that compresses. Make it when nothing is queued."""

    def __init__(self, transport: Any, inner: Inner, reactor: Any) -> None:
        self._transport = transport
        self._inner = inner
        self._reactor = reactor
        self._compress = zlib.compressobj(LEVEL, zlib.DEFLATED, -WINDOW, MEMORY)
        self._decompress = zlib.decompressobj(-zlib.MAX_WBITS)
        self._output: deque[bytes] = deque()
        self._output_paused = False  # the transport takes no more
        self._inner_paused = False
        self._writing: Any = None  # the turn that goes on compressing
        self._input = b""  # not inflated yet
        self._input_paused = False  # the connection takes no more
        self._transport_paused = False
        self._inflating: Any = None
        self._inside = False
        self._closing = False
        self._spoiled = False  # what arrives cannot be read any more
        self._ended = False
        transport.unregisterProducer()
        transport.registerProducer(_Producer(self), True)

    # --- what the connection needs of a transport ---------------------------------------------

    def write(self, data: bytes) -> None:
        """Compress and send; the client can read all of it when the queue is empty."""
        for start in range(0, len(data), PIECE):
            self._output.append(data[start : start + PIECE])
        if self._writing is None:
            self._write_piece()

    def pauseProducing(self) -> None:  # noqa: N802
        """Deliver no more input for now."""
        self._input_paused = True
        self._pause_transport(paused=True)

    def resumeProducing(self) -> None:  # noqa: N802
        """Go on delivering input."""
        self._input_paused = False
        self._inflate_later()

    def unregisterProducer(self) -> None:  # noqa: N802
        """The connection writes nothing more by itself."""

    def loseConnection(self) -> None:  # noqa: N802
        """End when everything is written."""
        self._closing = True
        if not self._output:
            self._lose()

    def abortConnection(self) -> None:  # noqa: N802
        """End now."""
        self.lost()
        self._transport.abortConnection()

    def lost(self) -> None:
        """The connection is gone."""
        self._ended = True
        self._output.clear()
        self._input = b""
        for turn in (self._writing, self._inflating):
            if turn is not None and turn.active():
                turn.cancel()

    def detach(self) -> Any:
        """Compress no more; returns the transport. Only when everything is written."""
        self.lost()
        self._transport.unregisterProducer()
        self._pause_transport(paused=False)
        return self._transport

    # --- out ----------------------------------------------------------------------------------

    def _write_piece(self) -> None:
        self._writing = None
        if not self._output:
            return
        if self._output_paused and len(self._output) > 1:
            self._pause_inner()
            return
        data = self._compress.compress(self._output.popleft())
        if self._output:
            self._transport.write(data)
            self._pause_inner()
            self._writing = self._reactor.callLater(0, self._write_piece)
            return
        self._transport.write(data + self._compress.flush(zlib.Z_SYNC_FLUSH))
        if self._closing:
            self._lose()
        elif self._inner_paused and not self._output_paused:
            self._inner_paused = False
            self._inner.resumeProducing()

    def _pause_inner(self) -> None:
        if not self._inner_paused:
            self._inner_paused = True
            self._inner.pauseProducing()

    def _lose(self) -> None:
        self._transport.unregisterProducer()
        self._transport.loseConnection()

    def output_paused(self) -> None:
        """The transport has taken enough."""
        self._output_paused = True
        self._pause_inner()

    def output_resumed(self) -> None:
        """The transport takes more."""
        self._output_paused = False
        if self._writing is not None:
            return
        if self._output:
            self._write_piece()
        elif self._inner_paused and not self._closing:
            self._inner_paused = False
            self._inner.resumeProducing()

    # --- in -----------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Take compressed octets from the transport."""
        if self._spoiled:
            return
        self._input += data
        if self._inflating is None and not self._inside:
            self._inflate()

    def _inflate_later(self) -> None:
        if self._inflating is None and not self._ended:
            self._inflating = self._reactor.callLater(0, self._inflate)

    def _inflate(self) -> None:
        self._inflating = None
        self._inside = True
        try:
            more = self._inflate_pieces()
        finally:
            self._inside = False
        if self._ended or self._input_paused:
            return
        self._pause_transport(paused=more)
        if more:
            self._inflate_later()

    def _pause_transport(self, *, paused: bool) -> None:
        if paused == self._transport_paused:
            return
        self._transport_paused = paused
        if paused:
            self._transport.pauseProducing()
        else:
            self._transport.resumeProducing()

    def _inflate_pieces(self) -> bool:
        """Deliver some pieces; whether there may be more."""
        for _ in range(PIECES_AT_ONCE):
            try:
                piece = self._decompress.decompress(self._input, PIECE)
            except zlib.error:
                self._give_up()
                return False
            self._input = self._decompress.unconsumed_tail
            if piece:
                self._inner.inflated(piece)
            if self._decompress.eof:
                # The stream has no end but that of the connection.
                self._give_up()
                return False
            # A full piece: zlib may hold more of it although it has taken all input.
            more = len(piece) == PIECE or bool(self._input)
            if not more or self._ended or self._input_paused:
                return more
        return True

    def _give_up(self) -> None:
        self._spoiled = True
        self._input = b""
        self._input_paused = True
        if not self._ended:
            self._inner.garbled()


@implementer(interfaces.IPushProducer)
class _Producer:
    """What the transport tells of the way out."""

    def __init__(self, deflated: Deflated) -> None:
        self._deflated = deflated

    def pauseProducing(self) -> None:  # noqa: N802
        self._deflated.output_paused()

    def resumeProducing(self) -> None:  # noqa: N802
        self._deflated.output_resumed()

    def stopProducing(self) -> None:  # noqa: N802
        pass
