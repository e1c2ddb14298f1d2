"""The same hard mail in Dovecot and here: each difference is one that the documentation lists."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.imap.fetch_reader import fetched
from tests.imap.hard_mail import messages
from tests.kit.dovecot import PASSWORD, Dovecot
from tests.kit.imap import ImapClient
from tests.kit.server import TestServer

pytestmark = pytest.mark.e2e

DOCUMENT = Path(__file__).parents[2] / "docs" / "imap-differences.md"
PERSON = "ann@example.test"
FIELDS = "(From To Cc Bcc Subject Date Message-ID Content-Type X-Other)"
WHOLE = (
    "RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT]"
    f" BODY.PEEK[HEADER.FIELDS {FIELDS}] BODY.PEEK[HEADER.FIELDS.NOT {FIELDS}]"
)

Answers = dict[str, dict[str, Any]]
Path_ = tuple[int, ...]


def corpus() -> dict[str, bytes]:
    """Messages that are hard, and those of CPython's own tests with the line ends of mail."""
    found = messages()
    package = importlib.util.find_spec("test.test_email")
    assert package is not None, "this Python lacks its own tests"
    for folder in package.submodule_search_locations or ():
        for file in sorted((Path(folder) / "data").glob("*.txt")):
            octets = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            if octets:
                found[f"cpython-{file.stem}"] = octets
    return found


def documented() -> dict[str, set[str]]:
    """The items that differ, by message, out of lines like ``- `message`: ITEM, ITEM``."""
    found: dict[str, set[str]] = {}
    for name, items in re.findall(r"^- `([^`]+)`: (.+)$", DOCUMENT.read_text(), re.MULTILINE):
        assert name not in found, f"{name} is listed twice"
        found[name] = set(items.split(", "))
    return found


@pytest.fixture
def dovecot() -> Iterator[ImapClient]:
    """A session with an empty INBOX in a Dovecot that serves this test only."""
    with Dovecot([PERSON], "maildir") as server:
        client = ImapClient("127.0.0.1", server.ports["imap"])
        client.login(PERSON, PASSWORD)
        yield client
        client.close()


def fill(client: ImapClient, mail: dict[str, bytes]) -> None:
    """Append everything, in order, and select the mailbox."""
    for octets in mail.values():
        # Only a literal8 may hold NUL; Dovecot rewrites binary parts that come in one.
        form = b"~{%d+}" if b"\0" in octets else b"{%d+}"
        client.ok(b"APPEND INBOX " + form % len(octets) + b"\r\n" + octets)
    client.ok("SELECT INBOX")


def whole(client: ImapClient, mail: dict[str, bytes]) -> Answers:
    """What is said of each message as a whole."""
    lines = client.ok(f"FETCH 1:* ({WHOLE})").matching("FETCH")
    return {name: fetched(line) for name, line in zip(mail, lines, strict=True)}


def parts(client: ImapClient, number: int, sections: list[str]) -> dict[str, Any]:
    """Sections of one message."""
    items = " ".join(f"BODY.PEEK[{section}]" for section in sections)
    [line] = client.ok(f"FETCH {number} ({items})").matching("FETCH")
    return fetched(line)


def sections(body: list[Any], above: Path_ = ()) -> Iterator[str]:
    """The sections that a message with this BODY has: RFC 9051 section 6.4.5."""
    children = [child for child in body if isinstance(child, list)]
    if not isinstance(body[0], list):
        yield from _part(body, (*above, 1))
    else:
        for number, child in enumerate(children, 1):
            yield from _part(child, (*above, number))


def _part(body: list[Any], path: Path_) -> Iterator[str]:
    number = ".".join(map(str, path))
    yield number
    yield f"{number}.MIME"
    if isinstance(body[0], list):
        yield from sections(body, path)
    elif len(body) > 8 and isinstance(body[8], list):
        yield f"{number}.HEADER"
        yield f"{number}.TEXT"
        yield from sections(body[8], path)


def test_dovecot_agrees(server: TestServer, dovecot: ImapClient) -> None:
    """ENVELOPE, structures, sizes and every part: equal, or different as documented, exactly."""
    mail = corpus()
    folkmoot = server.imap(server.account())
    for client in (dovecot, folkmoot):
        fill(client, mail)
    theirs, ours = whole(dovecot, mail), whole(folkmoot, mail)
    different: dict[str, set[str]] = {}
    compared = 0
    for number, name in enumerate(mail, 1):
        both = (theirs[name], ours[name])
        wanted = sorted({section for one in both for section in sections(one["BODY"])})
        for client, answers in zip((dovecot, folkmoot), both, strict=True):
            answers |= parts(client, number, wanted)
        found = {_short(item) for item in both[0] if both[0][item] != both[1][item]}
        compared += len(both[0])
        if found:
            different[name] = found
    assert compared > 3000
    listed = documented()
    unexpected = {name: items for name, items in different.items() if listed.get(name) != items}
    gone = {name: items for name, items in listed.items() if name not in different}
    assert not unexpected, _lines(unexpected)
    assert not gone, _lines(gone)


def _short(item: str) -> str:
    """``BODY[HEADER.FIELDS (…)]`` without the names."""
    return re.sub(r" \(.*\)", "", item)


def _lines(different: dict[str, set[str]]) -> str:
    return "\n" + "\n".join(
        f"- `{name}`: {', '.join(sorted(items))}" for name, items in different.items()
    )


def test_sections_that_do_not_exist(server: TestServer, dovecot: ImapClient) -> None:
    """Documented as well: no such section is NIL here, and an empty string there."""
    account = server.account()
    folkmoot = server.imap(account)
    for client, answer in ((dovecot, b""), (folkmoot, None)):
        fill(client, {"plain": b"Subject: s\r\n\r\ntext\r\n"})
        for section in ("2", "1.1", "1.HEADER", "1.TEXT"):
            assert parts(client, 1, [section]) == {f"BODY[{section}]": answer}, section
