"""Properties of address books, their home and their owner; making and removing books."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.dav.books import CS, NEW_BOOK, Books, R
from tests.dav.cards import card
from tests.kit.dav import D, conditions
from tests.kit.server import TestServer


@pytest.fixture
def books(server: TestServer) -> Books:
    """Somebody with an empty address book, on SQLite."""
    return Books(server).begin()


@pytest.fixture
def any_books(any_server: TestServer) -> Books:
    """The same on each kind of database."""
    return Books(any_server).begin()


def principal(books: Books) -> str:
    """The URL of the account."""
    return f"/dav/principals/users/{books.account.space_id}/"


# --- books ----------------------------------------------------------------------------------------


def test_there_is_a_book_from_the_start(server: TestServer) -> None:
    """A fresh account has one address book, and its home is none itself."""
    books = Books(server)
    home = f"/dav/contacts/{books.account.space_id}/"
    found = books.propfind(home, "resourcetype", "displayname", depth=1)
    assert found[home].tags("resourcetype") == ["collection"]
    [book] = [each for each in found.responses if each.href != home]
    assert book.tags("resourcetype") == ["collection", f"{R}addressbook"]
    assert book.text("displayname")
    assert books.call("PUT", f"{book.href}a.vcf", card()).status == 201


def test_what_a_book_says_of_itself(books: Books) -> None:
    """Versions, collations and limits; protected, and not in the way of allprop."""
    # rfc6352#6.2.2, rfc6352#6.2.3, rfc6352#8.3.1
    names = [
        f"{R}{name}"
        for name in (
            "supported-address-data",
            "supported-collation-set",
            "max-resource-size",
            "max-image-size",
        )
    ]
    found = books.propfind("", *names).only
    types = found.props[200][names[0]]
    assert [(each.get("content-type"), each.get("version")) for each in types] == [
        ("text/vcard", "3.0"),
        ("text/vcard", "4.0"),
    ]
    assert [each.text for each in found.props[200][names[1]]] == [
        "i;unicode-casemap",
        "i;ascii-casemap",
        "i;octet",
    ]
    assert found.text(names[2]) == str(1 << 20)
    everything = books.propfind("").only.names()
    assert "resourcetype" in everything
    assert not everything & set(names)
    for name in names:
        answer = books.proppatch(
            "", f'<D:set><D:prop><x:{name[len(R) :]} xmlns:x="{R[1:-1]}"/></D:prop></D:set>'
        )
        assert answer.names(403) == {name}
    item = books.put("a.vcf", card())
    assert item.status == 201
    assert books.propfind("a.vcf", *names).only.names(404) == set(names)


def test_the_largest_photo_fits(books: Books) -> None:
    """A photo of just the size that is advertised can be stored as base64 in folded lines."""
    name = f"{R}max-image-size"
    octets = int(books.propfind("", name).only.text(name))
    assert octets > 500_000
    data = "A" * ((octets + 2) // 3 * 4)
    folded = "\r\n ".join(data[at : at + 74] for at in range(0, len(data), 74))
    books.put("a.vcf", card(f"PHOTO;ENCODING=b;TYPE=JPEG:\r\n {folded}", "NOTE:" + "x" * 50_000))


def test_description_is_kept(any_books: Books) -> None:
    """What people write about a book, given when it is made or later, with its language."""
    # rfc6352#6.2.1
    name = f"{R}addressbook-description"
    text = '<R:addressbook-description xml:lang="de">Älteste</R:addressbook-description>'
    assert (
        any_books.new_book("Old", f"<D:displayname>Old friends</D:displayname>{text}").status == 201
    )
    found = any_books.propfind(any_books.home + "Old/", name, "displayname").only
    assert (found.text(name), found.text("displayname")) == ("Älteste", "Old friends")
    assert found.props[200][name].get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    remove = f"<D:remove><D:prop>{text.replace('R:', 'x:')}</D:prop></D:remove>".replace(
        "<x:addressbook-description", f'<x:addressbook-description xmlns:x="{R[1:-1]}"'
    )
    assert any_books.proppatch(any_books.home + "Old/", remove).names() == {name}
    assert any_books.propfind(any_books.home + "Old/", name).only.names(404) == {name}


def test_books_are_made_by_extended_mkcol(any_books: Books) -> None:
    """All or nothing; what is no address book cannot be made in a home of address books."""
    # rfc6352#6.3.1, rfc5689#3
    books = any_books
    assert books.call("MKCOL", books.home + "Plain").status == 403
    wrong = NEW_BOOK.format(props="").replace("R:addressbook", "D:principal")
    for body in (wrong, NEW_BOOK.format(props="").replace("<R:addressbook/>", "")):
        answer = books.call("MKCOL", books.home + "X", body)
        assert (answer.status, conditions(answer)) == (403, ["valid-resourcetype"])
    protected = books.new_book("X", "<D:getetag>x</D:getetag><D:displayname>y</D:displayname>")
    assert protected.status == 403
    root = ElementTree.fromstring(protected.text)
    assert root.tag == f"{D}mkcol-response"
    assert books.new_book("Test").status == 405
    assert books.new_book("No/Such").status == 409
    assert books.call("MKCOL", books.home + "X", "<x", Content_Type="text/xml").status == 400
    hrefs = books.propfind(books.home, "getetag", depth=1).hrefs
    assert books.home + "X/" not in hrefs
    assert books.call("DELETE", books.book).status == 204
    assert books.call("PROPFIND", books.book, Depth="0").status == 404


def test_books_are_moved_with_their_cards(any_books: Books) -> None:
    """A book gets another name, and can be copied, in one step."""
    books = any_books
    octets = card()
    books.put("a.vcf", octets)
    target = books.home + "Moved/"
    assert books.call("MOVE", books.book, Destination=target).status == 201
    assert books.get(target + "a.vcf") == octets
    assert books.call("COPY", target, Destination=books.book).status == 201
    assert books.names() == ["a.vcf"]
    inside = books.call("MOVE", target, Destination=books.book + "Inside/")
    assert (inside.status, conditions(inside)) == (403, [f"{R}addressbook-collection-location-ok"])
    assert books.propfind(target, "resourcetype").only.tags("resourcetype")


def test_dav_header(books: Books) -> None:
    """OPTIONS names the feature on books, on homes and on what leads to them. # rfc6352#6.1"""
    for path in ("", books.home, "/dav/contacts/", "/dav/", "/", principal(books)):
        words = (books.call("OPTIONS", path or books.book).header("dav") or "").split(", ")
        assert "addressbook" in words, path
        assert "extended-mkcol" in words


