"""Where mail for a domain goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from folkmoot.protocols.smtp.routing import Hop, MxRecord, RoutingError, fixed_route, mx_route
from folkmoot.storage.types_mail import SendState


class Zone:
    """DNS in memory. A host without addresses is in it with []; "fail" is a server failure."""

    def __init__(
        self,
        mx: dict[str, list[MxRecord] | None] | None = None,
        hosts: dict[str, list[str] | str] | None = None,
    ) -> None:
        self.mx = mx or {}
        self.hosts = hosts or {}

    async def exchangers(self, domain: str) -> Sequence[MxRecord] | None:
        return self.mx[domain]

    async def addresses(self, host: str) -> Sequence[str]:
        found = self.hosts.get(host, [])
        if isinstance(found, str):
            raise RoutingError(SendState.DEFERRED, "4.4.3", "no answer")
        return found


def route(zone: Zone, domain: str = "a.test", **options: bool) -> list[Hop]:
    """The hops for a domain."""
    return asyncio.run(mx_route(zone, domain, "me.test", **options))


def refused(zone: Zone, domain: str = "a.test") -> tuple[str, str]:
    """State and status of the refusal."""
    with pytest.raises(RoutingError) as error:
        route(zone, domain)
    return error.value.state, error.value.status


def test_preference_order_and_all_addresses() -> None:
    """Lower numbers first, every address of a host, hosts without any left out. # rfc5321#5.1"""
    zone = Zone(
        {"a.test": [MxRecord(20, "b.test"), MxRecord(10, "c.test"), MxRecord(5, "gone.test")]},
        {"b.test": ["192.0.2.2"], "c.test": ["2001:db8::1", "192.0.2.1"]},
    )
    assert [hop.address for hop in route(zone)] == ["2001:db8::1", "192.0.2.1", "192.0.2.2"]
    assert route(zone)[0] == Hop("c.test", "2001:db8::1", 25)


def test_implicit_mx() -> None:
    """Without MX records the domain itself is the host (RFC 5321 section 5.1)."""
    assert route(Zone({"a.test": []}, {"a.test": ["192.0.2.1"]}))[0].host == "a.test"
    assert refused(Zone({"a.test": []})) == (SendState.FAILED, "5.1.2")


def test_null_mx_and_missing_domain() -> None:
    """A domain that says it takes no mail (RFC 7505), and one that is not there. # rfc7505#3"""
    assert refused(Zone({"a.test": [MxRecord(0, "")]})) == (SendState.FAILED, "5.1.10")
    assert refused(Zone({"a.test": [MxRecord(0, ".")]})) == (SendState.FAILED, "5.1.10")
    assert refused(Zone({"a.test": None})) == (SendState.FAILED, "5.1.2")


def test_temporary_dns_failure() -> None:
    """DNS that does not answer now is no reason to give a message up. # rfc5321#5.1"""
    zone = Zone({"a.test": [MxRecord(1, "b.test")]}, {"b.test": "fail"})
    assert refused(zone) == (SendState.DEFERRED, "4.4.3")
    zone.mx["a.test"].append(MxRecord(2, "c.test"))  # type: ignore[union-attr]
    zone.hosts["c.test"] = ["192.0.2.3"]
    assert [hop.host for hop in route(zone)] == ["c.test"]


def test_loops_are_not_entered() -> None:
    """Hosts that are not preferred to ourselves are left out; none left is a loop. # rfc5321#5.1"""
    hosts: dict[str, list[str] | str] = {"b.test": ["192.0.2.2"], "me.test": ["192.0.2.9"]}
    records = [MxRecord(10, "b.test"), MxRecord(20, "me.test"), MxRecord(30, "c.test")]
    assert [hop.host for hop in route(Zone({"a.test": records}, hosts))] == ["b.test"]
    assert refused(Zone({"a.test": [MxRecord(10, "me.test")]}, hosts)) == (
        SendState.FAILED,
        "5.4.6",
    )


def test_nobody_points_at_this_machine() -> None:
    """A foreign domain cannot make us talk to services on our own loopback."""
    zone = Zone({"a.test": [MxRecord(1, "b.test")]}, {"b.test": ["127.0.0.1", "::1", "0.0.0.0"]})
    assert refused(zone) == (SendState.DEFERRED, "4.4.4")
    assert len(route(zone, public_only=False)) == 3


def test_equal_preferences_share_the_load() -> None:
    """Hosts of equal preference come in changing order. # rfc5321#5.1"""
    names = [f"h{n}.test" for n in range(6)]
    zone = Zone(
        {"a.test": [MxRecord(1, name) for name in names]}, {name: ["192.0.2.1"] for name in names}
    )
    assert len({tuple(hop.host for hop in route(zone)) for _ in range(30)}) > 1


def test_international_domain() -> None:
    """DNS is asked for the ASCII form; a name without one fails. # rfc6531#3.2"""
    zone = Zone({"xn--bcher-kva.example": []}, {"xn--bcher-kva.example": ["192.0.2.1"]})
    assert route(zone, "bücher.example")[0].host == "xn--bcher-kva.example"
    assert refused(zone, "a..b\u2603 ") == (SendState.FAILED, "5.1.2")


def test_hostile_number_of_hosts() -> None:
    """A domain with hundreds of MX hosts costs a bounded number of attempts."""
    names = [f"h{n}.test" for n in range(500)]
    zone = Zone(
        {"a.test": [MxRecord(1, name) for name in names]},
        {name: [f"192.0.2.{n}" for n in range(50)] for name in names},
    )
    assert len(route(zone)) == 20


def test_smarthost_by_the_system() -> None:
    """The smarthost's name is looked up as the system does it; an unknown one is temporary."""
    hops = asyncio.run(fixed_route("localhost", 587))
    assert "127.0.0.1" in [hop.address for hop in hops]
    with pytest.raises(RoutingError) as error:
        asyncio.run(fixed_route("no-such-host.invalid", 587))
    assert error.value.state is SendState.DEFERRED
