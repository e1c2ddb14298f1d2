"""Proxies in front: whom the server believes, and what it then sees of clients."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from folkmoot.protocols.http.forwarded import Proxies
from folkmoot.protocols.http.limits import HttpLimits
from tests.http.conftest import MakeWeb, Web
from tests.kit.http import basic

PROXIES = Proxies(tuple(map(ipaddress.ip_network, ("127.0.0.1", "10.1.0.0/16", "::1"))))


def shown(web: Web, *fields: tuple[str, str]) -> dict[str, Any]:
    with web.client() as client:
        answer = client.request("GET", "/dav/show", fields)
        assert answer.status == 200, answer.status
        found: dict[str, Any] = json.loads(answer.text)
        return found


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),  # the first was said by the client
        ("203.0.113.9, 192.0.2.7, 10.1.2.3", "192.0.2.7"),  # two proxies in a row
        ("10.1.2.3", "10.1.2.3"),
        ("203.0.113.9, unknown", "127.0.0.1"),
        ("203.0.113.9, unknown, 10.1.2.3", "10.1.2.3"),
        ("", "127.0.0.1"),
        ("192.0.2.7," * 100, "127.0.0.1"),
        ("192.0.2.999", "127.0.0.1"),
    ],
)
def test_the_last_that_no_proxy_has_is_the_client(told: str, client: str) -> None:
    """What a client writes itself stands before what the first proxy adds, and is not believed."""
    fields = [("x-forwarded-for", told), ("forwarded", "for=198.51.100.1")]
    assert PROXIES.client("127.0.0.1", fields) == client
    assert PROXIES.client("::ffff:127.0.0.1", [("x-forwarded-for", "192.0.2.7")]) == "192.0.2.7"
    assert PROXIES.client("192.0.2.1", fields) == "192.0.2.1"
    assert Proxies().client("127.0.0.1", fields) == "127.0.0.1"


def test_several_fields_are_one_list() -> None:
    """Some proxies add a field of their own. # rfc9110#5.3"""
    fields = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.7")]
    assert PROXIES.client("::1", fields) == "192.0.2.7"
    proto = [("x-forwarded-proto", "http"), ("x-forwarded-proto", "HTTPS")]
    assert PROXIES.secure("::1", proto)
    assert not PROXIES.secure("::1", proto[:1])
    assert not PROXIES.secure("192.0.2.1", proto)


def test_strangers_are_not_believed(web: Web) -> None:
    """Without proxies in the config nobody can take another address."""
    facts = shown(web, ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https"))
    assert (facts["peer"], facts["secure"]) == ("127.0.0.1", False)


def test_the_client_behind_a_proxy_is_seen(make_web: MakeWeb) -> None:
    """Each request has the address of its client, and its URLs the scheme that the client used."""
    with make_web(proxies=PROXIES) as web:
        facts = shown(web, ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https"))
        assert (facts["peer"], facts["secure"]) == ("192.0.2.7", True)
        assert facts["base_url"].startswith("https://")
        assert shown(web)["peer"] == "127.0.0.1"


def test_guessing_slows_down_one_client_and_not_the_proxy(make_web: MakeWeb) -> None:
    """Where the account has signed in before, it still does, through the same proxy."""
    with make_web(proxies=PROXIES) as web, web.client(login=False) as client:

        def status(password: str, address: str) -> int:
            sent = [
                ("Authorization", basic(web.account.address, password)),
                ("X-Forwarded-For", address),
            ]
            return client.request("GET", "/dav/show", sent).status

        assert status(web.account.password, "198.51.100.1") == 200
        guesses = [status(f"guess {number}", "192.0.2.7") for number in range(15)]
        assert guesses[-1] == 503
        assert status(web.account.password, "192.0.2.7") == 503
        assert status(web.account.password, "198.51.100.1") == 200


def test_tls_may_end_at_the_proxy(make_web: MakeWeb) -> None:
    """Passwords are taken from a client that came to the proxy by TLS, and from no other."""
    with make_web(proxies=PROXIES, plaintext_logins=False) as web, web.client() as client:
        assert client.request("GET", "/dav/show").status == 403
        for scheme, status in (("https", 200), ("http", 403)):
            sent = [("X-Forwarded-Proto", scheme), ("X-Forwarded-For", "192.0.2.7")]
            assert client.request("GET", "/dav/show", sent).status == status


def test_a_proxy_may_have_many_connections(make_web: MakeWeb) -> None:
    """They are of many clients."""
    limits = HttpLimits(connections_per_address=1)
    with make_web(limits, proxies=PROXIES) as web, web.client() as one, web.client() as other:
        assert one.request("GET", "/dav/show").status == 200
        assert other.request("GET", "/dav/show").status == 200
    with make_web(limits) as web, web.client() as one, web.client() as other:
        assert one.request("GET", "/dav/show").status == 200
        assert other.request("GET", "/dav/show").status == 503
