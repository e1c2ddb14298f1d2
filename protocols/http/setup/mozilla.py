"""Mozilla's autoconfig: one document of XML, for Thunderbird, Evolution, KMail, K-9 and others.

The format is that of draft-ietf-mailmaint-autoconfig. Programs put the address in the place of
``%EMAILADDRESS%``, so the same document is for all people of a domain.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from folkmoot.protocols.http.setup.services import Encryption, MailServer, Services

_SOCKETS: Final = {
    Encryption.IMPLICIT: "SSL",
    Encryption.STARTTLS: "STARTTLS",
    Encryption.NONE: "plain",
}
_LOGIN: Final = "<username>%EMAILADDRESS%</username>"
_SHORT: Final = 20  # characters of the short name
_LONG: Final = 60
#: Element and protocol of what is found below the base URL, and its path.
_TREE: Final = (
    ("addressbook", "carddav", "/dav/"),
    ("calendar", "caldav", "/dav/"),
    ("fileShare", "webdav", "/dav/drive/"),
)


def document(services: Services, domain: str) -> bytes:
    """The document for addresses in a domain."""
    incoming = [_server("incomingServer", "imap", one) for one in services.imap]
    outgoing = [_server("outgoingServer", "smtp", one) for one in services.submission]
    help_url = quoteattr(f"{services.base_url}/help")
    provider = [
        f"<domain>{escape(domain)}</domain>",
        f"<displayName>{escape(services.name[:_LONG])}</displayName>",
        f"<displayShortName>{escape(services.name[:_SHORT])}</displayShortName>",
        *incoming,
        *outgoing,
        f'<documentation url={help_url}><descr lang="en">How to set up your programs</descr>'
        "</documentation>",
    ]
    tree = [
        f"<{element} type={quoteattr(protocol)}><url>{escape(services.base_url + path)}</url>"
        f"<authentication>basic</authentication>{_LOGIN}</{element}>"
        for element, protocol, path in _TREE
    ]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<clientConfig version="1.2">',
        f"<emailProvider id={quoteattr(domain)}>",
        *provider,
        "</emailProvider>",
        *tree,
        "</clientConfig>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _server(element: str, protocol: str, server: MailServer) -> str:
    """Passwords go as they are (PLAIN): "password-encrypted" would mean CRAM-MD5 to Thunderbird."""
    return (
        f"<{element} type={quoteattr(protocol)}>"
        f"<hostname>{escape(server.host)}</hostname><port>{server.port}</port>"
        f"<socketType>{_SOCKETS[server.encryption]}</socketType>"
        f"<authentication>password-cleartext</authentication>{_LOGIN}</{element}>"
    )
