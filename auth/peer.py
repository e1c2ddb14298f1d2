"""Addresses of clients, as sockets give them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

# HTTP asks about the address with each request; reading one takes longer than its login.
_REMEMBERED = 1024


@lru_cache(_REMEMBERED)
def plain_address(address: str) -> str:
    """The address to show and to count: IPv4 where a socket for both wraps it in IPv6.

    ``::ffff:192.0.2.1`` becomes ``192.0.2.1`` (RFC 4291 section 2.5.5.2); anything else stays.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return address if mapped is None else str(mapped)


@lru_cache(_REMEMBERED)
def network_of(peer: str) -> str:
    """The network that an address is counted as: IPv4 itself, IPv6 its /64, otherwise the text."""
    try:
        address = ipaddress.ip_address(plain_address(peer.partition("%")[0]))
    except ValueError:
        return peer[:64]
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)


@lru_cache(_REMEMBERED)
def is_loopback(peer: str) -> bool:
    """Whether the client is on this machine; False for what is no IP address."""
    try:
        return ipaddress.ip_address(plain_address(peer)).is_loopback
    except ValueError:
        return False
