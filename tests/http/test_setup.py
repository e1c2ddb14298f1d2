"""Finding the settings of an account: what Thunderbird, Outlook and Apple's devices ask."""

from __future__ import annotations

import json
import plistlib
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.http.conftest import MakeWeb, Web
from tests.kit.http import Answer, HttpClient

MOZILLA = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
V1 = "/autodiscover/autodiscover.xml"
V2 = "/autodiscover/autodiscover.json"
APPLE = "/mail/apple.mobileconfig"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request><EMailAddress>{address}</EMailAddress>
  <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"""


def ask(web: Web, path: str, method: str = "GET", body: bytes = b"", host: str = "") -> Answer:
    """One request of somebody who did not sign in."""
    with HttpClient(web.port, tls=web.tls) as client:
        client.host = host or client.host
        return client.request(method, path, body=body)


def discover(web: Web, address: str = "ada@example.org", schema: str = OUTLOOK) -> Any:
    """The document that Outlook gets."""
    body = REQUEST.format(address=address, schema=schema).encode()
    answer = ask(web, V1, "POST", body)
    assert answer.status == 200
    return ElementTree.fromstring(answer.text)


def error_code(document: Any) -> str | None:
    """The code of an error in Outlook's document."""
    found: str | None = document.findtext(".//{*}ErrorCode")
    return found


@pytest.mark.parametrize("path", [MOZILLA, WELL_KNOWN])
def test_thunderbird_finds_servers(web: Web, path: str) -> None:
    """All servers in the order of preference, the address as login, and the other protocols."""
    answer = ask(web, f"{path}?emailaddress=ada%40Example.ORG")
    assert answer.header("content-type") == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(answer.text)
    provider = root.find("emailProvider")
    assert provider is not None
    assert provider.get("id") == provider.findtext("domain") == "example.org"
    assert provider.findtext("displayName") == "Tea & <Mail>"
    servers = [
        [one.get("type"), *(child.text for child in one)]
        for one in provider
        if one.tag.endswith("Server")
    ]
    login = ["password-cleartext", "%EMAILADDRESS%"]
    assert servers == [
        ["imap", "imap.example.test", "993", "SSL", *login],
        ["imap", "imap.example.test", "143", "STARTTLS", *login],
        ["smtp", "smtp.example.test", "587", "STARTTLS", *login],
    ]
    base = "https://mail.example.test:8443"
    assert {one.get("type"): one.findtext("url") for one in root if one.get("type")} == {
        "carddav": f"{base}/dav/",
        "caldav": f"{base}/dav/",
        "webdav": f"{base}/dav/drive/",
    }


@pytest.mark.parametrize(
    ("query", "host", "domain"),
    [
        ("", "autoconfig.example.net", "example.net"),
        ("", "Example.net:8080", "example.net"),
        ("?emailaddress=ada", "[::1]:80", "ada"),
        ("?emailaddress=ada@%3Cx%3E", "[::1]:80", "mail.example.test"),
        ("?EmailAddress=ada@b%C3%BCcher.example", "example.net", "bücher.example"),
    ],
)
def test_the_domain_that_was_asked_for(web: Web, query: str, host: str, domain: str) -> None:
    """That of the address, else that of the host; never anything that is no domain."""
    root = ElementTree.fromstring(ask(web, MOZILLA + query, host=host).text)
    assert root.findtext("emailProvider/domain") == domain


def test_outlook_finds_servers(web: Web) -> None:
    """The best IMAP and SMTP server, the address as login."""
    document = discover(web)
    assert document.findtext(".//{*}Action") == "settings"
    found = [
        {child.tag.rpartition("}")[2]: child.text for child in one}
        for one in document.iterfind(".//{*}Protocol")
    ]
    imap, smtp = found
    assert {imap["Type"], smtp["Type"]} == {"IMAP", "SMTP"}
    assert (imap["Server"], imap["Port"], imap["SSL"], imap["Encryption"]) == (
        "imap.example.test",
        "993",
        "on",
        "SSL",
    )
    assert (smtp["Server"], smtp["Port"], smtp["SSL"], smtp["Encryption"]) == (
        "smtp.example.test",
        "587",
        "on",
        "TLS",
    )
    assert imap["LoginName"] == smtp["LoginName"] == "ada@example.org"
    assert document.find(".//{*}Response").tag == f"{{{OUTLOOK}}}Response"


