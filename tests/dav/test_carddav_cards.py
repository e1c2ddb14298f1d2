"""PUT, POST and GET of cards: what a book takes, what it answers, versions by Accept."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from folkmoot.storage.types import Limit, Tool
from tests.dav.books import CS, Books, R
from tests.dav.cards import APPLE, APPLE_GROUP, GOOGLE, OUTLOOK, card
from tests.kit.dav import D, conditions
from tests.kit.http import Answer
from tests.kit.server import TestServer

JANE = card("EMAIL:jane@example.org", uid="jane")
FOUR = card("FN:Zoë", "ANNIVERSARY:20100620", version="4.0", uid="zoe")


@pytest.fixture
def books(server: TestServer) -> Books:
    """Somebody with an empty address book, on SQLite."""
    return Books(server).begin()


@pytest.fixture
def any_books(any_server: TestServer) -> Books:
    """The same on each kind of database."""
    return Books(any_server).begin()


# --- storing --------------------------------------------------------------------------------------


def test_octets_stay(any_books: Books) -> None:
    """What is stored is what was sent, so the answer has its tag, and GET gives the same."""
    # rfc6352#6.3.2.3, rfc6352#6.3.2
    for number, octets in enumerate((APPLE, APPLE_GROUP, GOOGLE, OUTLOOK, FOUR)):
        first = any_books.put(f"{number}.vcf", octets)
        assert first.status == 201
        answer = any_books.call("GET", f"{number}.vcf")
        assert answer.body == octets
        assert answer.header("etag") == first.header("etag") is not None
        assert answer.header("content-type") == "text/vcard; charset=utf-8"
        assert any_books.put(f"{number}.vcf", octets).status == 204


@pytest.mark.parametrize("kind", ["text/vcard", "TEXT/X-VCard; charset=utf-8", "text/directory"])
def test_types_of_cards(books: Books, kind: str) -> None:
    """The names that cards are sent under all mean the same."""
    books.put("a.vcf", JANE, Content_Type=kind)
    found = books.propfind("a.vcf", "getcontenttype").only
    assert found.text("getcontenttype") == "text/vcard; charset=utf-8"


def test_no_type_is_a_card(books: Books) -> None:
    """Programs that say nothing are judged by what they send."""
    assert books.call("PUT", "a.vcf", JANE, Content_Type=None).status == 201
    assert refused(books.call("PUT", "b.vcf", b"x", Content_Type=None)) == (
        403,
        "valid-address-data",
    )


def test_a_missing_uid_is_given(any_books: Books) -> None:
    """A card without UID gets one; the answer has no tag, as other octets are stored."""
    # rfc6352#6.3.2.3
    answer = any_books.put("a.vcf", card(uid=None))
    assert (answer.status, answer.header("etag")) == (201, None)
    assert b"\r\nUID:urn:uuid:" in any_books.get("a.vcf")
    assert any_books.put("a.vcf", card("NOTE:new", uid=None)).header("etag") is None


def refused(answer: Answer) -> tuple[int, str]:
    """Status and condition of an answer."""
    [name] = conditions(answer)
    return answer.status, name.removeprefix(R)


@pytest.mark.parametrize(
    ("octets", "kind", "status", "condition"),
    [
        (JANE, "text/calendar", 415, "supported-address-data"),
        (JANE, "application/octet-stream", 415, "supported-address-data"),
        (b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:x\r\nUID:1\r\nEND:VCARD\r\n", "text/vcard", 415,
         "supported-address-data"),
        (b"", "text/vcard", 403, "valid-address-data"),
        (b"hello", "text/vcard", 403, "valid-address-data"),
        (JANE + JANE, "text/vcard", 403, "valid-address-data"),
        (JANE.replace(b"END:VCARD\r\n", b""), "text/vcard", 403, "valid-address-data"),
        (card("NOTE:\x01"), "text/vcard", 403, "valid-address-data"),
        (card("NOTE:" + "x" * (1 << 20)), "text/vcard", 403, "max-resource-size"),
        (card("NOTE:" + "x" * (300 << 10)), "text/vcard", 403, "valid-address-data"),
    ],
)  # fmt: skip
def test_what_is_refused(
    books: Books, octets: bytes, kind: str, status: int, condition: str
) -> None:
    """Each rule of RFC 6352 section 6.3.2.1 is named, and nothing is left behind."""
    for method, path in (("PUT", "a.vcf"), ("POST", "")):
        # A connection whose body was not read is closed.
        with books.server.http(books.account) as http:
            answer = http.request(method, books.book + path, [("Content-Type", kind)], octets)
        assert refused(answer) == (status, condition)
    assert books.propfind("", "getetag", depth=1).hrefs == [books.book]


def test_too_large_is_known_early(books: Books) -> None:
    """A body that is announced, or grows, beyond the limit is refused before it is all there."""
    # rfc6352#6.2.3
    fields = [("Content-Type", "text/vcard"), ("Expect", "100-continue")]
    books.http.head("PUT", books.book + "a.vcf", fields, length=1 << 40)
    answer = books.http.answer("PUT")
    assert refused(answer) == (403, "max-resource-size")
    with books.server.http(books.account) as other:
        other.head("PUT", books.book + "a.vcf", [fields[0], ("Transfer-Encoding", "chunked")])
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(18):
            other.send(piece)
        assert refused(other.answer("PUT")) == (403, "max-resource-size")


def test_uids_are_unique(any_books: Books) -> None:
    """A second card with a UID is refused, and the answer has the URL of the first."""
    # rfc6352#6.3.2.1
    books = any_books
    books.put("caf%C3%A9.vcf", JANE)
    for answer in (books.call("PUT", "b.vcf", JANE), books.call("POST", "", JANE)):
        assert refused(answer) == (409, "no-uid-conflict")
        href = ElementTree.fromstring(answer.text).findtext(f"{R}no-uid-conflict/{D}href")
        assert href == books.book + "caf%C3%A9.vcf"
    books.put("other.vcf", card(uid="other"))
    changed = books.call("PUT", "other.vcf", card(uid="third"))
    assert refused(changed) == (409, "no-uid-conflict")
    copied = books.call("COPY", "other.vcf", Destination=books.book + "again.vcf")
    assert refused(copied) == (409, "no-uid-conflict")
    assert books.new_book("Second").status == 201
    target = books.home + "Second/other.vcf"
    assert books.call("COPY", "other.vcf", Destination=target).status == 201
    assert books.call("MOVE", "other.vcf", Destination=target, Overwrite="T").status == 204


def test_conditions_of_put(books: Books) -> None:
    """A card that somebody else has changed is not overwritten. # rfc9110#13.1.1"""
    etag = books.put("a.vcf", JANE, If_None_Match="*").header("etag") or ""
    assert books.call("PUT", "a.vcf", JANE, If_None_Match="*").status == 412
    changed = JANE.replace(b"jane@", b"j@")
    assert books.put("a.vcf", changed, If_Match=etag).status == 204
    assert books.call("PUT", "a.vcf", JANE, If_Match=etag).status == 412
    assert books.call("DELETE", "a.vcf", If_Match=etag).status == 412
    assert books.get("a.vcf") == changed


