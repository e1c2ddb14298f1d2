"""NAMESPACE (RFC 2342)."""

from __future__ import annotations

from tests.kit.server import TestServer


def test_namespaces(server: TestServer) -> None:
    """One's own without prefix, what others share, what groups have. # rfc9051#6.3.10, rfc2342#5"""
    # rfc2342#2, rfc9051#7.3.2
    client = server.imap(server.account())
    assert client.ok("NAMESPACE").lines == [
        b'* NAMESPACE (("" "/")) (("Shared/" "/")) (("Groups/" "/"))'
    ]
    assert b"NAMESPACE" in client.ok("CAPABILITY").lines[0].split()


def test_only_after_login(server: TestServer) -> None:
    """Who is not signed in has no names. # rfc2342#4"""
    client = server.imap()
    assert client.cmd("NAMESPACE").status == "BAD"
