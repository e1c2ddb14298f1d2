"""Cards in the other version, and parts of cards."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
import vobject  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.vcard.convert import WantedProp, convert, partial
from folkmoot.storage.content.vcard.facts import facts_of
from folkmoot.storage.content.vcard.intake import CardLimits, read_card
from folkmoot.storage.content.vcard.reading import data_of
from folkmoot.storage.content.vcard.writing import folded
from tests.dav import cards
from tests.dav.cards import card
from tests.kit.pace import within

OTHER = {"3.0": "4.0", "4.0": "3.0"}


def lines(octets: bytes) -> list[str]:
    """The unfolded lines of a card, without those that all have."""
    text = octets.decode().replace("\r\n ", "")
    start = ("BEGIN:", "VERSION:", "END:", "UID:", "N:Doe", "FN:Jane Doe")
    return [line for line in text.split("\r\n") if line and not line.startswith(start)]


def to_four(*given: str) -> list[str]:
    """Lines of a 3.0 card in 4.0."""
    return lines(convert(card(*given), "4.0"))


def to_three(*given: str) -> list[str]:
    """Lines of a 4.0 card in 3.0."""
    return lines(convert(card(*given, version="4.0"), "3.0"))


BOTH_WAYS = [
    ("BDAY:1985-04-12", "BDAY:19850412"),
    ("BDAY:1985-04-12T10:22:00Z", "BDAY:19850412T102200Z"),
    ("BDAY:1985-04-12T10:22:00-05:00", "BDAY:19850412T102200-0500"),
    ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-15", "BDAY:--0315"),
    ("X-BDAY:1985-04", "BDAY:1985-04"),
    ("X-BDAY:about 1800", "BDAY;VALUE=text:about 1800"),
    ("X-ANNIVERSARY:2010-06-20", "ANNIVERSARY:20100620"),
    ("REV:2024-03-15T10:11:12Z", "REV:20240315T101112Z"),
    ("GEO:48.8686;2.3310", "GEO:geo:48.8686,2.3310"),
    ("X-GEO:http://geo.example/1", "GEO:http://geo.example/1"),
    ("TZ:-05:00", "TZ;VALUE=utc-offset:-0500"),
    ("TZ;VALUE=text:Europe/Rome", "TZ:Europe/Rome"),
    ("TEL;TYPE=HOME,pref:1", "TEL;TYPE=HOME;PREF=1:1"),
    ("X-ADDRESSBOOKSERVER-KIND:group", "KIND:group"),
    ("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1", "MEMBER:urn:uuid:1"),
    ("X-ABShowAs:COMPANY", "KIND:org"),
    ("X-LANG:fr", "LANG:fr"),
    ("X-GENDER:F", "GENDER:F"),
    ("X-GENDER:Female", "X-GENDER:Female"),
    ("X-RELATED;TYPE=friend:urn:uuid:1", "RELATED;TYPE=friend:urn:uuid:1"),
    ("CLASS:PRIVATE", "X-CLASS:PRIVATE"),
    ("MAILER:x", "X-MAILER:x"),
    ('X-Custom;X-P="a;b":c', 'X-Custom;X-P="a;b":c'),
    ("item1.X-ABLabel:_$!<Other>!$_", "item1.X-ABLabel:_$!<Other>!$_"),
    ("IMPP;X-SERVICE-TYPE=Jabber:xmpp:a@b", "IMPP;X-SERVICE-TYPE=Jabber:xmpp:a@b"),
    ("ADR;TYPE=home:;;A\\, B\\; C;D;;;E", "ADR;TYPE=home:;;A\\, B\\; C;D;;;E"),
    ("ORG:A\\, Inc.;Sales", "ORG:A\\, Inc.;Sales"),
    ("NOTE:a\\nb \\\\ c", "NOTE:a\\nb \\\\ c"),
    ("CATEGORIES:a,b", "CATEGORIES:a,b"),
    ("PHOTO;ENCODING=b;TYPE=PNG:AAAA", "PHOTO:data:image/png;base64,AAAA"),
    ("PHOTO;VALUE=uri:http://a.example/1.png", "PHOTO:http://a.example/1.png"),
    (
        "LOGO;TYPE=GIF;VALUE=uri:http://a.example/1.gif",
        "LOGO;MEDIATYPE=image/gif:http://a.example/1.gif",
    ),
    ("SOUND;ENCODING=b;TYPE=BASIC:AAAA", "SOUND:data:audio/basic;base64,AAAA"),
    ("KEY;ENCODING=b;TYPE=PGP:AAAA", "KEY:data:application/pgp-keys;base64,AAAA"),
    ("KEY;ENCODING=b;TYPE=X509:AAAA", "KEY:data:application/pkix-cert;base64,AAAA"),
    ("SOUND;ENCODING=b:AAAA", "SOUND:data:application/octet-stream;base64,AAAA"),
]


def _same(line: str) -> tuple[str, frozenset[str]]:
    """A line without regard to the order of its parameters."""
    before, _, value = line.partition(":")
    return value, frozenset(before.split(";"))


@pytest.mark.parametrize(("three", "four"), BOTH_WAYS)
def test_both_ways(three: str, four: str) -> None:
    """What each version says in its way, comes back from the other as it was."""
    # rfc6350#appendix-A
    assert list(map(_same, to_four(three))) == [_same(four)]
    assert list(map(_same, to_three(four))) == [_same(three)]


@pytest.mark.parametrize(
    ("three", "four"),
    [
        ("EMAIL;TYPE=INTERNET:a@b", "EMAIL:a@b"),
        ("BDAY;VALUE=date:1985-04-12", "BDAY:19850412"),
        ("BDAY:19850412", "BDAY:19850412"),
        ("BDAY:1604-03-15", "BDAY:--0315"),
        ("REV:1995-10-31", "REV:19951031T000000Z"),
        ("PHOTO;BASE64;JPEG:AAAA", "PHOTO:data:image/jpeg;base64,AAAA"),
        ("PHOTO;ENCODING=b;TYPE=image/webp:AAAA", "PHOTO:data:image/webp;base64,AAAA"),
        ("PHOTO;ENCODING=b:/9j/AAAA", "PHOTO:data:image/jpeg;base64,/9j/AAAA"),
        ("PHOTO;VALUE=uri:data:image/png;base64,AAAA", "PHOTO:data:image/png;base64,AAAA"),
        ("KEY;TYPE=PGP:mQEN text", "KEY;MEDIATYPE=application/pgp-keys;VALUE=text:mQEN text"),
        ("X-JABBER:kari@jabber.example", "IMPP:xmpp:kari@jabber.example"),
        ("X-SKYPE:some one", "IMPP:skype:some%20one"),
        ("URL:http\\://a.example/\\\\:", "URL:http://a.example/\\\\:"),
        ("NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab", "NOTE:a\\nb"),
        ("AGENT;VALUE=uri:urn:uuid:1", "RELATED;TYPE=agent;VALUE=uri:urn:uuid:1"),
        ("AGENT:BEGIN:VCARD\\nEND:VCARD", "X-AGENT:BEGIN:VCARD\\nEND:VCARD"),
        ("ORG;VALUE=text:A", "ORG:A"),
    ],
)
def test_to_four(three: str, four: str) -> None:
    """Spellings of 3.0 that 4.0 has one word for."""
    assert list(map(_same, to_four(three))) == [_same(four)]


@pytest.mark.parametrize(
    ("four", "three"),
    [
        ("TEL;VALUE=uri:tel:+1-555;ext=5", "TEL:+1-555\\;ext=5"),
        ("TEL;VALUE=text:+1 555", "TEL:+1 555"),
        ("GEO:geo:1.5,-2;u=10", "GEO:1.5;-2"),
        ("EMAIL;PID=1.1;ALTID=1:a@b", "EMAIL:a@b"),
        ("KIND:location", "X-ADDRESSBOOKSERVER-KIND:location"),
        ("PHOTO:data:image/png;base64\\,AAAA", "PHOTO;ENCODING=b;TYPE=PNG:AAAA"),
        ("PHOTO:data:image/svg+xml,%3Csvg/%3E", "PHOTO;ENCODING=b;TYPE=SVG+XML:PHN2Zy8+"),
        ("PHOTO:data:;base64,AA%3D%3D", "PHOTO;ENCODING=b:AA=="),
        ("PHOTO:data:image/png;base64,AA%0D%0AEND:VCARD", "PHOTO;ENCODING=b;TYPE=PNG:AAENDVCARD"),
    ],
)
def test_to_three(four: str, three: str) -> None:
    """What 4.0 says in more ways than 3.0."""
    assert list(map(_same, to_three(four))) == [_same(three)]


def test_preference() -> None:
    """3.0 knows one preferred property; it is the one with the lowest number. # rfc6350#5.3"""
    found = to_three("EMAIL;PREF=50:b@b", "EMAIL;PREF=2:a@a", "EMAIL:c@c", "TEL;PREF=x:1")
    assert found == ["EMAIL:b@b", "EMAIL;TYPE=pref:a@a", "EMAIL:c@c", "TEL:1"]