def test_cards_stay_in_books(books: Books) -> None:
    """No cards in the home, no collections in books, no documents among cards. # rfc6352#5.2"""
    assert books.call("PUT", books.home + "a.vcf", JANE).status == 403
    assert books.call("PUT", books.home + "No/a.vcf", JANE).status == 409
    assert books.call("PUT", "sub/a.vcf", JANE).status == 409
    inside = books.call("MKCOL", "sub")
    assert (inside.status, conditions(inside)) == (403, ["valid-resourcetype"])
    assert refused(books.new_book("Test/Sub")) == (403, "addressbook-collection-location-ok")
    drive = "/dav/drive/My%20documents/a.vcf"
    books.call("PUT", drive, JANE)
    assert books.call("COPY", drive, Destination=books.book + "a.vcf").status == 403
    books.put("a.vcf", JANE)
    assert books.call("MOVE", "a.vcf", Destination=books.home + "a.vcf").status == 403
    assert books.get("a.vcf") == JANE


def test_quota_of_contacts(server: TestServer) -> None:
    """The card that is one too many is refused as RFC 4331 says."""
    account = server.account(limits={Tool.CONTACTS: Limit(None, 2)})
    books = Books(server, account).begin()
    for number in range(2):
        books.put(f"{number}.vcf", card(uid=str(number)))
    answer = books.call("PUT", "2.vcf", card(uid="2"))
    assert (answer.status, conditions(answer)) == (507, ["quota-not-exceeded"])
    books.put("1.vcf", card("NOTE:new", uid="1"))


