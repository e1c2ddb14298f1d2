"""Which version of a card the Accept header of a GET asks for (RFC 6352 section 5.1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from folkmoot.storage.content.vcard.intake import VERSIONS

MAX_RANGES: Final = 50
# Possessive, and a quote that does not close goes to the end: nothing is looked at twice.
_RANGE = re.compile(r'((?:[^,"]++|"(?:[^"\\]++|\\.)*+"?)*+)(?:,|$)', re.DOTALL)
_PARAM = re.compile(r';\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;,]*))')
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_CARDS: Final = ("text/vcard", "text/x-vcard")
#: Media ranges that cards are in, by how exactly they say it.
_EXACTNESS: Final = {"*/*": 1, "text/*": 2, "text/x-vcard": 3, "text/vcard": 3}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The version to convert to, None for cards as they are stored.

    ``acceptable`` is False where cards are asked for, but in no form that there is.
    """

    version: str | None = None
    acceptable: bool = True


def version_wanted(header: str | None) -> Wanted:
    """What a header asks for. Other types than vCards do not count: it is what there is here."""
    # rfc9110#12.5.1
    ranges = [_read(match[1]) for match in list(_RANGE.finditer(header or ""))[:MAX_RANGES]]
    quality = {version: _quality(ranges, version) for version in VERSIONS}
    best = max(quality.values())
    if best == 0:
        return Wanted(acceptable=not any("vcard" in kind for kind, _, _ in ranges))
    choices = [version for version in VERSIONS if quality[version] == best]
    named = [
        version
        for version in choices
        if any(kind in _CARDS and given == version for kind, given, _ in ranges)
    ]
    choices = named or choices
    # Where both will do, the card stays as it is.
    return Wanted(choices[0] if len(choices) == 1 else None)


def _quality(ranges: list[tuple[str, str | None, float]], version: str) -> float:
    """The weight of the range that says most exactly what such a card is. # rfc9110#12.5.1"""
    exactness, weight = 0, 0.0
    for kind, given, quality in ranges:
        if given is not None and (given != version or kind not in _CARDS):
            continue
        this = _EXACTNESS.get(kind, 0) + (given is not None)
        if this > exactness:
            exactness, weight = this, quality
    return weight


def _read(text: str) -> tuple[str, str | None, float]:
    """(media range, its version, its weight)."""
    kind = text.partition(";")[0].strip().lower()
    params = {match[1].lower(): match[2] or match[3] or "" for match in _PARAM.finditer(text)}
    weight = params.get("q", "1")
    quality = float(weight) if _WEIGHT.fullmatch(weight) else 1.0
    return kind, params.get("version"), quality