def test_address_labels() -> None:
    """A property in 3.0, a parameter in 4.0. # rfc6350#6.3.1"""
    three = [
        "ADR;TYPE=work:;;A;;;;",
        "ADR;TYPE=home:;;B;;;;",
        "LABEL;TYPE=home:B street\\nTown",
        "ADR;TYPE=work:;;C;;;;",
        "LABEL;TYPE=work:C",
    ]
    four = to_four(*three)
    assert four == [
        "ADR;TYPE=work:;;A;;;;",
        "ADR;TYPE=home;LABEL=B street^nTown:;;B;;;;",
        "ADR;TYPE=work;LABEL=C:;;C;;;;",
    ]
    assert to_three(*four) == three
    assert to_four("LABEL;TYPE=dom:Alone") == ["X-LABEL;TYPE=dom:Alone"]
    assert to_three("X-LABEL;TYPE=dom:Alone") == ["LABEL;TYPE=dom:Alone"]
    assert to_three('ADR;LABEL="a\\nb, c":;;;;;;') == ["ADR:;;;;;;", "LABEL:a\\nb\\, c"]


def test_related() -> None:
    """Apple's related names, with a label that RELATED has as a type; others stay."""
    # rfc6350#6.6.6
    four = to_four(
        "item1.X-ABRELATEDNAMES:Paul",
        "item1.X-ABLabel:_$!<Spouse>!$_",
        "item2.X-ABRELATEDNAMES:Joe",
        "item2.X-ABLabel:_$!<Assistant>!$_",
    )
    assert four == [
        "RELATED;TYPE=spouse;VALUE=text:Paul",
        "item2.X-ABRELATEDNAMES:Joe",
        "item2.X-ABLabel:_$!<Assistant>!$_",
    ]
    assert to_three(*four) == [
        "item1.X-ABRELATEDNAMES:Paul",
        "item1.X-ABLabel:_$!<Spouse>!$_",
        "item2.X-ABRELATEDNAMES:Joe",
        "item2.X-ABLabel:_$!<Assistant>!$_",
    ]


