"""The messages that CPython's own tests of its email package use: real, odd and broken ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import imapclient
import pytest

from folkmoot.storage.content.mime import index_message
from folkmoot.storage.content.sections import PartTable, PartText
from folkmoot.storage.content.source import BytesSource
from tests.imap.fetched import literals
from tests.kit.imap import ImapClient
from tests.kit.server import TestServer

_PACKAGE = importlib.util.find_spec("test")
_FOLDERS = [
    Path(folder) / "test_email" / "data"
    for folder in (_PACKAGE.submodule_search_locations or () if _PACKAGE else ())
]
FILES = sorted(
    file for folder in _FOLDERS if folder.is_dir() for file in folder.iterdir() if file.is_file()
)

pytestmark = pytest.mark.skipif(
    not FILES, reason="THIS PYTHON WAS BUILT WITHOUT ITS TESTS: no real messages to try"
)


@pytest.fixture
def messages() -> dict[str, bytes]:
    """The octets of each file by its name; empty files are no messages."""
    found = {file.name: file.read_bytes() for file in FILES}
    return {name: octets for name, octets in found.items() if octets}


def _append_all(client: ImapClient, messages: dict[str, bytes]) -> None:
    # ~{…}: some hold NUL
    parts = b"".join(b" ~{%d+}\r\n%b" % (len(one), one) for one in messages.values())
    assert client.ok(b"APPEND INBOX" + parts).code.endswith(f" 1:{len(messages)}")


def _on_the_wire(octets: bytes) -> bytes:
    """Literals hold no NUL (RFC 9051 section 4.3.1): outside of BINARY it is sent as 0x80."""
    return octets.replace(b"\0", b"\x80")


def _paths(table: PartTable) -> Iterator[tuple[int, ...]]:
    """All part numbers that exist."""
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        above = waiting.pop()
        for number in range(1, len(table.parts) + 2):
            path = (*above, number)
            if table.find(path) is None or len(path) > 20:
                break
            yield path
            waiting.append(path)


def test_octet_for_octet(server: TestServer, messages: dict[str, bytes]) -> None:
    """What was appended comes back, in lines of CRLF or LF and with whatever it holds."""
    client = server.imap(server.account(), "INBOX")
    _append_all(client, messages)
    client.ok("NOOP")
    lines = client.ok("FETCH 1:* (RFC822.SIZE BODY.PEEK[])").matching("FETCH")
    for (name, octets), line in zip(messages.items(), lines, strict=True):
        assert literals(line).get(b"BODY[]") == _on_the_wire(octets), name
        assert b"RFC822.SIZE %d " % len(octets) in line, name


def test_every_part_by_its_number(server: TestServer, messages: dict[str, bytes]) -> None:
    """BODY[n], BODY[n.MIME], BODY[HEADER] and BODY[TEXT] are the octets at the stored offsets."""
    # rfc9051#6.4.5.1
    client = server.imap(server.account(), "INBOX")
    _append_all(client, messages)
    client.ok("NOOP")
    parts = 0
    for number, (name, octets) in enumerate(messages.items(), 1):
        table = index_message(BytesSource(octets)).parts
        wanted: dict[bytes, bytes] = {}
        for path in ((), *_paths(table)):
            for what in PartText:
                extent = table.locate(path, what)
                if extent is None or (not path and what is PartText.MIME):
                    continue
                words = [*map(str, path), *([what.value] if what is not PartText.ALL else [])]
                section = f"BODY[{'.'.join(words)}]".encode()
                part = octets[extent.offset : extent.offset + extent.length]
                wanted[section] = _on_the_wire(part)
        items = b" ".join(b"BODY.PEEK" + section.removeprefix(b"BODY") for section in wanted)
        [line] = client.ok(b"FETCH %d (%b)" % (number, items)).matching("FETCH")
        got = literals(line)
        for section, expected in wanted.items():
            empty = not expected and section + b' ""' in line
            assert empty or got.get(section) == expected, (name, section)
            parts += 1
    assert parts > 4 * len(messages)


def test_clients_can_read_what_is_said_of_them(
    server: TestServer, messages: dict[str, bytes]
) -> None:
    """ENVELOPE and BODYSTRUCTURE parse in a client that is not ours."""
    account = server.account()
    _append_all(server.imap(account), messages)
    with imapclient.IMAPClient("127.0.0.1", server.imap_port, ssl=False) as client:
        client.login(account.address, account.password)
        client.select_folder("INBOX")
        items = ["ENVELOPE", "BODYSTRUCTURE", "BODY", "INTERNALDATE", "RFC822.SIZE", "FLAGS"]
        fetched = client.fetch(range(1, len(messages) + 1), items)
        assert len(fetched) == len(messages)
        for data, (name, octets) in zip(
            (fetched[uid] for uid in sorted(fetched)), messages.items(), strict=True
        ):
            assert data[b"RFC822.SIZE"] == len(octets), name
            assert data[b"BODYSTRUCTURE"] is not None, name
            assert data[b"BODYSTRUCTURE"].is_multipart in (True, False), name
            envelope = data[b"ENVELOPE"]
            for addresses in (envelope.from_, envelope.to, envelope.cc, envelope.sender):
                for address in addresses or ():
                    if address.mailbox is not None:  # else the end of a group
                        assert str(address)


def test_searches_pass_over_them(server: TestServer, messages: dict[str, bytes]) -> None:
    """No search stumbles, whatever charset, date or encoding a message claims to have."""
    client = server.imap(server.account(), "INBOX")
    _append_all(client, messages)
    client.ok("NOOP")
    everything = client.ok("SEARCH ALL").lines
    assert everything == [b"* SEARCH " + b" ".join(b"%d" % n for n in range(1, len(messages) + 1))]
    for key in (
        'TEXT "the"',
        'BODY "a"',
        'SUBJECT "e"',
        'FROM "barry"',
        'TO "@"',
        'HEADER Message-ID ""',
        "SENTSINCE 1-Jan-1990",
        "SENTBEFORE 1-Jan-2030",
        "SENTON 1-Jan-2001",
        "LARGER 1000",
        'NOT TEXT "nothing of this kind"',
    ):
        assert client.ok(f"SEARCH {key}").lines, key
    assert len(client.ok('SEARCH FROM "barry"').lines[0].split()) > 5
    assert client.ok('SEARCH NOT TEXT "nothing of this kind"').lines == everything


def test_header_fields(server: TestServer, messages: dict[str, bytes]) -> None:
    """Chosen header fields of every message, as mail clients ask for them in lists."""
    client = server.imap(server.account(), "INBOX")
    _append_all(client, messages)
    client.ok("NOOP")
    fields = "(DATE FROM TO CC SUBJECT MESSAGE-ID REFERENCES IN-REPLY-TO CONTENT-TYPE)"
    lines = client.ok(f"FETCH 1:* (BODY.PEEK[HEADER.FIELDS {fields}])").matching("FETCH")
    assert len(lines) == len(messages)
    for (name, octets), line in zip(messages.items(), lines, strict=True):
        header = next(iter(literals(line).values()), b"")
        for row in header.splitlines():
            assert row in octets, (name, row)
