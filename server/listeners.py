"""Listening sockets: all are bound before any of them accepts, then given to Twisted."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
from dataclasses import dataclass
from typing import Any

from folkmoot.config.schema import ListenerSection
from folkmoot.server.run import StartFailed

BACKLOG = 1024
_WHY = {
    errno.EADDRINUSE: "another program listens there already",
    errno.EACCES: "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE)",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """A listener and its socket. ``port`` is the real one where the config says 0."""

    section: ListenerSection
    socket: socket.socket
    port: int


def bind_all(sections: tuple[ListenerSection, ...]) -> list[Bound]:
    """Bind every listener, or none: raises ``StartFailed`` that names the first one in the way."""
    bound: list[Bound] = []
    try:
        for section in sections:
            made = bind(section.address, section.port)
            bound.append(Bound(section, made, made.getsockname()[1]))
    except BaseException:
        for one in bound:
            one.socket.close()
        raise
    return bound


def inherit(sections: tuple[ListenerSection, ...], descriptors: tuple[int, ...]) -> list[Bound]:
    """The listeners that another process has bound, by their descriptors in the same order."""
    bound: list[Bound] = []
    for section, descriptor in zip(sections, descriptors, strict=True):
        made = socket.socket(fileno=descriptor)
        made.setblocking(False)
        bound.append(Bound(section, made, made.getsockname()[1]))
    return bound


def bind(address: str, port: int) -> socket.socket:
    """A listening socket; ``::`` takes IPv4 connections as well. Raises ``StartFailed``."""
    version = ipaddress.ip_address(address).version
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    try:
        made = socket.create_server(
            (address, port),
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=address == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        number = error.errno or 0
        why = _WHY.get(number) or os.strerror(number)
        raise StartFailed(f"cannot listen on {address} port {port}: {why}") from None
    made.setblocking(False)
    return made


class Listeners:
    """What listens. ``close`` ends all of it; connections go on."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._ports: list[Any] = []  # IListeningPort

    def add(self, listening: socket.socket, factory: Any) -> None:
        """Give a socket to a Twisted factory (``IProtocolFactory``)."""
        port = self._reactor.adoptStreamPort(listening.fileno(), listening.family, factory)
        listening.close()  # adoptStreamPort made its own copy
        self._ports.append(port)

    async def close(self) -> None:
        """Stop accepting."""
        loop = asyncio.get_running_loop()
        for port in self._ports:
            stopped = port.stopListening()
            if stopped is not None:
                await stopped.asFuture(loop)
        self._ports.clear()
