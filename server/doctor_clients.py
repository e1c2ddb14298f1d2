"""What the DNS says to programs that look for settings (a part of ``folkmoot doctor``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from folkmoot.protocols.http.setup.services import Encryption, Services
from folkmoot.server.doctor import OK, WARN, Finding

if TYPE_CHECKING:
    from folkmoot.server.doctor_dns import Dns

_NAMES = {
    ("imap", Encryption.IMPLICIT): "_imaps._tcp",
    ("imap", Encryption.STARTTLS): "_imap._tcp",
    ("submission", Encryption.IMPLICIT): "_submissions._tcp",
    ("submission", Encryption.STARTTLS): "_submission._tcp",
}


@dataclass(frozen=True, slots=True)
class Service:
    """A record that leads programs to a service: ``name`` below a domain, host and port."""

    name: str
    host: str
    port: int

    def line(self, domain: str) -> str:
        """The record, as it stands in a zone."""
        return f"{self.name}.{domain}. SRV 0 1 {self.port} {self.host}."

    def stands_in(self, records: list[str]) -> bool:
        """Whether one of the records found leads there."""
        wanted = [str(self.port), f"{self.host}."]
        return any(record.lower().split()[2:] == wanted for record in records)


def wanted(services: Services, *, web: bool) -> list[Service]:
    """The records that lead to what there is. Logins without encryption have none."""
    both = (("imap", services.imap), ("submission", services.submission))
    # rfc6186#3.2 rfc8314#5.1: the best of each kind
    mail = {
        _NAMES[protocol, server.encryption]: server
        for protocol, servers in both
        for server in reversed(servers)
        if server.encryption is not Encryption.NONE
    }
    found = [Service(name, server.host, server.port) for name, server in sorted(mail.items())]
    place = urlsplit(services.base_url)
    if web and place.scheme == "https":  # rfc6764#3
        names = ("_caldavs._tcp", "_carddavs._tcp")
        found += [Service(name, services.host, place.port or 443) for name in names]
    return found


def examine_clients(
    services: Services, domain: str, resolver: Dns, *, web: bool
) -> Iterator[Finding]:
    """Whether programs find a domain's settings; ``web`` tells whether HTTP is served.

    Raises what the resolver raises.
    """
    needed = wanted(services, web=web)
    missing = [
        service
        for service in needed
        if not service.stands_in(resolver.records(f"{service.name}.{domain}", "SRV"))
    ]
    if missing:
        names = ", ".join(service.name for service in missing)
        lines = "; ".join(service.line(domain) for service in missing)
        yield Finding(WARN, domain, f"has no SRV record to here: {names}", f"Add: {lines}")
    elif needed:
        yield Finding(OK, domain, "has SRV records for programs")
    if not web:
        return
    yield _alias(services, f"autoconfig.{domain}", "Thunderbird and others", resolver)
    autodiscover = Service("_autodiscover._tcp", services.host, 443)
    if autodiscover.stands_in(resolver.records(f"{autodiscover.name}.{domain}", "SRV")):
        yield Finding(OK, domain, "tells Outlook where to look (SRV)")
    else:
        yield _alias(services, f"autodiscover.{domain}", "Outlook", resolver)


def _alias(services: Services, name: str, who: str, resolver: Dns) -> Finding:
    if resolver.addresses(name):
        return Finding(OK, name, "has an address")
    return Finding(
        WARN,
        name,
        f"has no address, so {who} may not find the settings of accounts",
        f"Add: {name}. CNAME {services.host}. (and the name to the certificate)",
    )
