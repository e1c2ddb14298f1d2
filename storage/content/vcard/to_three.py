"""vCard 4.0 as vCard 3.0 (RFC 2426), in the form that Apple's programs read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from urllib.parse import unquote

from folkmoot.storage.content.vcard import dates, media
from folkmoot.storage.content.vcard.escaping import escape, split, unescape
from folkmoot.storage.content.vcard.renaming import (
    APPLE_KIND,
    APPLE_LABEL,
    APPLE_MEMBER,
    APPLE_RELATED,
    APPLE_SHOW_AS,
    DATES,
    FOUR_ONLY,
    NO_YEAR,
    OMIT_YEAR,
    RELATIONS,
    THREE_ONLY,
)
from folkmoot.storage.content.vcard.writing import Line

_GEO = re.compile(r"geo:([+-]?[0-9.]{1,25}),([+-]?[0-9.]{1,25})(?:[,;].*)?", re.IGNORECASE)
_FOUR_PARAMS = ("ALTID", "PID", "PREF", "CALSCALE", "SORT-AS", "LABEL")
_LABEL_OF = {kind: label for label, kind in RELATIONS.items()}
_PARTS = {"N": 5, "ADR": 7}
_CONTROLS = {code: None for code in range(32) if code not in (9, 10)}


def to_three(lines: list[Line]) -> list[Line]:
    """Return the lines of a 4.0 card, without VERSION, for a 3.0 card; they are changed."""
    best = _preferred(lines)
    out: list[Line] = []
    taken = {each.group.lower() for each in lines}
    free = (f"item{each}" for each in count(1) if f"item{each}" not in taken)
    names = 0
    for line in lines:
        labels = _beside(line, free)
        if line in best:
            line.set_types((*line.params.get("TYPE", ()), "pref"))
        line.drop(*_FOUR_PARAMS)
        _own(line)
        _renamed(line)
        if line.name == "FN":
            # rfc2426#3.1.1: one only
            names += 1
            line.name = "FN" if names == 1 else "X-FN"
        out.append(line)
        out += labels
    if not any(each.name == "N" for each in out):
        # rfc2426#3.1.2: it must be there
        full = next((each.value for each in out if each.name == "FN"), "")
        out.insert(0, Line("N", f"{escape(unescape(full))};;;;"))
    return out


def _preferred(lines: list[Line]) -> set[Line]:
    """Return the most preferred line of each name that has preferences. # rfc6350#5.3"""
    best: dict[str, tuple[int, Line]] = {}
    for line in lines:
        given = line.params.get("PREF", ("",))[0]
        if len(given) <= 3 and given.isascii() and given.isdigit():
            found = best.get(line.name)
            if found is None or int(given) < found[0]:
                best[line.name] = (int(given), line)
    return {line for _, line in best.values()}


def _beside(line: Line, free: Iterator[str]) -> list[Line]:
    """Return the properties that 3.0 has in the place of parameters of this one."""
    if line.name == "ADR" and "LABEL" in line.params:
        # Some write line ends with a backslash here, too.
        text = unescape(",".join(line.params["LABEL"]))
        return [Line("LABEL", escape(text), line.only("TYPE"), line.group)]
    if line.name == "N" and "SORT-AS" in line.params:
        return [Line("SORT-STRING", escape(",".join(line.params["SORT-AS"])))]
    if line.name == "RELATED" and not line.group and _is(line, "VALUE", "text"):
        kinds = line.types()
        label = _LABEL_OF.get(next(iter(kinds), "")) if len(kinds) == 1 else None
        if label is not None:
            line.name, line.group = APPLE_RELATED, next(free)
            line.drop("VALUE", "TYPE")
            return [Line(APPLE_LABEL, label, group=line.group)]
    return []


def _is(line: Line, param: str, value: str) -> bool:
    return any(each.lower() == value for each in line.params.get(param, ()))


def _own(line: Line) -> None:
    """What one property has of its own."""
    name = line.name
    if name in media.MEDIA:
        media.to_three(line)
    elif name in DATES:
        _date(line)
    elif name == "REV":
        line.value = dates.extended(line.value.strip()) or line.value
    elif name == "GEO":
        _place(line)
    elif name == "TZ":
        _zone(line)
    elif name == "TEL":
        if _is(line, "VALUE", "uri") and line.value[:4].lower() == "tel:":
            line.value = escape(unquote(line.value[4:]).translate(_CONTROLS))
        line.drop("VALUE")
    elif name == "KIND":
        _kind(line)
    elif name == "MEMBER":
        line.name = APPLE_MEMBER
    elif name in _PARTS:
        # rfc9554#2.1 adds parts to both.
        line.value = ";".join(split(line.value)[: _PARTS[name]])
        line.drop("GEO", "TZ")


def _date(line: Line) -> None:
    text = unescape(line.value).strip()
    is_text = _is(line, "VALUE", "text")
    line.drop("VALUE")
    if not is_text and (day := dates.without_year(text)):
        line.params[OMIT_YEAR] = (NO_YEAR,)
        line.value = f"{NO_YEAR}-{day[0]}-{day[1]}"
    elif not is_text and (found := dates.extended(text)):
        line.value = found
    elif line.name == "BDAY":
        line.name = "X-BDAY"


def _place(line: Line) -> None:
    place = _GEO.fullmatch(line.value.strip())
    if place:
        line.drop("VALUE")
        line.value = f"{place[1]};{place[2]}"
    else:
        line.name = "X-GEO"


def _zone(line: Line) -> None:
    zone = dates.extended_zone(line.value.strip())
    line.drop("VALUE")
    if zone:
        line.value = zone
    else:
        line.params["VALUE"] = ("text",)


def _kind(line: Line) -> None:
    kind = line.value.strip().lower()
    if kind == "org":
        line.name, line.value = APPLE_SHOW_AS, "COMPANY"
    else:
        line.name = APPLE_KIND


def _renamed(line: Line) -> None:
    bare = line.name.removeprefix("X-")
    if line.name in FOUR_ONLY:
        line.name = "X-" + line.name
    elif line.name != bare and (bare in THREE_ONLY or bare == "SORT-STRING"):
        line.name = bare
