"""Outlines of confidential events: times, and not an octet of anything else."""

from __future__ import annotations

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.outline import confidential
from folkmoot.storage.content.ical.zones import UTC
from tests.dav.calendars import calendar, event

SECRET = "Xq7Secret"
_WORDS = st.text(string.ascii_letters, min_size=1, max_size=8).map(lambda text: SECRET + text)
_EXTRA = st.sampled_from(
    [
        "DESCRIPTION:{}",
        "LOCATION;LANGUAGE={}:{}",
        "X-{}:{}",
        "ATTENDEE;CN={}:mailto:{}@example.test",
        "ORGANIZER;CN={}:mailto:{}@example.test",
        "CATEGORIES:{},{}",
        "ATTACH:https://{}.example.test/",
        "URL:https://{}.example.test/",
        "COMMENT:{}",
        "RESOURCES:{}",
        "CONFERENCE;LABEL={}:https://example.test/{}",
        "STATUS:{}",
        "TRANSP:{}",
        "GEO:{}",
        "RELATED-TO:{}",
        "DTSTAMP;X-NOTE={}:20260101T000000Z",
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:{}\r\nEND:VALARM",
        "BEGIN:PARTICIPANT\r\nUID:{}\r\nEND:PARTICIPANT",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_EXTRA, _WORDS), max_size=8), _WORDS)
def test_nothing_else_is_in_it(extra: list[tuple[str, str]], summary: str) -> None:
    """Whatever texts an event has, its outline has none of them, and the same times."""
    # rfc5545#3.8.1.3
    lines = [form.replace("{}", word) for form, word in extra]
    octets = calendar(
        event(
            "DTSTART:20260105T100000Z",
            "DURATION:PT1H",
            f"SUMMARY:{summary}",
            "CLASS:CONFIDENTIAL",
            "RRULE:FREQ=WEEKLY;COUNT=4",
            "EXDATE:20260112T100000Z",
            *sorted(lines, key=lambda line: line.startswith("BEGIN")),
        )
    )
    found = load_calendar(octets)
    outline = confidential(found)
    assert SECRET.encode() not in outline
    assert b"SUMMARY:Busy" in outline
    again = load_calendar(outline)
    assert again.uid == found.uid
    assert [timing.start for timing in again.timings] == [each.start for each in found.timings]
    assert again.parts[0].value("RRULE") == "FREQ=WEEKLY;COUNT=4"
    assert again.parts[0].value("EXDATE") == "20260112T100000Z"
    assert confidential(again) == outline


def test_zones_stay_without_their_texts() -> None:
    """The rules of a zone that the event names are kept; comments and other zones are not."""
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:{}\r\nX-NOTE:Secret\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000"
        "\r\nTZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nTZNAME:Secret\r\nEND:STANDARD\r\n"
        "END:VTIMEZONE\r\n"
    )
    octets = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:Secret\r\nX-WR-CALNAME:Secret\r\n"
        + zone.format("Mine")
        + zone.format("Other-Secret")
        + "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Mine:20260105T100000"
        "\r\nDURATION:PT1H\r\nSUMMARY:Secret\r\nCLASS:CONFIDENTIAL\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    ).encode()
    found = load_calendar(octets)
    outline = confidential(found)
    assert b"Secret" not in outline
    assert outline.count(b"BEGIN:VTIMEZONE") == 1
    assert b"TZOFFSETTO:+0530" in outline
    [before], [after] = found.timings, load_calendar(outline).timings
    assert before.start is not None
    assert after.start is not None
    assert after.start.utc(UTC) == before.start.utc(UTC)
    assert after.duration == before.duration
