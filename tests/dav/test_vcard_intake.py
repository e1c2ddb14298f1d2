"""Which cards are taken, and what is read from them."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
import vobject  # type: ignore[import-untyped]
from hypothesis import example, given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.vcard.escaping import escape, split, unescape
from folkmoot.storage.content.vcard.facts import facts_of
from folkmoot.storage.content.vcard.intake import (
    Card,
    CardError,
    CardLimits,
    MissingUid,
    read_card,
    with_uid,
)
from folkmoot.storage.content.vcard.reading import (
    Malformed,
    Property,
    as_text,
    data_of,
    properties_of,
)
from tests.dav import cards
from tests.dav.cards import card
from tests.kit.pace import within


def one(read: Card, name: str) -> Property:
    """The only property of this name."""
    found = [each for each in read.properties if each.name == name]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", cards.REAL)
def test_cards_of_programs(name: str) -> None:
    """What clients write is taken, whatever liberty they take."""
    octets = cards.REAL[name]
    read = read_card(octets)
    assert read.version in ("3.0", "4.0")
    assert read.uid in octets.decode()
    assert facts_of(read).fn


@pytest.mark.parametrize("name", [name for name in cards.REAL if name != "outlook"])
def test_same_as_vobject(name: str) -> None:
    """An independent reader finds the same properties, groups and values."""
    theirs = next(vobject.readComponents(cards.REAL[name].decode(), transform=False))
    # It takes away the backslashes of some properties and not of others, and splits categories.
    expected = sorted(
        (
            line.group or "",
            line.name.upper(),
            unescape(line.value if isinstance(line.value, str) else ",".join(line.value)),
        )
        for line in theirs.getChildren()
        if line.name.upper() != "PHOTO"
    )
    found = sorted(
        (each.group, each.name, each.text())
        for each in read_card(cards.REAL[name]).properties
        if not each.binary
    )
    assert found == expected


def test_values() -> None:
    """Folding, groups, escapes and parameters. # rfc6350#3.2, rfc6350#3.4"""
    read = read_card(cards.APPLE)
    assert one(read, "NOTE").text() == (
        "Line one\nLine two; with \\ and more text that goes on so far that it must be folded"
    )
    mail = read.first("EMAIL")
    assert mail is not None
    assert (mail.group, mail.param("TYPE")) == ("item1", ("INTERNET", "pref"))
    assert one(read, "URL").text() == "http://www.example.org"
    photo = one(read, "PHOTO")
    assert photo.binary
    assert photo.value == ""
    assert data_of(photo) == cards.PIXEL.decode()


def test_parameters() -> None:
    """Quotes, lists, values without names, and circumflexes of RFC 6868."""
    read = read_card(
        card(
            'TEL;TYPE="home,voice";X-A="a;b:c,d",e;PREF=1:1',
            "EMAIL;HOME;INTERNET:a@b",
            "ADR;LABEL=^'A^'^nB^^:;;;;;;",
        )
    )
    tel = one(read, "TEL")
    assert tel.param("TYPE") == ("home", "voice")
    assert tel.param("X-A") == ("a;b:c,d", "e")
    assert tel.value == "1"
    assert one(read, "EMAIL").param("TYPE") == ("HOME", "INTERNET")
    assert one(read, "ADR").param("LABEL") == ('"A"\nB^',)
    assert one(read, "ADR").param("NONE") == ()


def test_quoted_printable() -> None:
    """What is left over from vCard 2.1, with soft line breaks, is read as text."""
    read = read_card(cards.OUTLOOK)
    assert one(read, "ADR").text() == ";;1 Dáme Street\nFloor 2;Dublin;;D02;Ireland"
    latin = read_card(card("NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:caf=E9=00"))
    assert one(latin, "NOTE").text() == "café"


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r\n", b"\r\n\r\n"])
def test_line_ends(end: bytes) -> None:
    """Line ends of other systems, and those that were converted twice."""
    read = read_card(cards.GOOGLE.replace(b"\r\n", end))
    assert one(read, "BDAY").value == "1985-04-12"
    assert read.uid == "5f3e1c2a8b7d6e40"