@pytest.mark.parametrize(
    "path", ["/Autodiscover/Autodiscover.xml", "/AUTODISCOVER/autodiscover.XML"]
)
def test_outlook_writes_the_path_as_it_likes(web: Web, path: str) -> None:
    """Any case leads there."""
    body = REQUEST.format(address="ada@example.org", schema=OUTLOOK).encode()
    assert "imap.example.test" in ask(web, path, "POST", body).text


def test_what_outlook_is_refused(web: Web) -> None:
    """Requests that make no sense, and settings that only Exchange has, in Outlook's own words."""
    mobile = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
    assert error_code(discover(web, schema=mobile)) == "601"
    assert error_code(discover(web, address="")) == "600"
    assert error_code(discover(web, address="a@b@&lt;x&gt;")) == "600"
    assert error_code(ElementTree.fromstring(ask(web, V1, "POST", b"<x").text)) == "600"


def test_hostile_xml_is_not_read(web: Web) -> None:
    """No entities, no document types, and no more than some kilobytes."""
    body = REQUEST.format(address="&e;", schema=OUTLOOK).replace(
        "<Autodiscover ", '<!DOCTYPE a [<!ENTITY e "ada@example.org">]><Autodiscover '
    )
    assert error_code(ElementTree.fromstring(ask(web, V1, "POST", body.encode()).text)) == "600"
    assert ask(web, V1, "POST", b"<a>" + b" " * 20_000).status == 413


def test_a_name_cannot_break_out_of_the_answer(web: Web) -> None:
    """What the request says is quoted where it is repeated."""
    document = discover(web, address="o'neil&amp;co@example.org")
    assert document.findtext(".//{*}LoginName") == "o'neil&co@example.org"


def test_get_leads_to_tls(make_web: MakeWeb) -> None:
    """Without TLS, the place with TLS is told, as Outlook expects; with TLS, nothing is moved."""
    with make_web() as web:
        moved = ask(web, V1)
        assert moved.status == 302
        assert moved.header("location") == "https://mail.example.test:8443" + V1
    with make_web(tls=True) as web:
        assert error_code(ElementTree.fromstring(ask(web, V1).text)) == "600"


@pytest.mark.parametrize(
    "path",
    [f"{V2}?Email=a@b.org&Protocol=AutodiscoverV1", f"{V2}/v1.0/a@b.org?protocol=autodiscoverv1"],
)
def test_version_2_leads_to_version_1(web: Web, path: str) -> None:
    """Both ways of asking for it."""
    answer = ask(web, path)
    assert answer.header("content-type") == "application/json; charset=utf-8"
    assert json.loads(answer.text) == {
        "Protocol": "AutodiscoverV1",
        "Url": "https://mail.example.test:8443" + V1,
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?Email=a@b.org&Protocol=ActiveSync", "InvalidProtocol"),
        ("?Email=a@b.org", "MandatoryParameterMissing"),
    ],
)
def test_version_2_has_nothing_of_exchange(web: Web, query: str, code: str) -> None:
    """Clients of ActiveSync and EWS hear it at once, and try something else."""
    answer = ask(web, V2 + query)
    assert (answer.status, json.loads(answer.text)["ErrorCode"]) == (400, code)


def profile(web: Web, address: str) -> dict[str, Any]:
    """Apple's profile."""
    answer = ask(web, f"{APPLE}?email={address}")
    assert answer.header("content-type") == "application/x-apple-aspen-config; charset=utf-8"
    found: dict[str, Any] = plistlib.loads(answer.text.encode())
    return found


