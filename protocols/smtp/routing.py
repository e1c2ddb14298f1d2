"""Where mail for a domain goes: the smarthost, or the hosts that DNS names."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver
from dns.rdatatype import RdataType

from folkmoot.protocols.smtp.paths import ascii_domain
from folkmoot.storage.types_mail import SendState

# Bounds on what a domain's DNS can make us do for one message.
MAX_EXCHANGERS = 10
MAX_ADDRESSES = 20


class RoutingError(Exception):
    """No route now, or ever. ``status`` is the enhanced code, ``text`` the reason."""

    def __init__(self, state: SendState, status: str, text: str) -> None:
        super().__init__(text)
        self.state = state
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Hop:
    """One host to try: its name (for TLS and reports), one address of it, and the port."""

    host: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class MxRecord:
    """One MX record."""

    preference: int
    host: str


class Resolver(Protocol):
    """The DNS questions that routing asks. Both raise RoutingError (deferred) when DNS fails."""

    async def exchangers(self, domain: str) -> Sequence[MxRecord] | None:
        """Return the MX records, [] when there are none, None when the name does not exist."""

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the IPv6 and IPv4 addresses of a host; [] when there are none. # rfc5321#5.2"""


class DnsResolver:
    """Asks DNS by dnspython; CNAMEs are followed (RFC 5321 section 5.1)."""

    def __init__(
        self, resolver: dns.asyncresolver.Resolver | None = None, lifetime: float = 30.0
    ) -> None:
        self._lifetime = lifetime
        # None: the one that the system is set up with, made when it is needed.
        self._resolver = resolver

    async def _ask(self, name: str, kind: RdataType) -> list[object]:
        if self._resolver is None:
            self._resolver = await asyncio.to_thread(dns.asyncresolver.Resolver)
        try:
            answer = await self._resolver.resolve(
                f"{name}.", kind, raise_on_no_answer=False, lifetime=self._lifetime
            )
        except dns.resolver.NXDOMAIN:
            raise
        except (dns.exception.DNSException, OSError) as error:
            raise RoutingError(
                SendState.DEFERRED, "4.4.3", f"DNS gave no answer for {name}"
            ) from error
        return list(answer.rrset or ())

    async def exchangers(self, domain: str) -> Sequence[MxRecord] | None:
        """rfc5321#5.1."""
        try:
            found = await self._ask(domain, RdataType.MX)
        except dns.resolver.NXDOMAIN:
            return None
        return [
            MxRecord(record.preference, record.exchange.to_text(omit_final_dot=True).lower())  # type: ignore[attr-defined]
            for record in found
        ]

    async def addresses(self, host: str) -> Sequence[str]:
        """Ask for AAAA and A."""
        found: list[str] = []
        failure: RoutingError | None = None
        for kind in (RdataType.AAAA, RdataType.A):
            try:
                found += [str(record) for record in await self._ask(host, kind)]
            except dns.resolver.NXDOMAIN:
                break
            except RoutingError as error:
                failure = error
        if not found and failure is not None:
            raise failure
        return found


async def fixed_route(host: str, port: int) -> list[Hop]:
    """Return the hops of a smarthost. Raises RoutingError.

    The system is asked, not DNS: a smarthost may be known on the local network only.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RoutingError(
            SendState.DEFERRED, "4.4.3", f"No address is known for the relay {host}"
        ) from error
    return [Hop(host, address, port) for address in dict.fromkeys(str(one[4][0]) for one in found)]


async def mx_route(
    resolver: Resolver, domain: str, hostname: str, *, port: int = 25, public_only: bool = True
) -> list[Hop]:
    """Return the hosts for a domain in the order to try them (RFC 5321 section 5.1).

    ``hostname`` is our own name: hosts that are not nearer to the goal than we are are left out.
    With ``public_only`` addresses of this machine are, too: no domain may point at us.
    Raises RoutingError.
    """
    name = ascii_domain(domain)
    if name is None:
        raise RoutingError(SendState.FAILED, "5.1.2", f"{domain} is not a domain name")
    records = await resolver.exchangers(name)
    if records is None:
        raise RoutingError(SendState.FAILED, "5.1.2", f"The domain {domain} does not exist")
    if any(record.host in ("", ".") for record in records):
        # rfc7505#3: a null MX says that there is no mail
        raise RoutingError(SendState.FAILED, "5.1.10", f"The domain {domain} accepts no mail")
    # rfc5321#5.1: without MX the name itself is the host
    candidates = _ordered(records, hostname) if records else [name]
    if not candidates:
        raise RoutingError(SendState.FAILED, "5.4.6", f"Mail for {domain} would loop back to here")
    hops = await _hops(resolver, candidates, port, public_only)
    if not hops:
        raise RoutingError(
            SendState.FAILED if not records else SendState.DEFERRED,
            "5.1.2" if not records else "4.4.4",
            f"No mail host of {domain} has a usable address",
        )
    return hops


def _ordered(records: Sequence[MxRecord], hostname: str) -> list[str]:
    own = [record.preference for record in records if record.host == hostname.lower()]
    # rfc5321#5.1: ourselves in the list, and all that are not preferred to us, are left out
    usable = [record for record in records if not own or record.preference < min(own)]
    # Equal preferences are tried in random order, to spread the load.
    shuffled = sorted(usable, key=lambda record: (record.preference, random.random()))  # noqa: S311
    return list(dict.fromkeys(record.host for record in shuffled))[:MAX_EXCHANGERS]


async def _hops(
    resolver: Resolver, candidates: Sequence[str], port: int, public_only: bool
) -> list[Hop]:
    hops: list[Hop] = []
    failure: RoutingError | None = None
    for host in candidates:
        try:
            addresses = await resolver.addresses(host)
        except RoutingError as error:
            failure = error
            continue
        hops += [
            Hop(host, address, port)
            for address in addresses
            if not public_only or _may_be_remote(address)
        ]
    if not hops and failure is not None:
        raise failure
    return hops[:MAX_ADDRESSES]


def _may_be_remote(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast)
