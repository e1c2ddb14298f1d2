"""addressbook-query and addressbook-multiget through the wire."""

from __future__ import annotations

import pytest

from folkmoot.protocols.carddav import cards, data
from folkmoot.protocols.dav import answering
from folkmoot.storage.content.vcard.intake import CardError
from tests.dav.books import (
    DATA,
    ROOT,
    Books,
    R,
    contains,
    failed,
    limit,
    lines,
    prop_filter,
    query,
    text_match,
)
from tests.dav.cards import APPLE, APPLE_GROUP, GOOGLE, PIXEL, card
from tests.kit.dav import conditions, multistatus
from tests.kit.server import TestServer

JANE = card("EMAIL;TYPE=HOME:jane@example.org", "NICKNAME:Jay", uid="jane")
JOHN = card(
    "N:Roe;John;;;", "FN:John Roe", "EMAIL;TYPE=WORK:john@example.com", "NOTE:plays chess", uid="jr"
)
ZOE = card("N:Ö;Zoë;;;", "FN:Zoë Ö", "item1.TEL;TYPE=CELL:+49 1", uid="zoe", version="4.0")


@pytest.fixture
def books(server: TestServer) -> Books:
    """Somebody with an empty address book, on SQLite."""
    return Books(server).begin()


@pytest.fixture
def any_books(any_server: TestServer) -> Books:
    """The same on each kind of database, with three cards."""
    books = Books(any_server).begin()
    for name, octets in (("jane.vcf", JANE), ("john.vcf", JOHN), ("zoe.vcf", ZOE)):
        books.put(name, octets)
    return books


# --- addressbook-query ----------------------------------------------------------------------------


def test_texts_are_found(any_books: Books) -> None:
    """Each kind of match finds what it says, capitals and accents as the collation says."""
    # rfc6352#10.5.4, rfc6352#8.3
    names = any_books.names
    assert names(contains("FN", "JANE")) == ["jane.vcf"]
    assert names(contains("FN", "o")) == ["jane.vcf", "john.vcf", "zoe.vcf"]
    assert names(contains("FN", "john roe", match_type="equals")) == ["john.vcf"]
    assert names(contains("FN", "john", match_type="equals")) == []
    assert names(contains("FN", "Jo", match_type="starts-with")) == ["john.vcf"]
    assert names(contains("FN", "Doe", match_type="ends-with")) == ["jane.vcf"]
    assert names(contains("FN", "ZOË")) == ["zoe.vcf"]
    assert names(contains("FN", "ZOË", collation="i;ascii-casemap")) == []
    assert names(contains("FN", "jane", collation="i;octet")) == []
    assert names(contains("FN", "Jane", collation="i;octet")) == ["jane.vcf"]
    assert names(contains("FN", "Jane", collation="default")) == ["jane.vcf"]
    assert names(contains("FN", "Jane", negate_condition="yes")) == ["john.vcf", "zoe.vcf"]


def test_conditions_are_combined(any_books: Books) -> None:
    """anyof and allof on the filter and inside a prop-filter; anyof where nothing is said."""
    # rfc6352#10.5, rfc6352#10.5.1
    names = any_books.names
    jane, work = contains("FN", "jane"), contains("EMAIL", "example.com")
    assert names(jane + work) == ["jane.vcf", "john.vcf"]
    assert names(jane + work, test="anyof") == ["jane.vcf", "john.vcf"]
    assert names(jane + work, test="allof") == []
    both = text_match("jane") + text_match("doe")
    assert names(prop_filter("FN", both, test="allof")) == ["jane.vcf"]
    either = text_match("jane") + text_match("roe")
    assert names(prop_filter("FN", either, test="anyof")) == ["jane.vcf", "john.vcf"]
    assert names(prop_filter("FN", either, test="allof")) == []


def test_what_is_there_and_what_is_not(any_books: Books) -> None:
    """Properties and parameters that are there, that are not, and those of a group."""
    # rfc6352#10.5.3
    names = any_books.names
    absent = "<R:is-not-defined/>"
    assert names(prop_filter("NICKNAME")) == ["jane.vcf"]
    assert names(prop_filter("NICKNAME", absent)) == ["john.vcf", "zoe.vcf"]
    assert names(prop_filter("TEL")) == ["zoe.vcf"]
    assert names(prop_filter("item1.TEL")) == ["zoe.vcf"]
    assert names(prop_filter("item2.TEL")) == []
    typed = '<R:param-filter name="TYPE">{}</R:param-filter>'
    assert names(prop_filter("EMAIL", typed.format(text_match("work")))) == ["john.vcf"]
    assert names(prop_filter("EMAIL", typed.format(""))) == ["jane.vcf", "john.vcf"]
    assert names(prop_filter("EMAIL", typed.format(absent))) == []
    assert names(prop_filter("FN", typed.format(absent))) == ["jane.vcf", "john.vcf", "zoe.vcf"]


