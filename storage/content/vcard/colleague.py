"""The card of a person that fellow members of groups see: names, organisation, addresses, picture.

All of it but the addresses is taken from a card that the person keeps of himself; nothing else of
that card is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from folkmoot.storage.content.vcard.convert import convert
from folkmoot.storage.content.vcard.escaping import escape
from folkmoot.storage.content.vcard.facts import joined_name, kind_of
from folkmoot.storage.content.vcard.intake import Card, read_card
from folkmoot.storage.content.vcard.reading import data_of, properties_of
from folkmoot.storage.content.vcard.writing import Line, line_of, written

SHOWN: Final = frozenset({"FN", "N", "ORG", "PHOTO"})
#: Characters of a picture as it is written; a larger one is left out.
PHOTO_LIMIT: Final = 256 * 1024
_PARAMS: Final = ("ENCODING", "TYPE")


def shown_of(octets: bytes) -> bytes:
    """What of one's own card others see, as a vCard 3.0; b"" where it is no person's.

    Pictures elsewhere are left out: who looks at one would tell its server. Raises ``CardError``.
    """
    card = read_card(convert(octets, "3.0"))
    if kind_of(card) != "individual":
        return b""
    lines = []
    seen: set[str] = set()
    for each in card.properties:
        if each.name not in SHOWN or each.name in seen:
            continue
        if each.name == "PHOTO" and (not each.binary or len(data_of(each)) > PHOTO_LIMIT):
            continue
        seen.add(each.name)
        line = line_of(each)
        line.group = ""
        line.params = line.only(*_PARAMS) if each.name == "PHOTO" else {}
        lines.append(line)
    return written("3.0", lines)


def colleague_card(shown: bytes, uid: str, name: str, addresses: Sequence[str]) -> bytes:
    """The card that others see: what ``shown_of`` gave, or else the name of the account.

    ``addresses`` are those of the account, the primary one first.
    """
    found = {each.name: line_of(each) for each in properties_of(shown, only=SHOWN)}
    name = name.strip() or addresses[0].partition("@")[0]
    if "N" not in found:
        given, _, family = name.rpartition(" ")
        if not given:
            given, family = family, ""
        found["N"] = Line("N", f"{escape(family)};{escape(given)};;;")
    if "FN" not in found or not found["FN"].value.strip():
        found["FN"] = Line("FN", escape(joined_name(found["N"].value) or name))
    mails = [Line("EMAIL", escape(each), {"TYPE": ("INTERNET",)}) for each in addresses]
    lines = [Line("UID", uid), *(found[key] for key in ("FN", "N", "ORG") if key in found), *mails]
    return written("3.0", [*lines, *([found["PHOTO"]] if "PHOTO" in found else [])])


def read_colleague(octets: bytes) -> Card:
    """The card again. Raises ``CardError``."""
    return read_card(octets)