def test_strangers(server: TestServer) -> None:
    """Another person's cards are not there, whatever is asked."""
    books, stranger = Books(server).begin(), Books(server).begin()
    books.put("a.vcf", JANE)
    path = books.book + "a.vcf"
    for method in ("GET", "HEAD", "DELETE", "PROPFIND"):
        assert stranger.call(method, path, Depth="0").status == 404
    assert stranger.call("PUT", path, JANE).status in (403, 404)
    assert stranger.call("PUT", books.book + "b.vcf", JANE).status in (403, 404)
    assert stranger.call("POST", books.book, JANE).status in (403, 404)
    target = stranger.book + "a.vcf"
    assert stranger.call("COPY", path, Destination=target).status == 404
    assert books.propfind("", "getetag", depth=1).hrefs == [books.book, path]


def test_post_adds_a_card(any_books: Books) -> None:
    """The server finds a name, and says which. # rfc5995#3.1"""
    answer = any_books.call("POST", "", JANE)
    assert answer.status == 201
    location = answer.header("location") or ""
    path = location[location.index("/dav/") :]
    assert path.startswith(any_books.book)
    assert path.endswith(".vcf")
    assert any_books.get(path) == JANE


def test_sync_of_cards(any_books: Books) -> None:
    """New, changed and removed cards, and the tags that go with them. # rfc6578#3.2"""
    books = any_books
    token = books.sync("").sync_token
    etag = books.put("a.vcf", JANE).header("etag")
    ctag = books.propfind("", f"{CS}getctag").only.text(f"{CS}getctag")
    found = books.sync("", token)
    assert found.only.href == books.book + "a.vcf"
    assert found.only.text("getetag") == etag
    assert books.call("DELETE", "a.vcf").status == 204
    gone = books.sync("", found.sync_token)
    assert (gone.only.href, gone.only.status) == (books.book + "a.vcf", 404)
    assert books.propfind("", f"{CS}getctag").only.text(f"{CS}getctag") != ctag


# --- GET ------------------------------------------------------------------------------------------


def versions(books: Books, accept: str | None) -> Iterator[str]:
    """The versions in which a 3.0 and a 4.0 card come."""
    for name in ("three.vcf", "four.vcf"):
        body = books.get(name, Accept=accept).decode()
        yield body[body.index("VERSION:") + 8 :][:3]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, ""),
        ("*/*", ""),
        ("text/vcard", ""),
        ("text/html, application/xhtml+xml, */*;q=0.8", ""),
        ("text/xml", ""),
        ("text/vcard;version=3.0, text/vcard;version=4.0", ""),
        ("text/vcard; version=4.0", "4.0"),
        ('text/vcard; charset=utf-8; version="3.0"', "3.0"),
        ("text/vcard;version=4.0, */*", "4.0"),
        ("text/vcard;version=4.0, text/vcard;q=0.5", "4.0"),
        ("text/vcard;version=3.0;q=0.2, text/vcard;version=4.0;q=0.9", "4.0"),
        ("text/vcard;version=4.0;q=0, text/vcard", "3.0"),
        ("text/vcard;version=4.0;q=0.5, */*", "3.0"),
        ("TEXT/VCARD;Version=3.0;q=nan", "3.0"),
    ],
)
def test_accept(books: Books, accept: str | None, wanted: str) -> None:
    """The version is the one that Accept prefers; where both will do, the card stays as it is."""
    # rfc6352#5.1.1, rfc9110#12.5.1
    books.put("three.vcf", JANE)
    books.put("four.vcf", FOUR)
    assert [*versions(books, accept)] == ([wanted] * 2 if wanted else ["3.0", "4.0"])


