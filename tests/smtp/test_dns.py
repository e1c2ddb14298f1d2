"""DNS questions against a small name server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from folkmoot.protocols.smtp.routing import DnsResolver, MxRecord, RoutingError, mx_route
from folkmoot.storage.types_mail import SendState

T = TypeVar("T")

RECORDS = {
    ("a.test.", "MX"): ["10 Mx1.a.test.", "20 mx2.a.test."],
    ("mx1.a.test.", "A"): ["192.0.2.1"],
    ("mx1.a.test.", "AAAA"): ["2001:db8::1"],
    ("mx2.a.test.", "A"): ["192.0.2.2"],
    ("mx2.a.test.", "AAAA"): [],
    ("null.test.", "MX"): ["0 ."],
    ("alias.test.", "MX"): ["CNAME a.test."],
    ("bare.test.", "MX"): [],
    ("bare.test.", "A"): ["192.0.2.3"],
    ("bare.test.", "AAAA"): [],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers from RECORDS; names that are not there do not exist, "broken" ones fail."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), question.rdtype.name
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        found = RECORDS.get((name, kind))
        if "broken" in name:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif found is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif found and found[0].startswith("CNAME"):
            target = found[0].split()[1]
            response.answer += [
                dns.rrset.from_text(name, 60, "IN", "CNAME", target),
                dns.rrset.from_text_list(target, 60, "IN", kind, RECORDS[target, kind]),
            ]
        elif found:
            response.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, found))
        self.transport.sendto(response.to_wire(), address)


def ask(work: Callable[[DnsResolver], Coroutine[Any, Any, T]]) -> T:
    """Run something with a resolver that asks the name server above."""

    async def run() -> T:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(NameServer, ("127.0.0.1", 0))
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = transport.get_extra_info("sockname")[1]
        try:
            return await work(DnsResolver(resolver, lifetime=2))
        finally:
            transport.close()

    return asyncio.run(run())


def test_exchangers() -> None:
    """MX records with their preference and lower-case names; a CNAME is followed. # rfc5321#5.1"""
    expected = [MxRecord(10, "mx1.a.test"), MxRecord(20, "mx2.a.test")]
    for domain in ("a.test", "alias.test"):
        found = ask(partial(DnsResolver.exchangers, domain=domain))
        assert found is not None
        assert sorted(found, key=str) == expected


def test_nothing_there() -> None:
    """A name without MX and a name that does not exist are told apart."""
    assert ask(lambda r: r.exchangers("bare.test")) == []
    assert ask(lambda r: r.exchangers("missing.test")) is None
    assert ask(lambda r: r.addresses("missing.test")) == []


def test_addresses() -> None:
    """Both families, IPv6 first. # rfc5321#5.2"""
    assert ask(lambda r: r.addresses("mx1.a.test")) == ["2001:db8::1", "192.0.2.1"]


def test_failing_name_server() -> None:
    """A name server that fails means: later."""
    for work in (lambda r: r.exchangers("broken.test"), lambda r: r.addresses("broken.test")):
        with pytest.raises(RoutingError) as error:
            ask(work)
        assert error.value.state is SendState.DEFERRED


def test_whole_routes() -> None:
    """From a domain to addresses, and to "accepts no mail"."""
    hops = ask(lambda r: mx_route(r, "A.test", "me.test"))
    assert [hop.address for hop in hops] == ["2001:db8::1", "192.0.2.1", "192.0.2.2"]
    assert ask(lambda r: mx_route(r, "bare.test", "me.test"))[0].address == "192.0.2.3"
    with pytest.raises(RoutingError) as error:
        ask(lambda r: mx_route(r, "null.test", "me.test"))
    assert error.value.status == "5.1.10"