def test_names() -> None:
    """Each version has the names that it must have. # rfc2426#3.1.1, rfc2426#3.1.2"""
    octets = b"BEGIN:VCARD\r\nVERSION:%b\r\n%b\r\nUID:1\r\nEND:VCARD\r\n"
    four = convert(octets % (b"3.0", b"N:Doe;Jane;;Dr.;"), "4.0")
    assert b"\r\nFN:Dr. Jane Doe\r\n" in four
    three = convert(octets % (b"4.0", b"FN:Jane\\, Doe"), "3.0")
    assert b"\r\nN:Jane\\, Doe;;;;\r\n" in three
    assert b"N:Doe;Jane;;;\r\n" in convert(card("N:Doe;Jane;;;;;II", version="4.0"), "3.0")
    two = convert(card("FN:One", "FN:Two", "N:;;;;", version="4.0"), "3.0")
    assert lines(two) == ["FN:One", "X-FN:Two", "N:;;;;"]


def test_sorting() -> None:
    """SORT-STRING and SORT-AS. # rfc6350#5.9"""
    four = convert(card("N:van Harten;Rene;;;", "FN:R", "SORT-STRING:Harten"), "4.0")
    assert b"N;SORT-AS=Harten:van Harten;Rene;;;\r\n" in four
    assert b"SORT-STRING:Harten\r\n" in convert(four, "3.0")


