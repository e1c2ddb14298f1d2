"""Sample messages of the demo: a thread, HTML, an attachment, a subject that is not ASCII."""

from __future__ import annotations

import datetime
import struct
import zlib
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

DOMAIN = "example.test"
PEOPLE_NAMES = {
    "alice": "Alice Archer",
    "bob": "Bob Baker",
    "carol": "Carol Cooper",
    "dave": "Dave Draper",
    "eve": "Eve Fletcher",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A finished message and who gets it."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes


def address(person: str) -> str:
    """The mail address of one of the demo's people."""
    return f"{person}@{DOMAIN}"


def display_name(person: str) -> str:
    """The full name of one of the demo's people."""
    return PEOPLE_NAMES[person]


def samples(now: datetime.datetime) -> list[Sample]:
    """All sample messages, oldest first; ``now`` has a time zone."""
    day = datetime.timedelta(days=1)
    return [
        *_welcomes(now - 3 * day),
        *_thread(now - 2 * day),
        _html(now - day),
        _attachment(now - day / 2),
    ]


def _welcomes(when: datetime.datetime) -> list[Sample]:
    """One message for each person, so that nobody finds an empty inbox."""
    made = []
    for person in PEOPLE_NAMES:
        message = _message("alice", (person,), "Welcome to the demo", when, f"welcome-{person}")
        message.set_content(
            f"Hello {PEOPLE_NAMES[person].split()[0]},\n\n"
            "this account belongs to the demo of Folkmoot. Send mail to the others:\n"
            f"alice, bob, carol, dave and eve, all @{DOMAIN}.\n\n"
            "Alice\n"
        )
        made.append(_sample("alice", (person,), message))
    return made


def _thread(when: datetime.datetime) -> list[Sample]:
    hour = datetime.timedelta(hours=1)
    subject = "Rehearsal on Thursday"
    first = _message("bob", ("alice", "carol"), subject, when, "thread-1")
    first.set_content("Shall we meet at seven, or is half past better?\n\nBob\n")
    second = _message("carol", ("bob", "alice"), f"Re: {subject}", when + hour, "thread-2")
    second["In-Reply-To"] = first["Message-ID"]
    second["References"] = first["Message-ID"]
    second.set_content("Half past, please.\n\n> Shall we meet at seven, or is half past better?\n")
    third = _message("alice", ("bob", "carol"), f"Re: {subject}", when + 2 * hour, "thread-3")
    third["In-Reply-To"] = second["Message-ID"]
    third["References"] = f"{first['Message-ID']} {second['Message-ID']}"
    third.set_content("Half past seven it is. I bring the scores.\n\n> Half past, please.\n")
    return [
        _sample("bob", ("alice", "carol"), first),
        _sample("carol", ("bob", "alice"), second),
        _sample("alice", ("bob", "carol"), third),
    ]


def _html(when: datetime.datetime) -> Sample:
    people = ("alice", "bob", "dave")
    message = _message("eve", people, "Grüße aus Zürich – 東京から 🌍", when, "html")
    message.set_content("Viele Grüße!\n\nNächste Woche: こんにちは, Tokyo.\n\nEve\n")
    message.add_alternative(
        "<html><body><h1>Viele Grüße!</h1>"
        "<p>Nächste Woche: <b>こんにちは, Tokyo</b>.</p><p>Eve</p></body></html>\n",
        subtype="html",
    )
    return _sample("eve", people, message)


def _attachment(when: datetime.datetime) -> Sample:
    people = ("alice", "bob", "eve")
    message = _message("carol", people, "The poster, and the list of songs", when, "attachment")
    message.set_content("Here is the poster, and the list as a table.\n\nCarol\n")
    message.add_attachment(picture(), maintype="image", subtype="png", filename="poster.png")
    message.add_attachment(
        "title;composer\nGreensleeves;traditional\nErlkönig;Schubert\n",
        subtype="csv",
        filename="Lieder für den Frühling.csv",
    )
    return _sample("carol", people, message)


def _message(
    sender: str, recipients: tuple[str, ...], subject: str, when: datetime.datetime, name: str
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"{PEOPLE_NAMES[sender]} <{address(sender)}>"
    message["To"] = ", ".join(f"{PEOPLE_NAMES[one]} <{address(one)}>" for one in recipients)
    message["Subject"] = subject
    message["Date"] = format_datetime(when)
    message["Message-ID"] = f"<demo-{name}@{DOMAIN}>"
    return message


def _sample(sender: str, recipients: tuple[str, ...], message: EmailMessage) -> Sample:
    return Sample(address(sender), tuple(map(address, recipients)), message.as_bytes())


def picture(width: int = 160, height: int = 120) -> bytes:
    """A picture with a colour gradient."""
    rows = b"".join(
        b"\0" + bytes(v for x in range(width) for v in (255 * x // width, 255 * y // height, 160))
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
