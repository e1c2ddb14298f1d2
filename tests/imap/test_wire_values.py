"""Modified UTF-7 and dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from folkmoot.protocols.imap import mutf7
from folkmoot.protocols.imap.dates import (
    format_date,
    format_date_time,
    parse_date,
    parse_date_time,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]))


@given(NAMES)
@example("😀&日本語/Entwürfe&-")
def test_names_round_trip(name: str) -> None:
    """Every Unicode text comes back, and its encoding is printable US-ASCII."""
    encoded = mutf7.encode(name)
    assert all(0x20 <= octet <= 0x7E for octet in encoded)
    assert mutf7.decode(encoded) == name


@given(st.text(st.sampled_from("&-,+ABab09 ~é")).map(lambda text: text.encode("latin-1")))
def test_each_name_has_one_encoding(data: bytes) -> None:
    """What decodes at all encodes to the same octets, so no mailbox has two names."""
    try:
        name = mutf7.decode(data)
    except ValueError:
        return
    assert mutf7.encode(name) == data


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("R&D", b"R&-D"),
        ("&", b"&-"),
        ("😀", b"&2D3eAA-"),
        ("", b""),
    ],
)
def test_known_encodings(name: str, encoded: bytes) -> None:
    """The example of RFC 3501 section 5.1.3 and the corners."""
    assert mutf7.encode(name) == encoded
    assert mutf7.decode(encoded) == name


@pytest.mark.parametrize(
    "data",
    [b"R&D", b"&", b"&AOQ", b"&A-", b"&AO-", b"&AGE-", b"&AOR-", b"&AOQ-&APY-", b"&2D0-", b"&3gA-",
     b"\xc3\xa4", b"a\0b", b"a\x7f", b"&AOQ=-", b"&AO/-", b"&Jjo!"],
)  # fmt: skip
def test_malformed_names(data: bytes) -> None:
    """Broken base64, half surrogates, superfluous or missing shifts are refused. # rfc3501#5.1.3"""
    with pytest.raises(ValueError):  # noqa: PT011 - decoders word it in their own ways
        mutf7.decode(data)


def test_lone_surrogates_have_no_encoding() -> None:
    """A name that is no Unicode text is refused, not mangled."""
    with pytest.raises(ValueError, match="surrogates"):
        mutf7.encode("\ud83d")


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=ZONES))
def test_date_times_round_trip(moment: datetime) -> None:
    """A moment prints and reads back with its zone, to the second."""
    printed = format_date_time(moment)
    assert len(printed) == 28
    again = parse_date_time(printed[1:-1])
    assert again == moment.replace(microsecond=0)
    assert again.utcoffset() == moment.utcoffset()


def test_date_time_form() -> None:
    """The day is padded with a space; months are English (RFC 9051)."""
    moment = datetime(1996, 7, 7, 2, 44, 25, tzinfo=timezone(timedelta(hours=-7)))
    assert format_date_time(moment) == b'" 7-Jul-1996 02:44:25 -0700"'
    assert parse_date_time(b"7-jul-1996 02:44:25 -0700") == moment
    assert parse_date_time(b"31-Dec-2016 23:59:60 +0000").second == 59
    with pytest.raises(ValueError, match="naive"):
        format_date_time(datetime(2000, 1, 1))


@pytest.mark.parametrize(
    "text",
    [b"", b"31-Feb-2000 00:00:00 +0000", b"01-Foo-2000 00:00:00 +0000",
     b"01-Jan-0000 00:00:00 +0000", b"01-Jan-0001 00:00:00 +0100", b"31-Dec-9999 23:59:59 -0100",
     b"01-Jan-2000 24:00:00 +0000", b"01-Jan-2000 00:00:61 +0000", b"01-Jan-2000 00:00:00 +0060",
     b"01-Jan-2000 00:00:00 +2400", b"01-Jan-2000 00:00:00 GMT", b"01-Jan-2000 00:00:00 +0000 "],
)  # fmt: skip
def test_malformed_date_times(text: bytes) -> None:
    """Impossible moments are refused, also those that no UTC time expresses."""
    with pytest.raises(ValueError):  # noqa: PT011 - datetime words it in its own ways
        parse_date_time(text)


def test_dates() -> None:
    """Dates of SEARCH, with one or two digits."""
    assert parse_date(b"1-feb-1994") == parse_date(b"01-FEB-1994") == date(1994, 2, 1)
    assert format_date(date(1994, 2, 1)) == b"1-Feb-1994"
    for text in (b"31-Feb-1994", b"1-Feb-94", b"1-Foo-1994", b"0-Jan-1994"):
        with pytest.raises(ValueError):  # noqa: PT011
            parse_date(text)


def test_moments_compare_across_zones() -> None:
    """A parsed moment is aware, so it can be stored as UTC."""
    parsed = parse_date_time(b"17-Jul-1996 02:44:25 -0700")
    assert parsed.astimezone(UTC).hour == 9