def test_messenger_that_is_known() -> None:
    """Programs write the same address in the old and the new way. # rfc6350#6.4.3"""
    assert to_four("IMPP:xmpp:a@b", "X-JABBER:A@b", "X-JABBER:c@d") == [
        "IMPP:xmpp:a@b",
        "IMPP:xmpp:c@d",
    ]


@pytest.mark.parametrize("name", cards.REAL)
def test_cards_of_programs(name: str) -> None:
    """UID, name, kind and values survive; going there and back again changes nothing."""
    octets = cards.REAL[name]
    read = read_card(octets)
    assert convert(octets, read.version) is octets
    there = convert(octets, OTHER[read.version])
    back = convert(there, read.version)
    assert convert(back, OTHER[read.version]) == there
    for each in (there, back):
        found, was = facts_of(read_card(each)), facts_of(read)
        assert (found.uid, found.fn, found.kind) == (was.uid, was.fn, was.kind)
        assert all(len(line) <= 75 for line in each.split(b"\r\n"))
    same = {"EMAIL", "NOTE", "ORG", "TITLE", "URL", "CATEGORIES", "NICKNAME", "N", "UID", "PRODID"}
    for prop in read.properties:
        if prop.name in same:
            assert prop.text() in [
                each.text() for each in read_card(there).properties if each.name == prop.name
            ]


@pytest.mark.parametrize("name", cards.REAL)
def test_vobject_reads_them(name: str) -> None:
    """An independent reader finds a valid 3.0 card in what was converted."""
    there = convert(convert(cards.REAL[name], "4.0"), "3.0")
    theirs = vobject.readOne(there.decode())
    assert theirs.validate(raiseException=True)
    assert theirs.uid.value == read_card(cards.REAL[name]).uid


def test_photo_survives() -> None:
    """The octets of a photo are the same in both versions. # rfc6350#6.2.4, rfc2426#3.1.4"""
    data = bytes(range(256)) * 800
    coded = base64.b64encode(data).decode()
    octets = card(f"PHOTO;ENCODING=b;TYPE=JPEG:{coded}")
    four = convert(octets, "4.0")
    with within(0.2):
        three = convert(four, "3.0")
    photo = read_card(three).first("PHOTO")
    assert photo is not None
    assert base64.b64decode(data_of(photo)) == data
    assert f"data:image/jpeg;base64,{coded}".encode() in four.replace(b"\r\n ", b"")


def test_unknown_version() -> None:
    """There are two."""
    with pytest.raises(ValueError, match=r"2\.1"):
        convert(card(), "2.1")


def test_partial() -> None:
    """address-data with prop children: these lines as they were, and VERSION. # rfc6352#10.4.2"""
    wanted = [WantedProp("email"), WantedProp("item2.ADR"), WantedProp("PHOTO", novalue=True)]
    found = partial(cards.APPLE, wanted)
    assert found.split(b"\r\n") == [
        b"BEGIN:VCARD",
        b"VERSION:3.0",
        b"item1.EMAIL;type=INTERNET;type=pref:joerg@example.org",
        b"EMAIL;type=INTERNET;type=HOME:jm@example.net",
        "item2.ADR;type=WORK;type=pref:;;Hauptstraße 5\\nHinterhaus;Berlin;;10115;Germany".encode(),
        b"PHOTO;ENCODING=b;TYPE=JPEG:",
        b"END:VCARD",
        b"",
    ]
    assert partial(cards.APPLE, []) is cards.APPLE
    assert partial(cards.APPLE, [WantedProp("item1.ADR")]).count(b"\r\n") == 3
    both = [WantedProp("FN", novalue=True), WantedProp("FN")]
    assert b"FN:Ana Souza\r\n" in partial(cards.GOOGLE.replace(b"\r\n", b"\n"), both)


# --- what holds for all input ----------------------------------------------------------------


def words(text: str) -> st.SearchStrategy[str]:
    """One of these words."""
    return st.sampled_from(text.split())


