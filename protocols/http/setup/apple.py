"""Apple's configuration profile: mail, calendars and contacts in one step.

Devices know a profile and its parts by identifiers and UUIDs. They are made of the server's
address and the person's, so a profile that is fetched again replaces the one before.
"""

from __future__ import annotations

import plistlib
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

from folkmoot.protocols.http.setup.services import Encryption, MailServer, Services

MEDIA_TYPE: Final = "application/x-apple-aspen-config; charset=utf-8"
_PORTS: Final = {"https": 443, "http": 80}


def profile(services: Services, address: str) -> bytes:
    """The profile of an address; with "" for it, the device asks for the address."""
    parts = [_dav("CalDAV", services, address), _dav("CardDAV", services, address)]
    if services.imap and services.submission:
        parts.insert(0, _mail(services, address))
    whole = _payload("Configuration", services, address) | {
        "PayloadContent": parts,
        "PayloadDescription": "Mail, calendars and contacts.",
        "PayloadOrganization": services.name,
        "PayloadRemovalDisallowed": False,
    }
    return plistlib.dumps(whole)


def _payload(kind: str, services: Services, address: str) -> dict[str, Any]:
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{services.base_url}/#{kind}?{address.lower()}")
    reverse = ".".join(reversed(services.host.split(".")))
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{reverse}.folkmoot.{number}",
        "PayloadUUID": str(number).upper(),
        "PayloadDisplayName": f"{services.name} ({address})" if address else services.name,
    }


def _mail(services: Services, address: str) -> dict[str, Any]:
    given: dict[str, Any] = {
        "EmailAccountDescription": address or services.name,
        "EmailAccountType": "EmailTypeIMAP",
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    if address:
        given["EmailAddress"] = address
    for way, server in (("Incoming", services.imap[0]), ("Outgoing", services.submission[0])):
        given |= _server(f"{way}MailServer", server, address)
    return _payload("com.apple.mail.managed", services, address) | given


def _server(prefix: str, server: MailServer, address: str) -> dict[str, Any]:
    given: dict[str, Any] = {
        f"{prefix}Authentication": "EmailAuthPassword",
        f"{prefix}HostName": server.host,
        f"{prefix}PortNumber": server.port,
        # With STARTTLS too: on its ports devices find out which of the two it is.
        f"{prefix}UseSSL": server.encryption is not Encryption.NONE,
    }
    if address:
        given[f"{prefix}Username"] = address
    return given


def _dav(protocol: str, services: Services, address: str) -> dict[str, Any]:
    parts = urlsplit(services.base_url)
    given: dict[str, Any] = {
        f"{protocol}AccountDescription": services.name,
        f"{protocol}HostName": services.host,
        f"{protocol}Port": parts.port or _PORTS[parts.scheme],
        f"{protocol}UseSSL": parts.scheme == "https",
    }
    if address:
        given[f"{protocol}Username"] = address
    return _payload(f"com.apple.{protocol.lower()}.account", services, address) | given
