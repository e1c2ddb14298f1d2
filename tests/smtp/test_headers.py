"""Stamps on the header block, and nothing else touched."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from folkmoot.protocols.smtp.headers import (
    Trace,
    completed,
    header_length,
    received_count,
    received_field,
    values,
    with_protocol,
    without,
)
from tests.kit.pace import within

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TRACE = Trace("mx.test", "client.test", "192.0.2.7", "ESMTPSA", "abc123", WHEN)


@pytest.mark.parametrize(
    ("base", "utf8", "tls", "authenticated", "expected"),
    [
        ("SMTP", False, True, True, "SMTP"),
        ("ESMTP", False, False, False, "ESMTP"),
        ("ESMTP", False, True, True, "ESMTPSA"),
        ("ESMTP", True, True, True, "UTF8SMTPSA"),
        ("ESMTP", True, False, False, "UTF8SMTP"),
        ("LMTP", False, True, False, "LMTPS"),
        ("LMTP", True, False, True, "UTF8LMTPA"),
    ],
)
def test_protocol_names(
    base: str, utf8: bool, tls: bool, authenticated: bool, expected: str
) -> None:
    """The registered names of RFC 3848 and RFC 6531. # rfc3848#1, rfc6531#4.3"""
    assert with_protocol(base, utf8=utf8, tls=tls, authenticated=authenticated) == expected


def test_received_field() -> None:
    """All clauses are there, in lines that fit, and a hostile HELO cannot break out."""
    # rfc5321#4.4
    trace = Trace(
        "mx.test", "evil\r\nBcc: x (", "2001:db8::1", "LMTP", "abc", WHEN, "bob@a.test", "TLS_X"
    )
    field = received_field(trace)
    value = " ".join(field.decode().split())
    assert value == (
        "Received: from evilBcc:x ([IPv6:2001:db8::1]) by mx.test with LMTP id abc"
        " for <bob@a.test> tls TLS_X; Fri, 02 Jan 2026 03:04:05 +0000"
    )
    assert all(len(line) <= 78 for line in field.split(b"\r\n"))


def test_submission_completes_a_header() -> None:
    """Bcc goes, also folded; From, Date and Message-ID come; the rest stays octet for octet."""
    # rfc6409#8, rfc5322#3.6
    header = (
        b"To: bob@example.org\r\nBCC: secret@example.org,\r\n other@example.org\r\n"
        b"Return-Path: <forged@example.org>\r\nSubject: =?utf-8?q?x?=\r\n  folded\r\n\r\n"
    )
    result = completed(header, "alice@example.org", TRACE)
    message = message_from_bytes(result, policy=policy.default)
    assert message["From"] == "alice@example.org"
    assert message["Message-ID"] == "<abc123@mx.test>"
    assert message["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"
    assert message["Bcc"] is None
    assert message["Return-Path"] is None
    assert b"secret" not in result
    assert b"other@" not in result
    assert result.endswith(b"To: bob@example.org\r\nSubject: =?utf-8?q?x?=\r\n  folded\r\n\r\n")
    assert result.startswith(b"Received: ")


def test_submission_keeps_what_is_there() -> None:
    """A header that has everything gets the trace line only."""
    header = b"From: a@b.test\r\nDate: x\r\nMessage-ID: <1@b.test>\r\n\r\n"
    assert completed(header, "a@b.test", TRACE) == received_field(TRACE) + header


def test_fields_of_broken_headers() -> None:
    """Fields are found by name with their folds; lines that are no field are left alone."""
    header = b" lead\r\nA: 1\r\nbroken line\r\n\tmore\r\nB : 2\r\n  b: 3\r\na :4"
    assert values(header, b"a") == [b" 1\r\n", b"4"]
    assert values(header, b"b") == [b" 2\r\n  b: 3\r\n"]
    assert values(header, b"broken line") == []
    assert without(header, frozenset({b"b", b"c"})) == header.replace(b"B : 2\r\n  b: 3\r\n", b"")


def test_hostile_number_of_fields() -> None:
    """A megabyte of tiny fields costs no time worth mentioning on the reactor."""
    header = b"A:\r\n" * 260_000 + b"\r\n"
    with within(1):
        completed(header, "a@b.test", TRACE)
        received_count(header)


def test_loop_count_and_header_length() -> None:
    """Received fields are counted in any case; the header ends at the first empty line."""
    # rfc5321#6.3
    header = b"received: a\r\nRECEIVED: b\r\n c\r\nX: d\r\n\r\n"
    assert received_count(header) == 2
    assert header_length(header + b"text\r\n\r\n") == len(header)
    assert header_length(b"\r\ntext") == 2
    assert header_length(b"A: b\r\n") == -1
