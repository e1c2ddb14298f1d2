"""vCard 3.0 as vCard 4.0 (RFC 6350 appendix A)."""

from __future__ import annotations

import re
from urllib.parse import quote

from folkmoot.storage.content.vcard import dates, media
from folkmoot.storage.content.vcard.escaping import escape, unescape
from folkmoot.storage.content.vcard.renaming import (
    APPLE_KIND,
    APPLE_LABEL,
    APPLE_MEMBER,
    APPLE_RELATED,
    APPLE_SHOW_AS,
    DATES,
    FOUR_ONLY,
    MESSENGERS,
    NO_YEAR,
    OMIT_YEAR,
    RELATIONS,
    THREE_ONLY,
)
from folkmoot.storage.content.vcard.writing import Line

_GEO = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{0,20})?)\s*\\?[;,]\s*([+-]?\d{1,3}(?:\.\d{0,20})?)\s*")
_GENDER = re.compile(r"[MFONU]?(?:;.*)?", re.DOTALL)
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,100}")
_TEXTS = frozenset(("ORG", "ADR", "NOTE", "FN", "N", "TITLE", "ROLE", "NICKNAME", "TEL", "EMAIL"))
# Only the colon loses its backslash: 4.0 does not know it.
_COLON = re.compile(r"\\([\\:])")


def to_four(lines: list[Line], name: str) -> list[Line]:
    """Return the lines of a 3.0 card, without VERSION, for a 4.0 card; `name` is for a lost FN.

    The lines given are changed.
    """
    lines = [each for each in lines if each.name != "PROFILE"]
    for line in lines:
        _common(line)
        _own(line)
    lines = _related(lines)
    lines = _labels(lines)
    lines = _sort_strings(lines)
    lines = _messengers(lines)
    _kinds(lines)
    for line in lines:
        _renamed(line)
    if not any(each.name == "FN" and each.value.strip() for each in lines):
        lines = [each for each in lines if each.name != "FN"]
        lines.insert(0, Line("FN", escape(name)))
    return lines


def _common(line: Line) -> None:
    """What holds for all properties: preference is a parameter, VALUE is for what is unusual."""
    types = line.params.get("TYPE", ())
    kept = [each for each in types if each.lower() != "pref"]
    if len(kept) != len(types):
        # rfc6350#5.3
        line.params.setdefault("PREF", ("1",))
    if line.name == "EMAIL":
        kept = [each for each in kept if each.lower() != "internet"]
    line.set_types(kept)
    if line.name not in media.MEDIA:
        line.value = _COLON.sub(lambda match: ":" if match[1] == ":" else match[0], line.value)


def _own(line: Line) -> None:
    """What one property has of its own."""
    name = line.name
    if name in media.MEDIA:
        media.to_four(line)
    elif name.removeprefix("X-") in DATES:
        _date(line)
    elif name == "REV":
        line.drop("VALUE")
        line.value = dates.timestamp(line.value.strip()) or line.value
    elif name == "GEO":
        if place := _GEO.fullmatch(line.value):
            line.value = f"geo:{place[1]},{place[2]}"
    elif name == "TZ":
        line.drop("VALUE")
        if zone := dates.basic_zone(line.value.strip()):
            line.params["VALUE"] = ("utc-offset",)
            line.value = zone
    elif name == "AGENT" and _says(line, "VALUE", "uri"):
        line.name, line.params = "RELATED", {"TYPE": ("agent",), "VALUE": ("uri",)}
    elif name in _TEXTS and _says(line, "VALUE", "text"):
        line.drop("VALUE")


def _says(line: Line, param: str, value: str) -> bool:
    return any(each.lower() == value for each in line.params.get(param, ()))


def _date(line: Line) -> None:
    # rfc6350#6.2.5
    text = unescape(line.value).strip()
    found = dates.basic(text)
    omitted = line.params.get(OMIT_YEAR, ("",))[0]
    line.drop("VALUE", OMIT_YEAR)
    if found is None:
        line.params["VALUE"] = ("text",)
        return
    if found[:4] in (omitted or NO_YEAR, NO_YEAR) and len(found) == 8:
        found = "--" + found[4:]
    line.value = found


