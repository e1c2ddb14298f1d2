"""Short answers go to TCP at once.

Twisted's ``write`` gathers octets until the reactor has asked the kernel whether the connection may
be written to: two changes of what it watches and a turn of its loop, for an answer for which there
is nearly always room.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.tcp import Connection

SHORT = 64 * 1024  # octets: a longer answer would keep other connections waiting


def write(transport: Any, data: bytes) -> None:
    """``transport.write(data)``, now where nothing waits before it.

    What cannot be sent, and any error, is left to the reactor. So is everything under TLS, whose
    transports encrypt what is written and must not be passed by.
    """
    if len(data) <= SHORT and _idle(transport):
        sent = transport.writeSomeData(data)
        if isinstance(sent, int):
            data = data[sent:]
    if data:
        transport.write(data)


def _idle(transport: Any) -> bool:
    """Whether it is TCP without TLS, open, and has sent all that it was given."""
    return bool(
        isinstance(transport, Connection)
        and transport.connected
        and not transport.TLS
        and not transport.disconnecting
        and not transport._writeDisconnecting
        and not transport._writeDisconnected
        and not transport.dataBuffer
        and not transport._tempDataBuffer
    )
