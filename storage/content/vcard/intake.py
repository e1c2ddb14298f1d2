"""Whether a vCard may be stored, by the rules of CardDAV (RFC 6352 section 5.1, 6.3.2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.content.vcard.reading import (
    PARAM_LIMIT,
    PROPERTY_LIMIT,
    Malformed,
    Property,
    properties_of,
)

OCTET_LIMIT_MAX = 10 << 20
"""The most that the limit of octets may be set to: a converted card is built in memory."""

TEXT_LIMIT = 256 << 10
"""Octets of a card that are not data of photos and the like; they are kept folded for queries."""

UID_LIMIT = 1000
"""Octets of a UID, which databases index; a URN of a UUID has 45."""

VERSIONS = ("3.0", "4.0")

_LINE_START = re.compile(rb"(?:\n|\r(?!\n))(?![ \t])")
_EMPTY_UID = re.compile(
    rb"^(?:[a-z0-9_-]+\.)?uid(?:;[^:\r\n]*)?:[ \t]*\r?\n(?![ \t])", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class CardLimits:
    """What a card may have: octets (max-resource-size), properties, parameters of a property."""

    octets: int = 1 << 20
    properties: int = PROPERTY_LIMIT
    params: int = PARAM_LIMIT

    def __post_init__(self) -> None:
        if not 0 < self.octets <= OCTET_LIMIT_MAX:
            raise ValueError("octets must be between 1 and 10 MB")


@dataclass(frozen=True, slots=True)
class Card:
    """A vCard that may be stored: "3.0" or "4.0", its UID, its properties without BEGIN and END."""

    version: str
    uid: str
    properties: tuple[Property, ...]

    def first(self, name: str) -> Property | None:
        """Return the first property of a name in upper case."""
        return next((each for each in self.properties if each.name == name), None)


class CardError(ValueError):
    """A card that is refused.

    `precondition` is the local name of the element of urn:ietf:params:xml:ns:carddav that says
    why: valid-address-data, supported-address-data or max-resource-size (no-uid-conflict is for
    the store to find).
    """

    def __init__(self, precondition: str, text: str) -> None:
        self.precondition = precondition
        self.text = text
        super().__init__(text)


class MissingUid(CardError):
    """The card has no UID, and nothing else is wrong with it.

    RFC 6352 section 5.1 wants one, vCard does not, and programs that import send cards without.
    SabreDAV gives them one, and so should the caller, by `with_uid`: other programs break on
    cards without. The answer must then have no ETag (section 6.3.2.3), so that the client reads
    what was stored.
    """

    precondition_name: ClassVar[str] = "valid-address-data"

    def __init__(self) -> None:
        super().__init__(self.precondition_name, "The card has no UID.")


def read_card(octets: bytes, *, limits: CardLimits | None = None) -> Card:
    """Return the card that is in these octets.

    It must be exactly one vCard 3.0 or 4.0, with one UID and a name (FN or N). Raises `CardError`
    and `MissingUid`.
    """
    limits = limits or CardLimits()
    if len(octets) > limits.octets:
        raise CardError("max-resource-size", "The card is larger than allowed.")
    try:
        found = list(
            properties_of(octets, property_limit=limits.properties, param_limit=limits.params)
        )
    except Malformed as error:
        raise CardError("valid-address-data", str(error)) from error
    inside = _one_card(found)
    version = _version(inside)
    if sum([len(each.raw) for each in inside if not each.binary]) > TEXT_LIMIT:
        raise CardError("valid-address-data", "The card has too much text.")
    if not any(each.name in ("FN", "N") for each in inside):
        raise CardError("valid-address-data", "The card has no name (FN or N).")
    return Card(version, _uid(inside), tuple(inside))


def with_uid(octets: bytes, uid: str) -> bytes:
    """Return a card that has no UID with this one, before its END; `uid` is one line of URI."""
    octets = _EMPTY_UID.sub(b"", octets)
    line_end = b"\r\n" if b"\n" in octets else b"\r"
    # Before the last line, which may be folded and is END, however it is spelled.
    *_, last = _LINE_START.finditer(octets.rstrip())
    start = last.end()
    return octets[:start] + b"UID:" + uid.encode() + line_end + octets[start:]


def _one_card(found: list[Property]) -> list[Property]:
    """Return what is between BEGIN and END. # rfc6352#5.1"""
    ends = [each for each in found if each.name in ("BEGIN", "END")]
    if (
        len(ends) != 2
        or ends[0] is not found[0]
        or ends[1] is not found[-1]
        or [each.name for each in ends] != ["BEGIN", "END"]
        or any(each.value.strip().upper() != "VCARD" for each in ends)
    ):
        raise CardError("valid-address-data", "This is not exactly one vCard.")
    return found[1:-1]


def _version(inside: list[Property]) -> str:
    versions = [each.value.strip() for each in inside if each.name == "VERSION"]
    if len(versions) != 1:
        raise CardError("valid-address-data", "The card must have one VERSION.")
    if versions[0] not in VERSIONS:
        raise CardError("supported-address-data", "Only vCard 3.0 and 4.0 are known here.")
    return versions[0]


def _uid(inside: list[Property]) -> str:
    uids = [uid for each in inside if each.name == "UID" and (uid := each.text().strip())]
    if not uids:
        raise MissingUid
    if len(uids) > 1:
        raise CardError("valid-address-data", "The card has more than one UID.")
    if len(uids[0].encode()) > UID_LIMIT:
        raise CardError("valid-address-data", "The UID of the card is too long.")
    return uids[0]
