"""Keys for sorting and threading: base subjects, dates, first addresses, message ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.content.sortkeys import (
    NAME_LIMIT,
    REFERENCES_LIMIT,
    SUBJECT_LIMIT,
    base_subject,
    collation_key,
    sent_time,
    sort_keys,
)


@pytest.mark.parametrize(
    ("subject", "base", "reply"),
    [
        ("Hello", "Hello", False),
        ("  Hello \t ", "Hello", False),
        ("a\t\r\n b", "a b", False),
        ("Re: Hello", "Hello", True),
        ("RE : fw:FWD:Hello", "Hello", True),
        ("Re[2]: Hello", "Hello", True),
        ("re: [list] Hello", "Hello", True),
        ("[list] re: Hello", "Hello", True),
        ("[a] [b] Hello", "Hello", False),
        ("[a]", "[a]", False),
        ("Re: [a]", "[a]", True),
        ("Hello (fwd) (FWD)", "Hello", True),
        ("[fwd: Hello]", "Hello", True),
        ("[Fwd: re: [Fwd: Hello (fwd)] ]", "Hello", True),
        ("Regarding: Hello", "Regarding: Hello", False),
        ("Re:", "", True),
        ("", "", False),
        ("(fwd)", "", True),
    ],
)
def test_base_subject(subject: str, base: str, reply: bool) -> None:
    """RFC 5256 section 2.1, step by step."""
    assert base_subject(subject) == (base, reply)


@given(st.text(alphabet="[]()refwd: \tX", max_size=60))
def test_base_subject_of_anything_is_its_own(subject: str) -> None:
    """What was extracted once has nothing left to take away."""
    base, _ = base_subject(subject)
    assert base_subject(base)[0] == base


@pytest.mark.parametrize("piece", ["[a]", "re:", "[fwd:", "(fwd)", " ", "[", "re[", "]"])
def test_hostile_subjects_are_bounded(piece: str) -> None:
    """A subject made to be read again and again is looked at up to a limit."""
    base, _ = base_subject(piece * 100_000)
    assert len(base) <= SUBJECT_LIMIT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"Thu, 1 Jan 1970 00:00:10 +0000", 10),
        (b"Thu, 1 Jan 1970 01:00:00 +0100", 0),
        (b"1 Jan 70 00:00 GMT", 0),
        (b"Thu, 1 Jan 1970 99:00:00 +0000", 0),  # rfc5256#2.2: the day counts
        (b"Thu, 1 Jan 1970 00:00:05 +9999", 5),
        (b"Thu, 31 Feb 1970 00:00:00 +0000", None),
        (b"1 Jan 99999999999999999999 00:00:00", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
def test_sent_time(value: bytes, seconds: int | None) -> None:
    """Dates are compared in UTC; what cannot be read gives way to the date of arrival."""
    # rfc5256#2.2
    assert sent_time(value) == seconds


def test_collation_disregards_case_and_composition() -> None:
    """i;unicode-casemap: letters without their case, characters taken apart. # rfc5051#2"""
    assert collation_key("straße É") == collation_key("STRAße e\u0301")
    assert collation_key("ab") == collation_key("AB") < collation_key("b")
    assert collation_key("a\x00\ud800") == "A\ufffd\ufffd"
    assert collation_key("é\x00\ud800").isprintable()


def keys(header: str) -> tuple[str, ...]:
    found = sort_keys(header.encode())
    return (found.sender, found.recipient, found.copied, found.sender_name, found.recipient_name)


def test_first_addresses() -> None:
    """Left sides for SORT, what is shown for SORT=DISPLAY (RFC 5957 section 3)."""
    assert keys("From: b@c, Ann <d@e>\r\nTo: Ann <d@e>\r\nCc: <x@y>\r\n\r\n") == (
        ("B", "D", "X", "B@C", "ANN")
    )
    assert keys("From: =?utf-8?q?J=C3=BC?= <j@e>\r\nTo: Friends: a@b, c@d;\r\n\r\n") == (
        ("J", "FRIENDS", "", "JU\u0308", "FRIENDS")
    )
    assert keys("Subject: x\r\n\r\n") == ("", "", "", "", "")
    long = keys(f"From: {'n' * 5000} <{'l' * 5000}@e>\r\n\r\n")
    assert [len(one) for one in long] == [NAME_LIMIT, 0, 0, NAME_LIMIT, 0]


def test_message_ids() -> None:
    """References count before In-Reply-To; quoting does not part what is the same."""
    plain = sort_keys(
        b"Message-ID: <a@b>\r\nReferences: <c@d> x <e@f>\r\nIn-Reply-To: <g@h>\r\n\r\n"
    )
    quoted = sort_keys(b'Message-ID: <"a"@b>\r\nReferences: <"\\c"@d>\r\n <e@f>\r\n\r\n')
    assert (plain.message_id, plain.references) == (quoted.message_id, quoted.references)
    assert len(plain.references) == 16
    replied = sort_keys(b"In-Reply-To: <e@f> <c@d>\r\nReferences: none\r\n\r\n")
    assert replied.references == plain.references[8:]
    assert replied.message_id is None
    many = b"".join(b" <%d@x>\r\n" % n for n in range(5000))
    found = sort_keys(b"References:" + many + b"\r\n").references
    assert len(found) == 8 * REFERENCES_LIMIT
    assert found[:8] == sort_keys(b"References: <0@x>\r\n\r\n").references
    assert found[-8:] == sort_keys(b"References: <4999@x>\r\n\r\n").references


@given(st.binary(max_size=300))
def test_any_octets_have_keys(header: bytes) -> None:
    """No message is refused because of what it says; every key can be stored."""
    for name in (b"Subject: ", b"From: ", b"Date: ", b"References: "):
        found = sort_keys(name + header + b"\r\n\r\n")
        for text in (found.subject, found.sender, found.sender_name):
            assert "\0" not in text
            text.encode()
