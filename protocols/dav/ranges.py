"""Ranges of octets (RFC 9110 section 14)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

MAX_RANGES: Final = 50
_SPEC = re.compile(r"\s*(?:(\d{1,19})-(\d{0,19})|-(\d{1,19}))\s*")

Range = tuple[int, int]
"""The first octet, and the one behind the last."""


def parse_ranges(header: str | None, size: int) -> list[Range] | None:
    """What a Range header asks for of ``size`` octets; None: all of it (the header is ignored).

    [] says that nothing of it can be had (416). Ranges that overlap or are too many are ignored
    as a whole: only broken or hostile clients ask for such. # rfc9110#14.2
    """
    if header is None:
        return None
    unit, equals, specs = header.partition("=")
    if unit.strip().lower() != "bytes" or not equals:
        return None
    found: list[Range] = []
    parts = specs.split(",", MAX_RANGES + 1)
    if len(parts) > MAX_RANGES:
        return None
    for spec in parts:
        match = _SPEC.fullmatch(spec)
        if match is None:
            return None
        if match[3] is not None:
            start, end = max(0, size - int(match[3])), size
        else:
            start = int(match[1])
            end = min(int(match[2]) + 1, size) if match[2] else size
            if match[2] and int(match[2]) < start:
                return None
        if start < end:
            found.append((start, end))
    ordered = sorted(found)
    if any(one[1] > other[0] for one, other in pairwise(ordered)):
        return None
    return found