def test_octets_that_are_not_utf8() -> None:
    """Windows-1252 is read; the answer can be given as text."""
    octets = card("NOTE:x").replace(b"NOTE:x", "NOTE:Café".encode("cp1252"))
    assert one(read_card(octets), "NOTE").text() == "Café"
    assert "NOTE:Café" in as_text(octets)


def test_character_cut_by_folding() -> None:
    """Old programs fold at 75 octets, in the middle of a character."""
    octets = card("NOTE:x").replace(b"NOTE:x", b"NOTE:Caf\xc3\r\n \xa9")
    assert one(read_card(octets), "NOTE").text() == "Café"
    assert "Café" in as_text(octets)
    assert as_text(cards.APPLE).encode() == cards.APPLE


def test_byte_order_mark() -> None:
    """Files from Windows begin with one."""
    assert read_card(b"\xef\xbb\xbf" + cards.GOOGLE).uid == "5f3e1c2a8b7d6e40"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n",
        b"hello",
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\nUID:1\r\n",
        cards.GOOGLE + cards.GOOGLE,
        cards.GOOGLE + b"NOTE:after\r\n",
        b"NOTE:before\r\n" + cards.GOOGLE,
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
        card("BEGIN:VCARD", "END:VCARD"),
        card("no colon here"),
        card('TEL;X="open:1'),
        card(":no name"),
        card("NOTE:a\x00b"),
        card("NOTE:a\x1bb"),
        card("NOTE:a\rb"),
        card("NOTE:\uffff"),
        card("FN;X=1:", version="3.0").replace(b"VERSION:3.0\r\n", b""),
        card("VERSION:3.0"),
        card("UID:other"),
        card(uid="x" * 2000),
        card("NOTE:" + "x" * 300_000),
        card(*["TEL:1"] * 10_001),
        card("TEL" + ";X=1" * 101 + ":1"),
        b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nEND:VCARD\r\n",
    ],
)
def test_refused(octets: bytes) -> None:
    """Whatever is not one whole vCard is refused with valid-address-data. # rfc6352#6.3.2.1"""
    with pytest.raises(CardError) as caught:
        read_card(octets)
    assert caught.value.precondition == "valid-address-data"
    assert caught.value.text.isascii()


@pytest.mark.parametrize("version", ["2.1", "5.0", ""])
def test_versions(version: str) -> None:
    """RFC 6352 section 6.3.2.1: other versions are supported-address-data's business."""
    with pytest.raises(CardError) as caught:
        read_card(card(version=version))
    assert caught.value.precondition == "supported-address-data"


def test_too_large() -> None:
    """The limit that is advertised holds to the octet. # rfc6352#6.2.3"""
    octets = card()
    assert read_card(octets, limits=CardLimits(octets=len(octets)))
    with pytest.raises(CardError) as caught:
        read_card(octets, limits=CardLimits(octets=len(octets) - 1))
    assert caught.value.precondition == "max-resource-size"
    with pytest.raises(ValueError, match="10 MB"):
        CardLimits(octets=11 << 20)


@pytest.mark.parametrize("lines", [(), ("UID:",), ("UID: ",)])
def test_missing_uid(lines: tuple[str, ...]) -> None:
    """A card without UID is told apart from a bad one, and can be given one. # rfc6352#5.1"""
    octets = card(*lines, uid=None)
    with pytest.raises(MissingUid) as caught:
        read_card(octets)
    assert caught.value.precondition == "valid-address-data"
    repaired = with_uid(octets, "urn:uuid:1")
    assert read_card(repaired).uid == "urn:uuid:1"
    assert repaired.replace(b"UID:urn:uuid:1\r\n", b"") == b"".join(
        line for line in octets.splitlines(keepends=True) if not line.startswith(b"UID:")
    )


def test_uid_for_a_card_without_line_end() -> None:
    """The end of the card may be the end of the octets, in any case of letters."""
    octets = card(uid=None).strip().replace(b"END:VCARD", b"end:vcard")
    assert read_card(with_uid(octets, "a")).uid == "a"


