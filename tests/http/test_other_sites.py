"""Pages of other sites, in a browser that remembers somebody's password for this one."""

from __future__ import annotations

import gzip

import pytest

from tests.http.conftest import Web

FORM = ("Content-Type", "text/plain")


@pytest.mark.parametrize(
    "fields",
    [
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")],
    ],
)
def test_forms_of_other_sites_are_refused(web: Web, fields: list[tuple[str, str]]) -> None:
    """A browser sends such a form with the password that it has; nothing may come of it."""
    with web.client() as client:
        answer = client.request("POST", "/dav/read", [FORM, *fields], b"x=1")
        assert answer.status == 403
        assert "another site" in answer.text
    assert web.shown.requests == []


def test_own_pages_and_programs_are_not(web: Web) -> None:
    """Programs say nothing of where they come from; pages of this server are of this server."""
    with web.client() as client:
        own: list[list[tuple[str, str]]] = [
            [],
            [("Origin", f"http://{client.host}")],
            [("Origin", f"https://{client.host}"), ("Sec-Fetch-Site", "same-origin")],
            [("Sec-Fetch-Site", "none")],
        ]
        for fields in own:
            answer = client.request("POST", "/dav/read", [FORM, *fields], b"x=1")
            assert answer.status == 200, fields


def test_other_methods_are_asked_for_first(web: Web) -> None:
    """Browsers ask before they send anything but GET and POST, and hear of no permission."""
    asked = [
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Method", "DELETE"),
        ("Access-Control-Request-Headers", "authorization"),
    ]
    with web.client(login=False) as client:
        answer = client.request("OPTIONS", "/dav/show", asked)
        assert not [name for name, _ in answer.fields if name.startswith("access-control")]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-gzip", "gzip, identity"])
def test_packed_bodies_are_refused(web: Web, coding: str) -> None:
    """A few octets that stand for gigabytes are never unpacked. # rfc9110#15.5.16"""
    bomb = gzip.compress(bytes(10_000_000))
    with web.client() as client:
        answer = client.request("PUT", "/dav/spool", [("Content-Encoding", coding)], bomb)
        assert answer.status == 415
        assert answer.header("Accept-Encoding") == "identity"
        plain = client.request("PUT", "/dav/spool", [("Content-Encoding", "identity")], b"x")
        assert plain.status == 201
    assert web.shown.requests == ["PUT /dav/spool"]
