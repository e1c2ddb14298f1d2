"""SEARCH=FUZZY through the wire."""

from __future__ import annotations

import pytest

from tests.kit.databases import Databases
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer


@pytest.fixture(scope="module")
def client(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> ImapClient:
    """A session with four messages about nearly the same."""
    server = TestServer(databases.fresh("sqlite"), tmp_path_factory.mktemp("fuzzy"))
    client = server.imap(server.account())
    for subject in ("Broken IMAP", "IMAP is borken", "Lunch", "imap broken again"):
        client.append("INBOX", simple(subject))
    client.ok("SELECT INBOX")
    return client


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('FUZZY SUBJECT "imap broken"', b"1 2 4"),
        ('SUBJECT "imap broken"', b"4"),
        ('FUZZY (SUBJECT "broken" NOT SUBJECT "again")', b"1 2"),
        ('FUZZY OR SUBJECT "brokne" SUBJECT "lunch"', b"1 3 4"),
        ('FUZZY BODY "wrold, helo"', b""),
        ('FUZZY TEXT "hello world again"', b"4"),
        ("FUZZY SEEN", b""),
        ('FUZZY SUBJECT ""', b"1 2 3 4"),
    ],
)
def test_fuzzy_keys(client: ImapClient, keys: str, expected: bytes) -> None:
    """FUZZY goes for the key behind it; others are exact. # rfc6203#3"""
    assert client.ok(f"SEARCH {keys}").lines == [(b"* SEARCH " + expected).rstrip()]


def test_relevancy(client: ImapClient) -> None:
    """Scores come in the order of the results; with PARTIAL, of those that it names. # rfc6203#4"""
    [line] = client.ok('SEARCH RETURN (ALL RELEVANCY) FUZZY SUBJECT "broken imap"').lines
    assert line.endswith(b" ALL 1:2,4 RELEVANCY (100 68 90)")
    query = 'RETURN (PARTIAL 2:3 RELEVANCY) FUZZY SUBJECT "broken imap"'
    [line] = client.ok(f"UID SEARCH {query}").lines
    assert line.endswith(b" UID RELEVANCY (68 90) PARTIAL (2:3 2,4)")
    [line] = client.ok("SEARCH RETURN (RELEVANCY) FUZZY SUBJECT nothing").lines
    assert line.endswith(b" RELEVANCY ()")
    assert client.cmd("SEARCH RETURN (RELEVANCY) SUBJECT broken").status == "BAD"


def test_sorting_by_relevancy(client: ImapClient) -> None:
    """The best comes first (RFC 6203 section 5); without a fuzzy key it means nothing."""
    # rfc6203#6
    fuzzy = 'UTF-8 FUZZY SUBJECT "broken imap"'
    assert client.ok(f"SORT (RELEVANCY) {fuzzy}").lines == [b"* SORT 1 4 2"]
    assert client.ok(f"SORT (REVERSE RELEVANCY SUBJECT) {fuzzy}").lines == [b"* SORT 2 4 1"]
    assert client.cmd("SORT (RELEVANCY) UTF-8 ALL").status == "BAD"
