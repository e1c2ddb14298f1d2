"""Bounds of HTTP connections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Sizes in octets, times in seconds.

    ``head_seconds`` is for a whole request head; a body has to come with ``body_rate`` octets in
    each ``body_seconds``, and an answer has to be taken within ``stall_seconds`` from piece to
    piece. ``drain`` is what is taken of a body that nobody wants, to keep the connection.
    ``refused_seconds`` has a client to take the answer that it has too many connections.
    """

    line: int = 16 * 1024
    head: int = 32 * 1024
    fields: int = 100
    head_seconds: float = 20.0
    body_seconds: float = 60.0
    body_rate: int = 32 * 1024
    stall_seconds: float = 120.0
    idle_seconds: float = 120.0
    drain: int = 256 * 1024
    linger_seconds: float = 5.0
    refused_seconds: float = 2.0
    connections_per_address: int = 100
