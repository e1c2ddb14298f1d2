"""The address book of colleagues: who is in one's groups, as each of them shows himself."""

from __future__ import annotations

import base64
from functools import partial

import pytest

from folkmoot.storage.content.vcard.colleague import PHOTO_LIMIT, colleague_card, shown_of
from folkmoot.storage.content.vcard.intake import read_card
from tests.dav.agendas import CS
from tests.dav.books import DATA, query
from tests.dav.family import Family, Person, changed, family, removed
from tests.kit import reactor
from tests.kit.dav import multistatus
from tests.kit.server import TestServer

PHOTO = base64.b64encode(b"\xff\xd8\xff a picture").decode()
ME = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:me\r\nFN:Bob van Dyke\r\nN:van Dyke;Bob;;;\r\nORG:Opera\r\n"
    "EMAIL:bob@example.test\r\nEMAIL:secret@example.org\r\nTEL:12345\r\nNOTE:private\r\n"
    f"PHOTO;ENCODING=b;TYPE=JPEG:{PHOTO}\r\nEND:VCARD\r\n"
)


@pytest.fixture
def choir(any_server: TestServer) -> Family:
    """A group, on each kind of database."""
    return family(any_server)


def _book(person: Person) -> str:
    return f"{person.contacts}Colleagues/"


def _card(person: Person, of: Person) -> str:
    return person.get(f"{_book(person)}{of.account.space_id}.vcf").decode()


def _me_card(href: str) -> str:
    return (
        '<D:set><D:prop><CS:me-card xmlns:CS="http://calendarserver.org/ns/">'
        f"<D:href>{href}</D:href></CS:me-card></D:prop></D:set>"
    )


def test_fellow_members_are_in_the_book(choir: Family) -> None:
    """One card for each, by the name of the account; the book is the last one and read only."""
    carol = choir.carol
    assert carol.listed(carol.contacts)[-1] == _book(carol)
    assert carol.listed(carol.contacts)[0] == f"{carol.contacts}Contacts/"
    found = carol.propfind(_book(carol), "getetag", "getcontenttype", depth=1)
    people = {f"{_book(carol)}{each.account.space_id}.vcf" for each in (choir.alice, choir.bob)}
    assert set(found.hrefs) == {_book(carol), *people}
    card = _card(carol, choir.alice)
    assert "EMAIL;TYPE=INTERNET:alice@example.test" in card
    assert "FN:alice" in card
    privileges = carol.propfind(_book(carol), "current-user-privilege-set", "displayname").only
    assert privileges.text("displayname") == "Colleagues"
    assert "write-content" not in privileges.tags("current-user-privilege-set")
    for href in (_book(carol), next(iter(people)), f"{_book(carol)}new.vcf"):
        assert carol.call("PUT", href, ME, Content_Type="text/vcard").status in (403, 405, 409)
        assert carol.call("DELETE", href).status in (403, 404)
    assert carol.call("MOVE", _book(carol), Destination=f"{carol.contacts}x/").status == 403
    assert choir.eve.listed(choir.eve.contacts) == [f"{choir.eve.contacts}Contacts/"]
    assert choir.eve.call("PROPFIND", _book(choir.eve), Depth="0").status == 404
    assert choir.eve.call("GET", next(iter(people))).status == 404


def test_one_shows_what_the_own_card_says(choir: Family) -> None:
    """Names, organisation and picture are of the own card; nothing else of it is told."""
    bob, carol = choir.bob, choir.carol
    before = carol.sync(_book(carol))
    bob.put(f"{bob.contacts}Contacts/me.vcf", ME, Content_Type="text/vcard")
    card = _card(carol, bob)
    for line in ("N:van Dyke;Bob;;;", "FN:Bob van Dyke", "ORG:Opera", "bob@example.test", "PHOTO"):
        assert line in card
    assert PHOTO in card.replace("\r\n ", "")
    for hidden in ("12345", "private", "secret@example.org", "UID:me"):
        assert hidden not in card
    after = carol.sync(_book(carol), before.sync_token)
    assert changed(after) == [f"{_book(carol)}{bob.account.space_id}.vcf"]
    assert changed(carol.sync(_book(carol), after.sync_token)) == []
    tags = [carol.propfind(_book(carol), f"{CS}getctag").only.text(f"{CS}getctag") for _ in "12"]
    assert tags[0] == tags[1]
    bob.put(f"{bob.contacts}Contacts/x.vcf", ME.replace("UID:me", "UID:x").replace("bob@", "z@"))
    assert carol.propfind(_book(carol), f"{CS}getctag").only.text(f"{CS}getctag") == tags[0]
    bob.call("DELETE", f"{bob.contacts}Contacts/me.vcf")
    assert "ORG:Opera" not in _card(carol, bob)
    assert "FN:bob" in _card(carol, bob)


