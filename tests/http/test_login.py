"""Signing in by HTTP: Basic, where it may be sent, through the one way in."""

from __future__ import annotations

import base64
import json
from functools import partial

import pytest

from folkmoot.auth.accounts import AccountWanted
from tests.http.conftest import MakeWeb, Web
from tests.kit import reactor
from tests.kit.http import basic
from tests.kit.server import DOMAIN, PASSWORD


def test_nobody_gets_in_without_a_password(web: Web) -> None:
    """The challenge names the realm and UTF-8; what was wrong is not told."""
    # rfc7617#2, rfc7617#2.1, rfc9110#11.6.1
    with web.client(login=False) as client:
        for fields in (
            [],
            [("Authorization", basic(web.account.address, "wrong"))],
            [("Authorization", basic("nobody@example.test", "wrong"))],
            [("Authorization", "Basic !!!")],
            [("Authorization", "Basic " + base64.b64encode(b"no colon").decode())],
            [("Authorization", "Bearer token")],
            [("Authorization", "Basic")],
        ):
            answer = client.request("GET", "/dav/show", fields)
            assert answer.status == 401, fields
            assert answer.header("WWW-Authenticate") == 'Basic realm="Folkmoot", charset="UTF-8"'
    assert web.shown.requests == []


def test_names_as_clients_send_them(web: Web) -> None:
    """The whole address in any case, with an escaped at-sign (iOS 18.4), or the bare name."""
    address, password = web.account.address, web.account.password
    names = (address, address.upper(), address.replace("@", "%40"), address.partition("@")[0])
    with web.client(login=False) as client:
        for name in names:
            fields = [("Authorization", basic(name, password))]
            assert client.request("GET", "/dav/show", fields).status == 200, name
        fields = [("Authorization", basic(address, password).replace("Basic", "bAsIc"))]
        assert client.request("GET", "/dav/show", fields).status == 200


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_passwords_beyond_ascii(web: Web, encoding: str) -> None:
    """Clients that do not know UTF-8 send Latin-1."""
    password = "größer: als nötig"
    wanted = AccountWanted(address=f"umlaut@{DOMAIN}", password=password)
    reactor.call(lambda: web.server.accounts.create(wanted))
    with web.client(login=False) as client:
        fields = [("Authorization", basic(f"umlaut@{DOMAIN}", password, encoding))]
        assert client.request("GET", "/dav/show", fields).status == 200


def test_no_passwords_in_the_clear(make_web: MakeWeb) -> None:
    """Without TLS and permission there is no login at all, not even the challenge for one."""
    with make_web(plaintext_logins=False) as web, web.client() as client:
        answer = client.request("GET", "/dav/show")
        assert answer.status == 403
        assert "https" in answer.text
        assert answer.header("WWW-Authenticate") is None
        assert client.request("GET", "/").status == 200
        assert client.request("PROPFIND", "/.well-known/caldav").status == 301
        assert web.shown.requests == []
    with make_web(plaintext_logins=False, tls=True) as web, web.client() as client:
        assert client.request("GET", "/dav/show").status == 200


def test_guessing_is_slowed_down(web: Web) -> None:
    """After many wrong passwords even the right one has to wait. # rfc9110#15.6.4"""
    with web.client(login=False) as client:
        statuses = []
        for number in range(30):
            fields = [("Authorization", basic(web.account.address, f"guess {number}"))]
            answer = client.request("GET", "/dav/show", fields)
            statuses.append(answer.status)
            if answer.status == 503:
                break
        assert statuses[-1] == 503  # other than 401, 4xx makes Thunderbird switch a calendar off
        assert set(statuses[:-1]) == {401}
        assert int(answer.header("Retry-After") or 0) > 0
        fields = [("Authorization", basic(web.account.address, web.account.password))]
        assert client.request("GET", "/dav/show", fields).status == 503


def test_app_passwords_are_for_their_protocols(web: Web) -> None:
    """A password for mail does not open calendars, and the other way round it does."""
    address = web.account.address
    cases: list[tuple[tuple[str, ...], int]] = [(("imap",), 401), (("dav",), 200), ((), 200)]
    for protocols, status in cases:
        add = partial(web.server.accounts.add_app_password, address, str(protocols), protocols)
        _, password = reactor.call(add)
        with web.client(login=False) as client:
            fields = [("Authorization", basic(address, password))]
            assert client.request("GET", "/dav/show", fields).status == status, protocols


def test_a_changed_password_ends_access_at_once(web: Web) -> None:
    """A connection that was signed in has to prove itself with each request."""
    with web.client() as client:
        assert client.request("GET", "/dav/show").status == 200
        address = web.account.address
        reactor.call(lambda: web.server.accounts.set_password(address, "another password"))
        assert client.request("GET", "/dav/show").status == 401
        client.login = (address, "another password")
        assert client.request("GET", "/dav/show").status == 200


def test_each_request_is_somebodys_own(web: Web) -> None:
    """Two people behind one connection (a proxy) are told apart."""
    other = web.server.account()
    with web.client() as client:
        for account in (web.account, other, web.account):
            client.login = (account.address, PASSWORD)
            assert json.loads(client.request("GET", "/dav/show").body)["account"] == account.id


def test_options_without_credentials(web: Web) -> None:
    """Programs ask what there is before they sign in; wrong credentials are wrong here too."""
    with web.client(login=False) as client:
        assert client.request("OPTIONS", "/dav/show").status == 200
        fields = [("Authorization", basic(web.account.address, "wrong"))]
        assert client.request("OPTIONS", "/dav/show", fields).status == 401
