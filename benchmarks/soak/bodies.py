"""Messages, events, cards and files that are made of nothing but a token."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

TOKEN = re.compile(rb"soak-[a-z0-9-]+-s\d+\b")
_BLOCK = random.Random(7).randbytes(1 << 16)
_TEXT = b"The quick brown fox jumps over the lazy dog and is back before it wakes.\r\n"


def token(who: str, number: int, size: int) -> str:
    """The name of one content that nobody else makes; ``size`` is that of the body."""
    return f"soak-{who}-{number}-s{size}"


def size_of(token: str) -> int:
    """The octets that the body of a content has."""
    return int(token.rpartition("s")[2])


def found_in(content: bytes) -> str:
    """The token of a content, "" if there is none."""
    match = TOKEN.search(content)
    return match[0].decode() if match else ""


def text(token: str) -> bytes:
    """The body of a message."""
    line = f"{token} ".encode()
    size = max(size_of(token), len(line) + 2)
    filled = line + _TEXT * ((size - len(line)) // len(_TEXT) + 1)
    whole = filled[: size - 2]
    if whole.endswith(b"\r"):  # no bare CR
        whole = whole[:-1] + b"."
    return whole + b"\r\n"


def message(token: str, sender: str, to: str) -> bytes:
    """A whole message."""
    return (
        f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {token}\r\n"
        f"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{token}@example.test>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode() + text(token)


def event(token: str, name: str) -> bytes:
    """A calendar object; its day depends on its name alone."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//soak//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{name}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:202603{day(name):02}T100000Z\r\n"
        f"DURATION:PT1H\r\nSUMMARY:{token}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def meeting(token: str, uid: str, organizer: str, guests: Sequence[str]) -> bytes:
    """A meeting to which guests are invited, all by their addresses."""
    asked = "".join(
        f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest}\r\n" for guest in guests
    )
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//soak//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260402T100000Z\r\n"
        f"DURATION:PT1H\r\nSUMMARY:{token}\r\nORGANIZER:mailto:{organizer}\r\n"
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{organizer}\r\n{asked}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def day(name: str) -> int:
    """The day of March 2026 that events of a name are on."""
    return sum(name.encode()) % 28 + 1


def card(token: str, name: str) -> bytes:
    """A contact."""
    return (
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:{token}\r\nN:{token};;;;\r\n"
        f"EMAIL:{name}@example.test\r\nEND:VCARD\r\n"
    ).encode()


def file(token: str, name: str) -> bytes:
    """A document; ``name`` does not matter."""
    head = f"{token}\n".encode()
    size = max(size_of(token), len(head))
    return (head + _BLOCK * (size // len(_BLOCK) + 1))[:size]
