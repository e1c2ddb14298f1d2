"""What the DNS says about this server and its domains (a part of ``folkmoot doctor``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import dns.exception
import dns.name
import dns.resolver
import dns.reversename

from folkmoot.config.schema import Config
from folkmoot.server.client_setup import configured
from folkmoot.server.doctor import FAIL, OK, WARN, Finding
from folkmoot.server.doctor_clients import examine_clients

_SECONDS = 4.0
_NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


class Dns:
    """Asks the resolver of this machine. Raises ``dns.exception.DNSException`` without answer."""

    def __init__(self) -> None:
        self._resolver = dns.resolver.Resolver()
        self._resolver.lifetime = _SECONDS

    def records(self, name: str, kind: str) -> list[str]:
        """The records of a kind as text; [] when there are none."""
        try:
            answer = self._resolver.resolve(dns.name.from_text(name), kind)
        except _NOTHING:
            return []
        return [record.to_text() for record in answer]

    def addresses(self, name: str) -> list[str]:
        """IPv4 and IPv6 addresses."""
        return self.records(name, "A") + self.records(name, "AAAA")

    def texts(self, name: str) -> list[str]:
        """TXT records, their strings joined."""
        return ["".join(part[1:-1] for part in _strings(t)) for t in self.records(name, "TXT")]

    def reverse(self, address: str) -> list[str]:
        """The names that an address has (PTR), in lower case without the last dot."""
        name = dns.reversename.from_address(address).to_text()
        return [record.rstrip(".").lower() for record in self.records(name, "PTR")]


def _strings(record: str) -> list[str]:
    """The quoted strings of a TXT record."""
    return [f'"{part}"' for part in record.strip('"').split('" "')]


def examine_dns(config: Config, domains: list[str], dns_: Dns | None = None) -> Iterator[Finding]:
    """Check the host name and each domain; one warning when no DNS answers."""
    try:
        resolver = dns_ or Dns()
        yield from host(config.server.hostname, resolver)
        web = config.http.url is not None or any(
            listener.protocol == "http" for listener in config.listener
        )
        for domain in domains:
            yield from mail_domain(config, domain, resolver)
            yield from examine_clients(configured(config), domain, resolver, web=web)
        for entry in config.dkim:
            yield _dkim(entry.domain, entry.selector, resolver)
    except (dns.exception.DNSException, OSError) as error:
        yield Finding(
            WARN,
            "dns",
            f"no DNS server answers ({type(error).__name__})",
            "Check /etc/resolv.conf; mail to other servers needs DNS unless relay.host is set.",
        )


def host(name: str, resolver: Dns) -> Iterator[Finding]:
    """The host name leads to this server and back."""
    found = resolver.addresses(name)
    if not found:
        yield Finding(FAIL, name, "has no address in DNS", f"Add an A or AAAA record for {name}.")
        return
    yield Finding(OK, name, f"leads to {', '.join(found)}")
    for address in found:
        if ipaddress.ip_address(address).is_private:
            continue
        if name not in resolver.reverse(address):
            yield Finding(
                WARN,
                name,
                f"{address} does not lead back to it, so others may refuse its mail",
                "Ask the provider of the address for a PTR record, or send through relay.host.",
            )


def mail_domain(config: Config, domain: str, resolver: Dns) -> Iterator[Finding]:
    """Mail for the domain arrives, and mail from it is believed."""
    exchangers = resolver.records(domain, "MX")
    names = [record.split()[-1].rstrip(".").lower() for record in exchangers]
    if config.server.hostname in names:
        yield Finding(OK, domain, f"its mail goes to {config.server.hostname} (MX)")
    elif names:
        yield Finding(
            WARN,
            domain,
            f"its mail goes to {', '.join(names)} (MX)",
            "This is right if that server hands it on by LMTP.",
        )
    else:
        yield Finding(
            FAIL,
            domain,
            "has no MX record",
            f"Add: {domain}. MX 10 <the server that takes its mail>.",
        )
    if any(text.lower().startswith("v=spf1") for text in resolver.texts(domain)):
        yield Finding(OK, domain, "has an SPF record")
    else:
        yield Finding(WARN, domain, "has no SPF record", f'Add: {domain}. TXT "v=spf1 mx -all"')
    dmarc = f"_dmarc.{domain}"
    if any(text.lower().startswith("v=dmarc1") for text in resolver.texts(dmarc)):
        yield Finding(OK, domain, "has a DMARC record")
    else:
        yield Finding(WARN, domain, "has no DMARC record", f'Add: {dmarc}. TXT "v=DMARC1; p=none"')


def _dkim(domain: str, selector: str, resolver: Dns) -> Finding:
    name = f"{selector}._domainkey.{domain}"
    if any("p=" in text for text in resolver.texts(name)):
        return Finding(OK, domain, f"has a DKIM key at {name}")
    return Finding(FAIL, domain, f"has no DKIM key at {name}", "Publish the public key there.")
