"""What is kept beside a card."""

from __future__ import annotations

import pytest

from folkmoot.storage.content.vcard.facts import CardFacts, facts_of, joined_name
from folkmoot.storage.content.vcard.intake import read_card
from tests.dav import cards
from tests.dav.cards import card


def facts(octets: bytes) -> CardFacts:
    """The facts of these octets."""
    return facts_of(read_card(octets))


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (cards.APPLE, "individual"),
        (cards.APPLE_GROUP, "group"),
        (cards.DAVX5_GROUP, "group"),
        (card("KIND:org", version="4.0"), "org"),
        (card("KIND:Location", version="4.0"), "location"),
        (card("KIND:x-robot", version="4.0"), "individual"),
        (card("X-ABShowAs:COMPANY"), "org"),
        (card("X-ABShowAs:COMPANY", "X-ADDRESSBOOKSERVER-KIND:group"), "group"),
    ],
)
def test_kind(octets: bytes, kind: str) -> None:
    """vCard 4.0's KIND and what Apple writes for it. # rfc6350#6.1.4"""
    assert facts(octets).kind == kind


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (("FN:Jane\\, Doe",), "Jane, Doe"),
        (("FN:", "N:Doe;Jane;M.;Dr.;MD"), "Dr. Jane M. Doe MD"),
        (("FN:", "N:;;;;", "ORG:Acme\\; Inc.;Sales"), "Acme; Inc."),
        (("N:;;;;", "EMAIL:a@example.org"), "a@example.org"),
        (("FN: ", "NICKNAME:Jo"), "Jo"),
        (("FN:",), ""),
    ],
)
def test_name(lines: tuple[str, ...], name: str) -> None:
    """FN, or what else names the card."""
    assert facts(card(*lines)).fn == name


def test_joined_name() -> None:
    """N with too few or too many parts."""
    assert joined_name("Doe") == "Doe"
    assert joined_name("Doe;Jane;;;;Extra") == "Jane Doe"
    assert joined_name("") == ""


def test_text() -> None:
    """A line for each property, folded, without backslashes and without data."""
    text = facts(cards.APPLE).text
    assert "ORG\x1fBEISPIEL GMBH;EINKAUF" in text
    assert "TITLE\x1fLEITER, EINKAUF\n" in text
    assert "EMAIL\x1fJOERG@EXAMPLE.ORG\n" in text
    assert "FN\x1fDR. JO\u0308RG MU\u0308LLER\n" in text
    assert "PHOTO\x1f\n" in text
    assert "HAUPTSTRA\u00dfE 5\x1eHINTERHAUS" in text
    assert "BEGIN\x1f" not in text
    assert len(text.split("\n")) == len(read_card(cards.APPLE).properties) + 1
    assert all("\x1f" in line for line in text.split("\n")[:-1])
    assert facts(card("X-PIC:data:image/png;base64,AAAA")).text.endswith("X-PIC\x1f\n")
