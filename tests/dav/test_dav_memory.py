"""What clients make up is not remembered for as long as the server runs, however long it is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from folkmoot.protocols.dav.names import opening
from folkmoot.storage.content.headers import header_fields
from folkmoot.storage.content.ical.rules import parse_rule
from folkmoot.storage.content.ical.zones import zone_named, zone_of_vtimezone

LONG = 9_000
TIMES = 100
RULES = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:x\r
BEGIN:VTIMEZONE\r
TZID:{0}\r
BEGIN:STANDARD\r
DTSTART:19700101T000000\r
TZOFFSETFROM:+0100\r
TZOFFSETTO:+0100\r
COMMENT:{0}\r
END:STANDARD\r
END:VTIMEZONE\r
END:VCALENDAR\r
"""


def _rule(text: str) -> None:
    parse_rule(f"FREQ=DAILY;X-{text}=1")


def _zone(text: str) -> None:
    zone_of_vtimezone(RULES.format(text).encode())


def _header(text: str) -> None:
    names = frozenset([text.encode() for number in range(5)])
    assert header_fields(b"Subject: x\r\n\r\n", names, inverse=False) == b"\r\n"


@pytest.mark.parametrize("use", [opening, zone_named, _rule, _zone, _header])
def test_long_names_are_forgotten(use: Callable[[str], object]) -> None:
    """Tags, names of zones, rules and fields: each new one passes through and is gone."""
    use("x" * LONG)
    tracemalloc.start()
    try:
        for number in range(TIMES):
            use(f"{number:0{LONG}}")
        assert tracemalloc.get_traced_memory()[0] < LONG * TIMES / 4
    finally:
        tracemalloc.stop()
