"""What programs send to find the settings of an account."""

from __future__ import annotations

import contextlib
import json
import plistlib
from typing import Any

from lxml import etree

from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.setup import apple, microsoft, mozilla
from folkmoot.protocols.http.setup.services import (
    Encryption,
    MailServer,
    Services,
    address_of,
    domain_of,
    fields_of_query,
)
from tests.fuzz.target import target

_SERVICES = Services(
    "Mail & more",
    "https://x.example:444",
    (MailServer("x.example", 993, Encryption.IMPLICIT),),
    (MailServer("x.example", 587, Encryption.STARTTLS),),
)
_OUTLOOK = b"http://schemas.microsoft.com/exchange/autodiscover/outlook/"


@target(
    [
        b'<Autodiscover xmlns="'
        + _OUTLOOK
        + b'requestschema/2006"><Request><EMailAddress>a@x.example</EMailAddress><AcceptableResponseSchema>'
        + _OUTLOOK
        + b"responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>",
        b"emailaddress=a%40x.example&Protocol=AutodiscoverV1",
        b"a&b<c>@x.example",
    ],
    [
        b"&",
        b"<",
        b">",
        b'"',
        b"]]>",
        b"%00",
        b"%EF%BF%BE",
        b"%",
        b"=",
        b"@",
        b".",
        b"<Request>",
        b"<EMailAddress>",
        b"\xc3\xa9",
        b"\xef\xbf\xbe",
    ],
)
def account_setup(data: bytes) -> None:
    """Whatever is asked, the answer is a document of its kind, in which all that came is text."""
    parser = etree.XMLParser(resolve_entities=False)
    answered: Any = etree.fromstring(microsoft.answer(_SERVICES, data), parser)
    assert answered.tag.endswith("}Autodiscover")
    asked = {"protocol": data.decode("latin-1")}
    with contextlib.suppress(Refused):
        asked = fields_of_query(data.decode("latin-1"))
    json.loads(microsoft.answer_json(_SERVICES, asked)[1])
    for text in (data.decode("utf-8", "replace"), *asked.values()):
        domain = domain_of(text)
        if domain is not None:
            assert etree.fromstring(mozilla.document(_SERVICES, domain), parser) is not None
        address = address_of(text)
        if address is not None:
            read = plistlib.loads(apple.profile(_SERVICES, address))
            assert read["PayloadContent"][0]["EmailAddress"] == address