def test_no_filter_is_everything(any_books: Books) -> None:
    """KDE asks without a filter, others with an empty one."""
    everything = ["jane.vcf", "john.vcf", "zoe.vcf"]
    assert any_books.names() == everything
    body = f"<R:addressbook-query {ROOT}><D:prop><D:getetag/></D:prop></R:addressbook-query>"
    found = any_books.report("", body, Depth="1")
    assert sorted(href.rpartition("/")[2] for href in found.hrefs) == everything


def test_scope_of_queries(any_books: Books) -> None:
    """Depth says what is searched: a card, a book, or with infinity all books of the home."""
    # rfc6352#8.6
    books = any_books
    assert books.new_book("Other").status == 201
    books.put(books.home + "Other/x.vcf", card(uid="x"))
    jane = contains("FN", "jane")
    found = books.query(jane, path=books.home, Depth="infinity")
    assert sorted(found.hrefs) == [books.home + "Other/x.vcf", books.book + "jane.vcf"]
    assert books.query(jane, path=books.home, Depth="1").responses == []
    assert books.query(jane, Depth="0").responses == []
    assert books.query(jane, Depth=None).hrefs == [books.book + "jane.vcf"]
    assert books.query(jane, Depth="infinity").hrefs == [books.book + "jane.vcf"]
    assert books.query(jane, path="jane.vcf", Depth="0").hrefs == [books.book + "jane.vcf"]
    assert books.query(jane, path="john.vcf", Depth="0").responses == []
    assert books.call("REPORT", "", query(jane), Depth="2").status == 400


def test_limit_of_queries(any_books: Books) -> None:
    """So many cards and no more; that there are more is said of the URL that was asked."""
    # rfc6352#8.6.1, rfc6352#8.6.2, rfc6352#10.6
    books = any_books
    for count in (1, 2):
        found = books.query(more=limit(count)).responses
        assert len(found) == count + 1
        assert found[-1].href == books.book
        assert failed(found[-1]) == (507, ["number-of-matches-within-limits"])
    assert len(books.query(more=limit(3)).responses) == 3
    assert books.new_book("Other").status == 201
    books.put(books.home + "Other/x.vcf", card(uid="x"))
    over = books.query(path=books.home, Depth="infinity", more=limit(3)).responses
    assert [each.status for each in over] == [0, 0, 0, 507]
    exact = books.query(path=books.home, Depth="infinity", more=limit(4)).responses
    assert [each.status for each in exact] == [0, 0, 0, 0]
    for wrong in ("0", "-1", "many", "", "1" * 10):
        assert books.call("REPORT", "", query(more=limit(wrong)), Depth="1").status == 400


@pytest.mark.parametrize(
    ("filters", "status", "names"),
    [
        (contains("FN", "x", collation="i;basic"), 403, [f"{R}supported-collation"]),
        (contains("FN", "x" * 3000), 403, [f"{R}supported-filter"]),
        (prop_filter("FN") * 201, 403, [f"{R}supported-filter"]),
        ('<R:comp-filter name="VCARD"/>', 403, [f"{R}supported-filter"]),
        (prop_filter("FN", "<R:time-range/>"), 403, [f"{R}supported-filter"]),
        (contains("FN", "x", match_type="like"), 400, []),
        (contains("FN", "x", negate_condition="maybe"), 400, []),
        (prop_filter("FN", test="some"), 400, []),
        (prop_filter(""), 400, []),
        (prop_filter("X" * 201), 400, []),
        (prop_filter("FN", "<R:is-not-defined/>" + text_match("x")), 400, []),
    ],
)
def test_bad_filters(books: Books, filters: str, status: int, names: list[str]) -> None:
    """What is not understood is refused and named, not taken for something else. # rfc6352#8.6"""
    answer = books.call("REPORT", "", query(filters), Depth="1")
    assert answer.status == status
    if names:
        assert conditions(answer) == names


# --- address-data ---------------------------------------------------------------------------------


def test_cards_come_as_they_were_stored(books: Books) -> None:
    """Who asks for no version gets the octets that were sent, photos and groups too."""
    for number, octets in enumerate((APPLE, APPLE_GROUP, GOOGLE, ZOE)):
        etag = books.put(f"{number}.vcf", octets).header("etag")
        found = books.multiget(f"{number}.vcf").only
        assert found.text(DATA) == lines(octets)
        assert found.text("getetag") == etag
        assert books.get(f"{number}.vcf") == octets