def test_thunderbird_gets_the_bare_type(books: Books) -> None:
    """A connector for it takes no type with parameters."""
    books.put("a.vcf", card())
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.0"
    found = books.propfind("a.vcf", "getcontenttype", User_Agent=agent).only
    assert found.text("getcontenttype") == "text/vcard"


# --- principals -----------------------------------------------------------------------------------


def test_the_way_to_the_home(any_books: Books) -> None:
    """A principal names its home; only principals do. # rfc6352#7.1.1"""
    books, name = any_books, f"{R}addressbook-home-set"
    found = books.propfind(principal(books), name).only
    [href] = found.props[200][name]
    assert (href.tag, href.text) == (f"{D}href", books.home)
    assert books.propfind(books.book, name).only.names(404) == {name}


def test_my_card(any_books: Books) -> None:
    """The card that a program says is the user's own is known to all of them. # rfc6352#7.1.2"""
    books, name = any_books, f"{R}principal-address"
    assert books.propfind(principal(books), name).only.names(404) == {name}
    mine = books.book + "me%20%26.vcf"
    value = '<x:me-card xmlns:x="http://calendarserver.org/ns/">{}</x:me-card>'
    change = f"<D:set><D:prop>{value}</D:prop></D:set>"
    done = books.proppatch(books.home, change.format(f"<y:href xmlns:y='DAV:'>\n{mine}</y:href>"))
    assert done.names() == {f"{CS}me-card"}
    assert books.propfind(books.home, f"{CS}me-card").only.text(f"{CS}me-card").strip() == mine
    [href] = books.propfind(principal(books), name).only.props[200][name]
    assert (href.tag, href.text) == (f"{D}href", mine)
    wrong = books.proppatch(books.home, change.format("me"))
    assert wrong.names(409) == {f"{CS}me-card"}
    named = books.call(
        "PROPFIND",
        principal(books),
        '<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>',
        Depth="0",
    )
    assert "principal-address" in named.text


def test_strangers_learn_nothing(server: TestServer) -> None:
    """Another person's home and card are not told."""
    books, stranger = Books(server).begin(), Books(server).begin()
    names = (f"{R}addressbook-home-set", f"{R}principal-address")
    assert stranger.call("PROPFIND", books.home, Depth="0").status == 404
    answer = stranger.call("PROPFIND", principal(books), Depth="0")
    if answer.status == 207:
        found = stranger.propfind(principal(books), *names).only
        assert names[1] in found.names(404)