def test_programs_say_which_card_is_the_own_one(choir: Family) -> None:
    """Apple's me-card counts before addresses, wherever the card is; empty takes it back."""
    bob, carol = choir.bob, choir.carol
    other = ME.replace("bob@example.test", "else@example.org").replace("Opera", "Circus")
    url = f"{bob.contacts}Contacts/some%20card.vcf"
    bob.put(url, other, Content_Type="text/vcard")
    assert "Circus" not in _card(carol, bob)
    bob.proppatch(bob.contacts, _me_card(url))
    assert "ORG:Circus" in _card(carol, bob)
    bob.put(url, other.replace("Circus", "Zoo"), Content_Type="text/vcard")
    assert "ORG:Zoo" in _card(carol, bob)
    bob.proppatch(bob.contacts, _me_card(f"{carol.contacts}Contacts/1.vcf"))
    assert "ORG" not in _card(carol, bob)


def test_reports_on_the_book(choir: Family) -> None:
    """addressbook-query, multiget and sync work as in any other book; who leaves is gone."""
    bob, carol = choir.bob, choir.carol
    bob.put(f"{bob.contacts}Contacts/me.vcf", ME, Content_Type="text/vcard")
    token = carol.sync(_book(carol)).sync_token
    wanted = (
        '<R:prop-filter name="FN"><R:text-match match-type="contains">dyke</R:text-match>'
        "</R:prop-filter>"
    )
    his = f"{_book(carol)}{bob.account.space_id}.vcf"
    for path, depth in ((_book(carol), "1"), (carol.contacts, "infinity")):
        found = multistatus(carol.call("REPORT", path, query(wanted), Depth=depth))
        assert found.hrefs == [his]
    get = (
        '<R:addressbook-multiget xmlns:D="DAV:" xmlns:R="urn:ietf:params:xml:ns:carddav"><D:prop>'
        f"<R:address-data/></D:prop><D:href>{his}</D:href></R:addressbook-multiget>"
    )
    assert "van Dyke" in carol.report(_book(carol), get).only.text(DATA)
    home = carol.sync(carol.contacts).sync_token
    assert bob.listed(bob.contacts)[-1] == _book(bob)
    choir.remove(bob)
    assert carol.call("GET", his).status == 404
    assert removed(carol.sync(_book(carol), token)) == [his]
    assert changed(carol.sync(carol.contacts, home)) == []
    assert bob.propfind(_book(bob), "getetag", depth=1).hrefs == [_book(bob)]
    choir.add(bob)
    assert changed(carol.sync(_book(carol), token)) == [his]


def test_a_book_of_that_name(choir: Family) -> None:
    """Somebody's own book of this name stays what it is."""
    eve = choir.eve
    answer = eve.call(
        "MKCOL",
        f"{eve.contacts}Colleagues",
        '<D:mkcol xmlns:D="DAV:" xmlns:R="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>'
        "<D:resourcetype><D:collection/><R:addressbook/></D:resourcetype></D:prop></D:set>"
        "</D:mkcol>",
    )
    assert answer.status == 201
    choir.add(eve)
    assert eve.listed(eve.contacts)[-1] == f"{eve.contacts}Colleagues%20(2)/"
    eve.put(f"{_book(eve)}me.vcf", ME, Content_Type="text/vcard")
    found = eve.propfind(f"{eve.contacts}Colleagues%20(2)/", "getetag", depth=1)
    assert len(found.hrefs) == 4


def test_who_is_deleted_is_in_no_book(choir: Family) -> None:
    """With the account goes its card, from the books of those too who do not look."""
    bob, carol = choir.bob, choir.carol
    token = carol.sync(_book(carol)).sync_token
    reactor.call(partial(choir.server.accounts.delete, bob.account.address))
    assert removed(carol.sync(_book(carol), token)) == [f"{_book(carol)}{bob.account.space_id}.vcf"]


def test_cards_that_cannot_be_shown() -> None:
    """Pictures elsewhere and large ones stay out; groups are nobody; odd values are kept whole."""
    linked = ME.replace(f"PHOTO;ENCODING=b;TYPE=JPEG:{PHOTO}", "PHOTO;VALUE=uri:https://x.test/1")
    assert b"PHOTO" not in shown_of(linked.encode())
    large = ME.replace(PHOTO, "QUFB" * (PHOTO_LIMIT // 4 + 1))
    assert b"PHOTO" not in shown_of(large.encode())
    group = ME.replace("NOTE:private", "X-ADDRESSBOOKSERVER-KIND:group")
    assert shown_of(group.encode()) == b""
    four = ME.replace("3.0", "4.0").replace(
        "PHOTO;ENCODING=b;TYPE=JPEG:", "PHOTO:data:image/jpeg;base64,"
    )
    assert b"PHOTO;ENCODING=b" in shown_of(four.encode())
    card = read_card(colleague_card(b"", "u", "Ann; Lee, \\x", ("a@x.test", "b@x.test")))
    assert card.uid == "u"
    names = {each.name: each.text() for each in card.properties}
    assert "Ann" in names["FN"]
    assert [each.value for each in card.properties if each.name == "EMAIL"] == [
        "a@x.test",
        "b@x.test",
    ]