def test_apple_gets_everything_in_one_profile(web: Web) -> None:
    """Mail, calendars and contacts, with hosts, ports and the address."""
    mail, calendars, contacts = profile(web, "ada@example.org")["PayloadContent"]
    assert mail["PayloadType"] == "com.apple.mail.managed"
    assert (mail["IncomingMailServerHostName"], mail["IncomingMailServerPortNumber"]) == (
        "imap.example.test",
        993,
    )
    assert mail["OutgoingMailServerPortNumber"] == 587
    assert mail["IncomingMailServerUseSSL"]
    assert mail["OutgoingMailServerUseSSL"]
    assert mail["EmailAddress"] == mail["OutgoingMailServerUsername"] == "ada@example.org"
    for protocol, part in (("CalDAV", calendars), ("CardDAV", contacts)):
        assert part["PayloadType"] == f"com.apple.{protocol.lower()}.account"
        assert part[f"{protocol}HostName"] == "mail.example.test"
        assert part[f"{protocol}Port"] == 8443
        assert part[f"{protocol}UseSSL"]
        assert part[f"{protocol}Username"] == "ada@example.org"


def test_apple_knows_the_profile_again(web: Web) -> None:
    """The same person has the same identifiers, another one others, and no two parts share one."""

    def numbers(address: str) -> list[str]:
        whole = profile(web, address)
        return [one["PayloadUUID"] for one in (whole, *whole["PayloadContent"])]

    first = numbers("ada@example.org")
    assert first == numbers("ADA@example.org")
    assert len(set(first) | set(numbers("bob@example.org"))) == 8


def test_a_profile_without_an_address(web: Web) -> None:
    """The device asks; what is no address is refused."""
    mail = profile(web, "")["PayloadContent"][0]
    assert "EmailAddress" not in mail
    assert "IncomingMailServerUsername" not in mail
    for wrong in ("ada", "a@b@c", "a%20b@example.org", "%3C@example.org", "a@-x", "a" * 65 + "@b"):
        assert ask(web, f"{APPLE}?email={wrong}").status == 400, wrong


def test_nobody_learns_who_has_an_account(web: Web) -> None:
    """For an account and for none the answers are the same, whatever credentials are sent."""

    def answers(address: str) -> list[tuple[int, str]]:
        body = REQUEST.format(address=address, schema=OUTLOOK).encode()
        with HttpClient(web.port, (address, "guess")) as client:
            found = [
                client.request("GET", f"{MOZILLA}?emailaddress={address}"),
                client.request("POST", V1, body=body),
                client.request("GET", f"{V2}?Email={address}&Protocol=AutodiscoverV1"),
            ]
        return [(one.status, one.text.replace(address, "WHO")) for one in found]

    known = web.account.address
    domain = known.partition("@")[2]
    assert answers(known) == answers(f"nobody-at-all@{domain}")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", MOZILLA, 405),
        ("PUT", V1, 405),
        ("POST", V2, 405),
        ("POST", APPLE, 405),
        ("GET", "/autodiscover/other.xml", 404),
        ("GET", f"{MOZILLA}?{'a=1&' * 30}", 400),
        ("HEAD", MOZILLA, 200),
    ],
)
def test_other_requests(web: Web, method: str, path: str, status: int) -> None:
    """What is not asked in these ways has a plain answer."""
    answer = ask(web, path, method)
    assert answer.status == status
    assert method != "HEAD" or answer.body == b""


def test_the_help_offers_the_profile(web: Web) -> None:
    """The form leads to the profile, which the page's own policy lets it."""
    assert 'href="/help"' in ask(web, "/").text
    page = ask(web, "/help")
    assert f'<form action="{APPLE}">' in page.text
    assert "form-action 'self'" in (page.header("Content-Security-Policy") or "")
