"""Greeting, signing in, selecting, and what one session tells another."""

from __future__ import annotations

from tests.kit.server import TestServer


def test_greeting_offers_capabilities(server: TestServer) -> None:
    """A client learns from the greeting what it may do. # rfc9051#7.1"""
    client = server.imap()
    assert client.greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 IMAP4rev2 ")
    assert b"AUTH=PLAIN" in client.greeting


def test_login_and_select(server: TestServer) -> None:
    """The first steps of every client."""
    client = server.imap(server.account())
    response = client.ok("SELECT INBOX")
    assert response.code == "READ-WRITE"
    assert b"* 0 EXISTS" in response.lines
    assert response.matching("UIDVALIDITY")
    assert client.ok("LOGOUT").lines[0].startswith(b"* BYE")
    assert client.at_end()