NAMES = words(
    """ADR AGENT ANNIVERSARY BDAY CATEGORIES CLASS EMAIL FN GENDER GEO IMPP KEY KIND LABEL LANG
    LOGO MEMBER N NOTE PHOTO PROFILE RELATED REV SORT-STRING SOUND TEL TZ URL X-AIM X-ABLabel
    X-ABRELATEDNAMES X-ABShowAs X-ADDRESSBOOKSERVER-KIND X-ANNIVERSARY X-BDAY X-FN X-GENDER X-LABEL
    X-RELATED X-LANG X-Other XML"""
)
VALUES = words(
    """1985-04-12 19850412 --0412 1604-02-29 16040229 1985 T10 +01:00 -0500 group org COMPANY
    _$!<Spouse>!$_ geo:1,2 1;2 data:image/png;base64,AAAA data:,a data:x AAAA= tel:+1;ext=2
    http://a.example urn:uuid:1 F;x a;b;c;d;e;f;g;h a\\,b\\;c\\nd\\\\ \\ \\: ;;;; a:b"""
) | st.text(st.sampled_from("aé;,:\\n ^\"'=%"), max_size=8)
PARAMS = st.lists(
    words(
        """TYPE=home TYPE=pref TYPE=JPEG,pref PREF=1 PREF=7 VALUE=uri VALUE=text VALUE=date
        ENCODING=b ENCODING=QUOTED-PRINTABLE LABEL="a^nb" SORT-AS="x,y" MEDIATYPE=image/png
        X-APPLE-OMIT-YEAR=1604 CHARSET=utf-8 HOME BASE64 X-P=^^n ALTID=1"""
    ),
    max_size=3,
)
LINES = st.builds(
    lambda group, name, params, value: group + ";".join([name, *params]) + ":" + value,
    st.sampled_from(["", "", "item1.", "g."]),
    NAMES,
    PARAMS,
    VALUES,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=6), st.sampled_from(["3.0", "4.0"]))
def test_any_card(given_lines: list[str], version: str) -> None:
    """Whatever a card says, the result is a card, and soon going on changes nothing any more."""
    octets = card("N:Doe;J;;;", "FN:J D", *given_lines, version=version)
    octets = octets.replace(b"=\r\n", b"= \r\n")  # no soft line break that eats the next line
    seen = [octets]
    # An address label without an address may need a round each to find one.
    for _ in range(2 * len(given_lines) + 4):
        version = OTHER[version]
        seen.append(convert(seen[-1], version))
        assert read_card(seen[-1]).uid == "uid-1"
        assert read_card(seen[-1]).version == version
        assert seen[-1].count(b"BEGIN:VCARD\r\n") == seen[-1].count(b"END:VCARD\r\n") == 1
    assert seen[-1] == seen[-3]
    assert seen[-2] == seen[-4]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=300))
def test_folded(text: str) -> None:
    """Lines of 75 octets at most, each of them whole characters. # rfc6350#3.2"""
    octets = folded(text)
    assert all(len(line) <= 75 and line.decode() for line in octets[:-2].split(b"\r\n")) or not text
    assert octets.replace(b"\r\n ", b"") == text.encode() + b"\r\n"


@pytest.mark.parametrize(
    "given_lines",
    [
        ["ADR;TYPE=home:;;;;;;"] * 4000 + ["LABEL;TYPE=home:x"] * 4000,
        [f"item{n}.X-ABRELATEDNAMES:x\r\nitem{n}.X-ABLabel:_$!<Child>!$_" for n in range(4000)],
        [f"X-A{n};PREF=1:x" for n in range(8000)],
        ["X-AIM:x"] * 8000,
        ["N:" + "\\;;" * 40_000],
        ["PHOTO:data:image/png;base64," + quote("\n" * 100_000)],
    ],
)
def test_hostile_cards_are_cheap(given_lines: list[str]) -> None:
    """Work grows with the size of the card and not faster."""
    octets = card(*given_lines)
    read_card(octets, limits=CardLimits())
    with within(2):
        convert(convert(octets, "4.0"), "3.0")
