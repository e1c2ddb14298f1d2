"""Who asks, where a proxy stands in front: what X-Forwarded-For and X-Forwarded-Proto say.

Proxies add to the one and set the other. ``Forwarded`` (RFC 7239) is not looked at: proxies that do
not know it hand on whatever the client wrote there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.auth.peer import plain_address

MOST = 50  # proxies in a row that are looked at

# As some write it: an address with a port behind it, IPv6 then in brackets.
_WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Proxies:
    """The addresses of one's own proxies, which alone are believed."""

    networks: tuple[Network, ...] = ()

    def trusted(self, peer: str) -> bool:
        """Whether a connection from this address is a proxy's."""
        if not self.networks:
            return False
        try:
            address = ipaddress.ip_address(plain_address(peer))
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def client(self, peer: str, fields: Sequence[tuple[str, str]]) -> str:
        """The address of the client: the last that no trusted proxy has.

        What stands before that was said by the client, and may be anything. A proxy that does not
        say for whom it asks is the client.
        """
        client = peer
        told = ",".join([value for name, value in fields if name == "x-forwarded-for"])
        for text in reversed(told.split(",")[-MOST:]):
            if not self.trusted(client):
                break
            address = _address(text.strip())
            if not address:
                break
            client = address
        return client

    def secure(self, peer: str, fields: Sequence[tuple[str, str]]) -> bool:
        """Whether a trusted proxy says that the client came to it by TLS."""
        if not self.trusted(peer):
            return False
        told = ",".join([value for name, value in fields if name == "x-forwarded-proto"])
        # The nearest proxy is the last to have said it.
        return told.rpartition(",")[2].strip().lower() == "https"


def _address(text: str) -> str:
    """An address as it is counted, "" for what is none."""
    match = _WITH_PORT.fullmatch(text)
    if match is not None:
        text = match[1] or match[2]
    try:
        return plain_address(str(ipaddress.ip_address(text)))
    except ValueError:
        return ""
