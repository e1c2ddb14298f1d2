"""Contacts: intake, other versions, and the way back."""

from __future__ import annotations

from folkmoot.storage.content.vcard.colleague import colleague_card, shown_of
from folkmoot.storage.content.vcard.convert import WantedProp, convert, partial
from folkmoot.storage.content.vcard.escaping import escape, split, unescape
from folkmoot.storage.content.vcard.facts import facts_of
from folkmoot.storage.content.vcard.intake import Card, CardError, MissingUid, read_card, with_uid
from folkmoot.storage.content.vcard.reading import as_text
from tests.fuzz.target import target

_THREE = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nFN:Ann B\r\nN:B;Ann;;Dr.;\r\nitem1.EMAIL;TYPE=INTERNET,pref:a@b.example\r\n"
    b'item1.X-ABLabel:_$!<Other>!$_\r\nTEL;TYPE="home,voice":+49 1\r\nADR;TYPE=WORK:;;Street 1;Town;;123;DE\r\n'
    b"PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nBDAY;VALUE=date:1980-01-31\r\nNOTE;CHARSET=UTF-8:a\\nb\\, c\\;\r\n"
    b"X-SOCIALPROFILE;type=x:http://x\r\nREV:20260101T000000Z\r\nEND:VCARD\r\n"
)
_FOUR = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:1\r\nKIND:group\r\nFN;ALTID=1;LANGUAGE=de:Gr\r\n"
    b'MEMBER:urn:uuid:2\r\nBDAY:--0131\r\nPHOTO:data:image/png;base64,AAAA\r\nTEL;VALUE=uri;PREF=1;TYPE="voice,cell":tel:+1\r\n'
    b'GENDER:F;x\r\nRELATED;TYPE=friend:urn:uuid:3\r\nNOTE;X-P="a^nb^\'c":x\r\nANNIVERSARY:20200229T101010-0500\r\nEND:VCARD\r\n'
)
_SEEDS = (
    _THREE,
    _FOUR,
    _THREE.replace(b"UID:c1\r\n", b""),
    b"BEGIN:VCARD\nVERSION:3.0\nN;QUOTED-PRINTABLE:=C3=A4=\n b;;;;\nEND:VCARD",
)
_WORDS = (
    b"\r\n ", b"\r\n", b"\n", b"=\r\n", b"BEGIN:VCARD", b"END:VCARD", b"VERSION:4.0", b"VERSION:3.0", b"UID:", b"FN:", b"N:",
    b";ENCODING=b", b";ENCODING=QUOTED-PRINTABLE", b";CHARSET=utf-16", b";VALUE=uri", b";VALUE=date", b"data:", b"base64,",
    b";TYPE=", b";PREF=1", b"\"", b"^n", b"^'", b"^^", b"\\n", b"\\", b",", b";", b":", b"=", b"item1.", b"X-ABLabel:",
    b"KIND:group", b"X-ADDRESSBOOKSERVER-KIND:group", b"MEMBER:", b"BDAY:", b"--0229", b"1985-04", b"T10", b"PHOTO:", b"\xff",
    b"X-FOUR-", b"\xc3\xa9", b"\xef\xbb\xbf", b"GEO:", b"LABEL:",
)  # fmt: skip


def _read(data: bytes) -> tuple[Card, bytes] | None:
    """The card, and its octets as they are stored."""
    try:
        return read_card(data), data
    except MissingUid:
        whole = with_uid(data, "urn:uuid:0")
    except CardError as error:
        assert error.text.isprintable()
        return None
    try:
        return read_card(whole), whole
    except CardError as error:  # the line more may be one too many
        assert error.precondition == "max-resource-size" or "too many" in error.text
        return None


@target(_SEEDS, _WORDS)
def card_intake(data: bytes) -> None:
    """A card is stored or refused; its text has bounds; part of it is still a card."""
    found = _read(data)
    if found is None:
        return
    card, data = found
    facts = facts_of(card)
    assert facts.uid == card.uid
    facts.text.encode("utf-8")
    as_text(data)
    shown = shown_of(data)
    read_card(colleague_card(shown, "urn:uuid:9", "Name", ["a@b.example"]))


@target(_SEEDS, _WORDS)
def card_versions(data: bytes) -> None:
    """A card in another version is a card, the same person, and does not change any more."""
    found = _read(data)
    if found is None:
        return
    card, data = found
    for version in ("3.0", "4.0"):
        made = convert(data, version)
        read = read_card(made)
        assert read.version == version
        assert read.uid == card.uid
        assert convert(made, version) == made
        if version != card.version:
            back = convert(made, card.version)
            assert convert(back, version) == convert(convert(back, version), version)
            assert read_card(back).uid == card.uid
    kept = partial(data, [WantedProp("FN"), WantedProp("item1.EMAIL", True), WantedProp("UID")])
    assert len(kept) <= 2 * len(data) + 100


@target([b"a\\;b;c\\n,d", b"\\", b"\\\\;"], [b"\\", b";", b",", b"\\n", b"\n"])
def card_texts(data: bytes) -> None:
    """Texts go there and back, and nothing is lost where they are split."""
    text = data.decode("utf-8", "replace")
    assert unescape(escape(text)) == text.replace("\r\n", "\n").replace("\r", "\n")
    for separator in ";,":
        assert separator.join(split(text, separator)) == text