def test_versions_on_request(books: Books) -> None:
    """The version that is asked for, whichever is stored, in both reports. # rfc6352#10.4"""
    books.put("three.vcf", JANE)
    books.put("four.vcf", ZOE)
    ask = '<R:address-data content-type="text/vcard" version="{}"/>'
    for version in ("3.0", "4.0"):
        for name in ("three.vcf", "four.vcf"):
            assert f"VERSION:{version}\n" in books.data(name, ask.format(version))
        for found in books.query(data=ask.format(version)).responses:
            assert f"VERSION:{version}\n" in found.text(DATA)
    assert books.data("three.vcf", ask.format("3.0")) == lines(JANE)
    for wrong in (ask.format("2.1"), '<R:address-data content-type="text/calendar"/>'):
        answer = books.call("REPORT", "", query(data=wrong), Depth="1")
        assert (answer.status, conditions(answer)) == (403, [f"{R}supported-address-data"])


def test_a_card_that_cannot_be_converted(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused by itself; the others are answered. # rfc6352#5.1.1.1"""
    books.put("three.vcf", JANE)
    books.put("four.vcf", ZOE)

    def failing(octets: bytes, version: str) -> bytes:
        if octets == ZOE:
            raise CardError("valid-address-data", "It is broken.")
        return octets

    monkeypatch.setattr(data, "convert", failing)
    monkeypatch.setattr(cards, "convert", failing)
    found = books.query(data='<R:address-data version="3.0"/>')
    condition = f"{R}supported-address-data-conversion"
    assert failed(found[books.book + "four.vcf"]) == (406, [condition])
    assert found[books.book + "three.vcf"].text(DATA) == lines(JANE)
    answer = books.call("GET", "four.vcf", Accept="text/vcard; version=3.0")
    assert (answer.status, conditions(answer)) == (406, [condition])


def test_groups_in_both_versions(books: Books) -> None:
    """Apple's groups are groups of vCard 4.0 and the other way round. # rfc6350#6.6.5"""
    books.put("choir.vcf", APPLE_GROUP)
    four = books.data("choir.vcf", '<R:address-data version="4.0"/>')
    assert "KIND:group\n" in four
    assert "MEMBER:urn:uuid:4C1A2B3D-0000-4000-8000-000000000001\n" in four
    books.put("new.vcf", card("KIND:group", "MEMBER:urn:uuid:1", version="4.0", uid="new"))
    three = books.data("new.vcf", '<R:address-data version="3.0"/>')
    assert "X-ADDRESSBOOKSERVER-KIND:group\n" in three
    assert "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1\n" in three


def test_parts_of_cards(books: Books) -> None:
    """Only the properties that are asked for, or only their names; VERSION is always there."""
    # rfc6352#10.4.2
    books.put("jane.vcf", JANE)
    some = (
        '<R:address-data><R:prop name="FN"/><R:prop name="EMAIL" novalue="yes"/></R:address-data>'
    )
    assert books.data("jane.vcf", some) == (
        "BEGIN:VCARD\nVERSION:3.0\nFN:Jane Doe\nEMAIL;TYPE=HOME:\nEND:VCARD\n"
    )
    everything = "<R:address-data><R:allprop/></R:address-data>"
    assert books.data("jane.vcf", everything) == lines(JANE)
    both = '<R:address-data version="4.0"><R:prop name="FN"/></R:address-data>'
    assert books.data("jane.vcf", both) == "BEGIN:VCARD\nVERSION:4.0\nFN:Jane Doe\nEND:VCARD\n"
    for wrong in ('<R:prop name=""/>', '<R:prop name="FN"/>' * 301):
        asked = f"<R:address-data>{wrong}</R:address-data>"
        assert books.call("REPORT", "", query(data=asked), Depth="1").status == 400


def test_text_that_xml_would_take_for_its_own(books: Books) -> None:
    """Marks, ends of CDATA and old charsets come out as text."""
    octets = card('NOTE:<b>&amp;</b> ]]> "q"', uid="<&>")
    books.put("x.vcf", octets)
    assert books.data("x.vcf") == lines(octets)
    books.put("old.vcf", card("NOTE:caf\u00e9", uid="old").decode().encode("cp1252"))
    assert "NOTE:caf\u00e9\n" in books.data("old.vcf")


# --- addressbook-multiget -------------------------------------------------------------------------


def test_multiget_answers_each_href(any_books: Books, any_server: TestServer) -> None:
    """A response for each URL: found ones with data, 404 for what is nothing, or another's."""
    # rfc6352#8.7
    books = any_books
    other = Books(any_server).begin()
    other.put("jane.vcf", JANE)
    foreign = other.book + "jane.vcf"
    hrefs = (
        "jane.vcf",
        "missing.vcf",
        foreign,
        "http://elsewhere.example/x.vcf",
        books.book,
        books.home + "Nowhere/x.vcf",
        "/dav/drive/x.vcf",
        "/dav/contacts/%00",
        f"http://{books.http.host}{books.book}zoe.vcf",
        "%6Aohn.vcf",
    )
    found = books.multiget(*hrefs)
    by_href = {each.href: each for each in found.responses}
    for name in ("jane", "john", "zoe"):
        assert by_href.pop(f"{books.book}{name}.vcf").text(DATA).startswith("BEGIN:VCARD\n")
    assert len(by_href) == 7
    assert {each.status for each in by_href.values()} == {404}
    assert foreign in by_href
    assert books.book + "missing.vcf" in by_href


def test_multiget_on_homes_and_of_strangers(any_books: Books, any_server: TestServer) -> None:
    """A home is asked about all its books; another's home is not there at all."""
    found = any_books.multiget("jane.vcf", path=any_books.home)
    assert found.hrefs == [any_books.book + "jane.vcf"]
    stranger = Books(any_server).begin()
    for path in (any_books.home, any_books.book, any_books.book + "jane.vcf"):
        assert stranger.call("REPORT", path, query(), Depth="1").status == 404


def test_multiget_needs_hrefs(books: Books) -> None:
    """A list of nothing, or of more than anybody has, is an error of the client."""
    for count in (0, answering.MAX_HREFS + 1):
        body = (
            f"<R:addressbook-multiget {ROOT}><D:prop><D:getetag/></D:prop>"
            f"{'<D:href>/x</D:href>' * count}</R:addressbook-multiget>"
        )
        assert books.call("REPORT", "", body).status == 400


def test_long_answers_come_whole(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards are read some at a time, by count and by octets, and none is lost or twice there."""
    monkeypatch.setattr(answering, "AT_ONCE", 7)
    monkeypatch.setattr(answering, "READ", 2000)
    monkeypatch.setattr(answering, "WRITTEN", 1500)
    photo = f"PHOTO;ENCODING=b;TYPE=JPEG:{PIXEL.decode()}"
    stored = {
        f"c{number:02}.vcf": card(*([photo] * (number % 5)), f"NOTE:{number}", uid=f"u{number}")
        for number in range(40)
    }
    for name, octets in stored.items():
        books.put(name, octets)
    names = [*stored, "missing.vcf"]
    for asked in ("<R:address-data/>", '<R:address-data version="4.0"/>', "<D:lockdiscovery/>"):
        found = books.multiget(*names, data=asked)
        assert sorted(found.hrefs) == [books.book + name for name in names]
        assert sorted(books.query(data=asked).hrefs) == [books.book + name for name in stored]
    found = books.query(data="<R:address-data/>")
    texts = {each.href.rpartition("/")[2]: each.text(DATA) for each in found.responses}
    assert texts == {name: lines(octets) for name, octets in stored.items()}


def test_large_cards_do_not_fill_the_memory(books: Books) -> None:
    """Cards with photos of a megabyte in all are read one by one, out of files too."""
    photo = "PHOTO;ENCODING=b;TYPE=JPEG:" + "/9j/" + "A" * 900_000
    octets = {f"{number}.vcf": card(photo, uid=f"u{number}") for number in range(4)}
    for name, each in octets.items():
        books.put(name, each)
    found = books.multiget(*octets)
    assert [each.text(DATA) for each in found.responses] == [*map(lines, octets.values())]
    assert books.names(contains("PHOTO", "AAAA")) == []


# --- other shapes of requests ---------------------------------------------------------------------


def test_what_reports_can_ask_for(any_books: Books) -> None:
    """allprop, propname, nothing, and live properties with those that clients have set."""
    books = any_books
    body = f"<R:addressbook-query {ROOT}>{{}}<R:filter/></R:addressbook-query>"
    everything = multistatus(books.call("REPORT", "", body.format("<D:allprop/>"), Depth="1"))
    assert {"getetag", "getcontenttype", "resourcetype"} <= everything.responses[0].names()
    assert DATA not in everything.responses[0].names()
    named = multistatus(books.call("REPORT", "", body.format("<D:propname/>"), Depth="1"))
    assert "getetag" in named.responses[0].names()
    bare = multistatus(books.call("REPORT", "", body.format(""), Depth="1"))
    assert len(bare.responses) == 3
    two = books.call("REPORT", "", body.format("<D:allprop/><D:propname/>"), Depth="1")
    assert two.status == 400
    minimal = books.query(data="<D:quota-used-bytes/>", Prefer="return=minimal")
    assert minimal.responses[0].names(404) == set()


def test_reports_are_where_they_belong(books: Books) -> None:
    """Address books say which reports they have; calendars and documents do not have them."""
    # rfc6352#8.1
    have = books.propfind(books.book, "supported-report-set").only.tags("supported-report-set")
    for name in ("addressbook-query", "addressbook-multiget"):
        assert f"{R}{name}" in have
    assert "sync-collection" in have
    answer = books.call("REPORT", "/dav/drive/My%20documents/", query(), Depth="1")
    assert (answer.status, conditions(answer)) == (403, ["supported-report"])