@pytest.mark.parametrize(
    "octets",
    [
        card("TEL" + ";" * 100_000 + ":1"),
        card("TEL" + ';X="' * 50_001 + ":1"),
        card("TEL;X=" + '"a"' * 60_000 + ":1"),
        card("TEL;X=" + "a," * 100_000 + ":1"),
        card("N:" + "\\;" * 100_000),
        card("NOTE;ENCODING=QUOTED-PRINTABLE:" + "=\r\n" * 60_000),
        card("NOTE:" + "\r\n " * 300_000),
        card("\r\n" * 400_000),
        card("NOTE:" + "\ufdfa" * 80_000),
    ],
)
def test_hostile_cards_are_cheap(octets: bytes) -> None:
    """What is built to be slow is refused or read in time that grows with its size."""
    with within(1.5), suppress(CardError):
        facts_of(read_card(octets, limits=CardLimits(octets=10 << 20)))


def test_photo_is_not_read() -> None:
    """A photo is neither decoded nor unfolded when the properties are read."""
    data = base64.encodebytes(bytes(600_000)).replace(b"\n", b"\r\n ").rstrip().decode()
    read = read_card(card("PHOTO;TYPE=JPEG;ENCODING=b:" + data))
    photo = one(read, "PHOTO")
    assert photo.value == ""
    assert base64.b64decode(data_of(photo)) == bytes(600_000)
    assert len(facts_of(read).text) < 1000


# --- what holds for all input ----------------------------------------------------------------

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.just("\n")
)


@given(TEXT)
def test_escaping(text: str) -> None:
    """Text comes back from a value, and a value never has a line end or a bare separator."""
    # rfc6350#3.4
    value = escape(text)
    assert unescape(value) == text
    assert "\n" not in value
    assert split(value) == [value]
    assert split(value, ",") == [value]


@given(st.lists(TEXT, min_size=1, max_size=8), st.sampled_from(";,"))
def test_split(parts: list[str], separator: str) -> None:
    """Structured values come apart where they were put together."""
    value = separator.join(escape(each) for each in parts)
    assert [unescape(each) for each in split(value, separator)] == parts


@given(st.text(st.sampled_from("\\;,na")))
def test_split_loses_nothing(value: str) -> None:
    """Whatever the backslashes, the parts together are the value."""
    assert ";".join(split(value)) == value


def test_words_that_look_like_data() -> None:
    """ "Data: …" in a note is text that is found; in a photo it is a picture."""
    octets = card("NOTE:Data: 3 maggio, alle 9").replace(b"END:", b"PHOTO:data:image/png,x\r\nEND:")
    read = read_card(octets)
    assert one(read, "NOTE").text() == "Data: 3 maggio, alle 9"
    assert one(read, "PHOTO").binary


@example("DATA:", 1, "\r\n ")
@given(TEXT, st.integers(1, 70), st.sampled_from(["\r\n ", "\n ", "\r\n\t"]))
def test_folding(text: str, width: int, fold: str) -> None:
    """A value folded anywhere, also inside of characters, is read as it was."""
    raw = escape(text).encode()
    folded = fold.encode().join(raw[at : at + width] for at in range(0, len(raw), width))
    octets = card("NOTE:x").replace(b"NOTE:x", b"NOTE:" + folded)
    assert one(read_card(octets), "NOTE").text() == text


@settings(max_examples=300)
@given(
    st.binary(max_size=300) | st.text('BEGIN:VCARD;="\r\n \\,.^=x', max_size=200).map(str.encode)
)
def test_any_octets(octets: bytes) -> None:
    """Nothing but the documented error comes out of octets without sense."""
    for each in (octets, card("X:").replace(b"X:", octets)):
        with suppress(CardError):
            facts = facts_of(read_card(each))
            assert facts.uid
            assert facts.text.endswith("\n")
    with suppress(Malformed):
        assert all(each.name == each.name.upper() for each in properties_of(octets))