@pytest.mark.parametrize(
    "accept", ["text/vcard;version=2.1", "application/vcard+json", "text/vcard;q=0"]
)
def test_not_acceptable(books: Books, accept: str) -> None:
    """Forms of cards that there are not are refused, and the condition is named."""
    # rfc6352#5.1.1.1
    books.put("a.vcf", JANE)
    answer = books.call("GET", "a.vcf", Accept=accept)
    assert refused(answer) == (406, "supported-address-data-conversion")
    unless = books.call("GET", "a.vcf", Accept=f"{accept}, text/vcard;version=3.0;q=0.1")
    assert unless.body == JANE


def test_tags_of_converted_cards(books: Books) -> None:
    """A converted card has a weak tag, which revalidates but never guards a write or a range."""
    # rfc9110#8.8.1
    strong = books.put("a.vcf", FOUR).header("etag") or ""
    accept = "text/vcard; version=3.0"
    answer = books.call("GET", "a.vcf", Accept=accept, Range="bytes=0-4")
    assert answer.status == 200
    assert answer.header("etag") == f"W/{strong}"
    assert answer.header("vary") == "Accept"
    assert answer.header("content-type") == "text/vcard; charset=utf-8; version=3.0"
    head = books.call("HEAD", "a.vcf", Accept=accept)
    assert (head.body, head.header("content-length")) == (b"", str(len(answer.body)))
    again = books.call("GET", "a.vcf", Accept=accept, If_None_Match=f"W/{strong}")
    assert (again.status, again.header("etag")) == (304, f"W/{strong}")
    assert books.call("GET", "a.vcf", Accept=accept, If_Match='"x"').status == 412
    assert books.call("PUT", "a.vcf", FOUR, If_Match=f"W/{strong}").status == 412
    same = books.call("GET", "a.vcf", Accept="text/vcard; version=4.0")
    assert (same.header("etag"), same.header("vary"), same.body) == (strong, "Accept", FOUR)
    part = books.call("GET", "a.vcf", Range="bytes=0-4")
    assert (part.status, part.body, part.header("vary")) == (206, b"BEGIN", "Accept")


def test_back_and_forth(books: Books) -> None:
    """A program that knows 3.0 only edits a 4.0 card, and what it does not know is not lost."""
    books.put("a.vcf", FOUR)
    three = books.get("a.vcf", Accept="text/vcard; version=3.0")
    books.put("a.vcf", three.replace(b"FN:Zo\xc3\xab", b"FN:Zo\xc3\xab \xc3\x96"))
    four = books.get("a.vcf", Accept="text/vcard; version=4.0")
    assert b"ANNIVERSARY:20100620\r\n" in four
    assert "FN:Zoë Ö\r\n".encode() in four


def test_large_cards_are_converted(books: Books) -> None:
    """A photo that lies in a file comes along."""
    photo = "/9j/" + "A" * 700_000
    books.put("a.vcf", card(f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}"))
    body = books.get("a.vcf", Accept="text/vcard; version=4.0")
    assert f"PHOTO:data:image/jpeg;base64,{photo}\r\n" in body.decode().replace("\r\n ", "")
