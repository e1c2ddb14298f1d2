"""Sockets: bound all or none, IPv4 and IPv6 on one."""

from __future__ import annotations

import socket

import pytest

from folkmoot.config.schema import ListenerSection
from folkmoot.server.listeners import bind, bind_all
from folkmoot.server.run import StartFailed


def listener(port: int, address: str = "127.0.0.1") -> ListenerSection:
    """A listener as the config gives it."""
    return ListenerSection(protocol="imap", port=port, address=address)


def test_all_or_none() -> None:
    """When one port is taken, the others are free again, and the text says which it was."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = bind("127.0.0.1", 0)
        free_port = free.getsockname()[1]
        free.close()
        with pytest.raises(StartFailed, match=f"port {port}: another program listens there"):
            bind_all((listener(free_port), listener(port)))
        bind("127.0.0.1", free_port).close()


def test_any_port() -> None:
    """Port 0 takes a free one, and tells which."""
    first, second = bind_all((listener(0), listener(0)))
    assert first.port != second.port
    for one in (first, second):
        with socket.create_connection(("127.0.0.1", one.port), timeout=60):
            pass
        one.socket.close()


def test_a_foreign_address_is_named() -> None:
    """An address of another machine is a clear refusal."""
    with pytest.raises(StartFailed, match=r"192\.0\.2\.1 port 0: this machine does not have"):
        bind("192.0.2.1", 0)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_both_families_on_one_socket() -> None:
    """The address :: serves IPv4 clients as well."""
    both = bind("::", 0)
    port = both.getsockname()[1]
    for address in ("127.0.0.1", "::1"):
        with socket.create_connection((address, port), timeout=60):
            pass
    both.close()
