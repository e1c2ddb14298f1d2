"""A card as the client asked for it: in another version, or some of its properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.content.vcard.facts import name_of
from folkmoot.storage.content.vcard.intake import OCTET_LIMIT_MAX, VERSIONS, CardLimits, read_card
from folkmoot.storage.content.vcard.reading import properties_of
from folkmoot.storage.content.vcard.to_four import to_four
from folkmoot.storage.content.vcard.to_three import to_three
from folkmoot.storage.content.vcard.writing import folded, head, line_of, written

_ANY = CardLimits(octets=OCTET_LIMIT_MAX)


@dataclass(frozen=True, slots=True)
class WantedProp:
    """A property to be in the answer (RFC 6352 section 10.4.2), of one group or of any."""

    name: str
    novalue: bool = False


def convert(octets: bytes, version: str) -> bytes:
    """Return a card that passed the intake as one of the version "3.0" or "4.0".

    It is returned as it is if it has this version. UID and unknown properties stay as they are.
    What the other version cannot say is kept under a name with `X-` before it, so that the way
    back brings it back. Raises ValueError on other versions.
    """
    if version not in VERSIONS:
        raise ValueError(version)
    card = read_card(octets, limits=_ANY)
    if card.version == version:
        return octets
    lines = [line_of(each) for each in card.properties if each.name != "VERSION"]
    return written(version, to_four(lines, name_of(card)) if version == "4.0" else to_three(lines))


def partial(octets: bytes, wanted: Sequence[WantedProp]) -> bytes:
    """Return a card with these properties only, and VERSION; their lines are as they were.

    All of the card if nothing is wanted in particular. # rfc6352#10.4
    """
    if not wanted:
        return octets
    names: dict[tuple[str, str], bool] = {}
    for each in wanted:
        group, _, name = each.name.upper().rpartition(".")
        # Who asks for a property with and without its value wants the value.
        names[group, name] = names.get((group, name), True) and each.novalue
    out = []
    for found in properties_of(octets):
        choices = [
            names[key]
            for key in dict.fromkeys((("", found.name), (found.group.upper(), found.name)))
            if key in names
        ]
        if found.name in ("BEGIN", "VERSION", "END") or (choices and not all(choices)):
            out.append(found.raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n")
        elif choices:
            out.append(folded(head(found.group, found.spelling(), dict(found.params))))
    return b"".join(out)
