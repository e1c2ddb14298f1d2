"""What is kept beside a card when it is written, so that queries need not read it."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.storage.content.sortkeys import collation_key
from folkmoot.storage.content.vcard.escaping import split, unescape
from folkmoot.storage.content.vcard.intake import Card

NAME_END = "\x1f"
"""Behind the name of a property in `CardFacts.text`. No card has this character."""

INNER_LINE_END = "\x1e"
"""A line end in a value in `CardFacts.text`, where a line is a property."""

KINDS = ("individual", "group", "org", "location")


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Facts of a card.

    `version` is "3.0" or "4.0", `kind` one of `KINDS`, `fn` the name to show. `text` has a line
    `NAME<U+001F>value<LF>` for each property, without backslashes, folded by i;unicode-casemap;
    values that are data (photos, sounds, keys) are empty. `matching.needle` is looked for in it,
    and `matching.decide` reads it.
    """

    uid: str
    version: str
    kind: str
    fn: str
    text: str


def facts_of(card: Card) -> CardFacts:
    """Return the facts of a card."""
    return CardFacts(card.uid, card.version, kind_of(card), name_of(card), _folded(card))


def kind_of(card: Card) -> str:
    """Return what the card is about; Apple's forms count for the ones of vCard 4.0."""
    for each in card.properties:
        if each.name in ("KIND", "X-ADDRESSBOOKSERVER-KIND"):
            kind = each.text().strip().lower()
            # rfc6350#6.1.4: what is not known is to be taken for an individual
            return kind if kind in KINDS else "individual"
    shown = card.first("X-ABSHOWAS")
    return (
        "org" if shown is not None and shown.text().strip().upper() == "COMPANY" else "individual"
    )


def name_of(card: Card) -> str:
    """Return the name to show: FN, or what else names the card."""
    full = card.first("FN")
    if full is not None and (text := full.text().strip()):
        return text
    structured = card.first("N")
    if structured is not None and (text := joined_name(structured.value)):
        return text
    for name in ("ORG", "NICKNAME", "EMAIL"):
        found = card.first(name)
        if found is not None and (text := unescape(split(found.value)[0]).strip()):
            return text
    return ""


def joined_name(value: str) -> str:
    """Return the value of an N property as people write it: prefix, given, additional, family."""
    parts = [unescape(each).strip() for each in split(value)[:5]]
    parts += [""] * (5 - len(parts))
    family, given, additional, prefix, suffix = parts
    return " ".join([each for each in (prefix, given, additional, family, suffix) if each])


def _folded(card: Card) -> str:
    lines = [
        each.name + NAME_END + each.text().replace("\n", INNER_LINE_END) + "\n"
        for each in card.properties
    ]
    return collation_key("".join(lines))