def _renamed(line: Line) -> None:
    bare = line.name.removeprefix("X-")
    if line.name in THREE_ONLY:
        line.name = "X-" + line.name
    elif line.name == bare:
        return
    elif bare == "GENDER":
        line.name = bare if _GENDER.fullmatch(line.value) else line.name
    elif bare == "LANG":
        line.name = bare if _LANGUAGE.fullmatch(line.value) else line.name
    elif bare in FOUR_ONLY or bare in ("BDAY", "FN", "GEO"):
        line.name = bare


def _kinds(lines: list[Line]) -> None:
    """Apple's groups and companies. # rfc6350#6.1.4, rfc6350#6.6.5"""
    known = any(each.name in ("KIND", APPLE_KIND) for each in lines)
    for line in lines:
        if line.name == APPLE_KIND:
            line.name = "KIND"
        elif line.name == APPLE_MEMBER:
            line.name = "MEMBER"
        elif line.name == APPLE_SHOW_AS and not known and line.value.strip().upper() == "COMPANY":
            line.name, line.value, known = "KIND", "org", True


def _related(lines: list[Line]) -> list[Line]:
    """Apple's related people, where the label is one that RELATED has as a type."""
    labels = {
        each.group: RELATIONS[each.value]
        for each in lines
        if each.name == APPLE_LABEL and each.group and each.value in RELATIONS
    }
    turned = {each.group for each in lines if each.name == APPLE_RELATED and each.group in labels}
    # A label that something else has too stays with it.
    # A label that something else has too stays with it.
    others = {each.group for each in lines if each.name not in (APPLE_RELATED, APPLE_LABEL)}
    turned = {each.group for each in lines if each.name == APPLE_RELATED and each.group in labels}
    turned -= others
    kept = []
    for line in lines:
        if line.group not in turned:
            kept.append(line)
        elif line.name == APPLE_RELATED:
            params = {"TYPE": (labels[line.group],), "VALUE": ("text",), **line.only("PREF")}
            kept.append(Line("RELATED", line.value, params))
    return kept


def _labels(lines: list[Line]) -> list[Line]:
    """Put address labels to their addresses; one without stays. # rfc6350#6.3.1"""
    kept: list[Line] = []
    free: dict[tuple[str, frozenset[str]], dict[Line, None]] = {}
    for line in lines:
        if line.name == "ADR" and "LABEL" not in line.params:
            free.setdefault((line.group, line.types()), {})[line] = None
    for line in lines:
        addresses = free.get((line.group, line.types())) if line.name == "LABEL" else None
        if not addresses:
            kept.append(line)
            continue
        # The address just before it is meant, or else the first of this type.
        address = kept[-1] if kept and kept[-1] in addresses else next(iter(addresses))
        address.params["LABEL"] = (unescape(line.value),)
        del addresses[address]
    return kept


def _sort_strings(lines: list[Line]) -> list[Line]:
    # rfc6350#5.9
    names = [each for each in lines if each.name == "N"]
    strings = [each for each in lines if each.name == "SORT-STRING"]
    if names and strings:
        names[0].params.setdefault("SORT-AS", (unescape(strings[0].value),))
    elif strings:
        strings[0].name = "X-SORT-STRING"
    return [each for each in lines if each.name != "SORT-STRING"]


def _messengers(lines: list[Line]) -> list[Line]:
    """Messengers from before IMPP, unless IMPP says the same. # rfc6350#6.4.3"""
    known = {each.value.strip().lower() for each in lines if each.name == "IMPP"}
    kept = []
    for line in lines:
        if scheme := MESSENGERS.get(line.name):
            address = unescape(line.value).strip()
            line.name = "IMPP"
            line.value = f"{scheme}:{quote(address, safe='@+-._~/:')}"
            if not address or line.value.lower() in known:
                continue
            known.add(line.value.lower())
        kept.append(line)
    return kept
