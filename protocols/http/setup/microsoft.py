"""Microsoft's Autodiscover, as Outlook asks for it ([MS-OXDSCLI]): v1 in XML, v2 in JSON.

Outlook gets IMAP and SMTP. What only Exchange has (MAPI, EWS, ActiveSync) is not here, and both
versions say so in the way that clients of it understand.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.setup.services import Encryption, MailServer, Services, address_of
from folkmoot.protocols.http.xml import Element, children, parse, text

V1_PATH: Final = "/autodiscover/autodiscover.xml"
_PLACE: Final = "http://schemas.microsoft.com/exchange/autodiscover"
_ANSWER: Final = f"{_PLACE}/responseschema/2006"
_OUTLOOK: Final = f"{_PLACE}/outlook/responseschema/2006a"
_ENCRYPTION: Final = {
    Encryption.IMPLICIT: "SSL",
    Encryption.STARTTLS: "TLS",
    Encryption.NONE: "None",
}
_INVALID: Final = (600, "Invalid Request")
_OTHER_SCHEMA: Final = (601, "Requested schema version not supported")


def answer(services: Services, body: bytes) -> bytes:
    """The answer to a request of version 1; errors are in the document as well."""
    try:
        asked = _asked(parse(body))
    except Refused:
        return _error(services, *_INVALID)
    schema = asked.get("AcceptableResponseSchema", _OUTLOOK).strip()
    if schema.lower() != _OUTLOOK:
        return _error(services, *_OTHER_SCHEMA)
    address = address_of(asked.get("EMailAddress", ""))
    if address is None:
        return _error(services, *_INVALID)
    protocols = [
        _protocol(kind, servers[0], address)
        for kind, servers in (("IMAP", services.imap), ("SMTP", services.submission))
        if servers  # Outlook takes the first of a type, whatever follows
    ]
    return _document(
        f'<Response xmlns="{_OUTLOOK}">'
        f"<User><DisplayName>{escape(address)}</DisplayName></User>"
        "<Account><AccountType>email</AccountType><Action>settings</Action>"
        f"{''.join(protocols)}</Account></Response>"
    )


def answer_json(services: Services, fields: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and answer to a request of version 2: where version 1 is."""
    protocol = fields.get("protocol", "")
    if protocol.lower() == "autodiscoverv1":
        found = {"Protocol": "AutodiscoverV1", "Url": services.base_url + V1_PATH}
        return 200, json.dumps(found).encode()
    code, said = (
        ("InvalidProtocol", "The given protocol is not supported. Supported: AutodiscoverV1")
        if protocol
        else ("MandatoryParameterMissing", "A value is needed for the parameter 'Protocol'")
    )
    return 400, json.dumps({"ErrorCode": code, "ErrorMessage": said}).encode()


def _asked(root: Element) -> dict[str, str]:
    """The texts in the Request element; namespaces differ among clients and are not looked at."""
    for request in children(root):
        if _local(request) == "Request":
            return {_local(field): text(field) for field in children(request)}
    return {}


def _local(found: Element) -> str:
    return found.tag.rpartition("}")[2]


def _protocol(kind: str, server: MailServer, address: str) -> str:
    encrypted = server.encryption is not Encryption.NONE
    values = {
        "Type": kind,
        "Server": server.host,
        "Port": str(server.port),
        "DomainRequired": "off",
        "LoginName": address,
        "SPA": "off",
        "SSL": "on" if encrypted else "off",
        "Encryption": _ENCRYPTION[server.encryption],
        "AuthRequired": "on",
    }
    if kind == "SMTP":
        values |= {"UsePOPAuth": "off", "SMTPLast": "off"}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f"<Protocol>{inner}</Protocol>"


def _error(services: Services, code: int, message: str) -> bytes:
    when = time.strftime("%H:%M:%S.0000000", time.gmtime())
    server = zlib.crc32(services.host.encode())
    return _document(
        f'<Response><Error Time="{when}" Id="{server}"><ErrorCode>{code}</ErrorCode>'
        f"<Message>{message}</Message><DebugData/></Error></Response>"
    )


def _document(content: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<Autodiscover xmlns="{_ANSWER}">'
        f"{content}</Autodiscover>\n"
    ).encode()
