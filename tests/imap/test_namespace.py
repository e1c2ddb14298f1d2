"""NAMESPACE (RFC 2342)."""

from __future__ import annotations

from tests.kit.server import TestServer


def test_personal_namespace(server: TestServer) -> None:
    """One personal namespace without prefix; nothing that does not exist."""
    client = server.imap(server.account())
    assert client.ok("NAMESPACE").lines == [b'* NAMESPACE (("" "/")) NIL NIL']
    assert b"NAMESPACE" in client.ok("CAPABILITY").lines[0].split()


def test_only_after_login(server: TestServer) -> None:
    """Who is not signed in has no names."""
    client = server.imap()
    assert client.cmd("NAMESPACE").status == "BAD"
