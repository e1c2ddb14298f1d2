"""Sample events, tasks, contacts and documents of the demo's people."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from folkmoot.server.demo_mail import DOMAIN, PEOPLE_NAMES, address, picture
from folkmoot.storage.types import Tool

_VIENNA = (
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Vienna\r\n"
    "BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\nEND:DAYLIGHT\r\n"
    "END:VTIMEZONE\r\n"
)


@dataclass(frozen=True, slots=True)
class TreeSample:
    """An item to be put at a place; the folders above it are made where they are missing."""

    tool: Tool
    names: tuple[str, ...]
    media_type: str
    octets: bytes


def tree_samples(person: str, now: datetime.datetime) -> list[TreeSample]:
    """What one of the demo's people has; ``now`` has a time zone."""
    return [*_events(person, now), *_tasks(person, now), *_contacts(person), *_documents(person)]


def group_samples(now: datetime.datetime) -> list[TreeSample]:
    """What the demo's group has."""
    sunday = (now + datetime.timedelta(days=6 - now.weekday())).strftime("%Y%m%d")
    return [
        _calendar_object(
            "Calendar",
            "concert-of-the-choir",
            _VIENNA,
            "VEVENT",
            f"DTSTART;TZID=Europe/Vienna:{sunday}T180000\r\nDURATION:PT2H\r\n"
            "SUMMARY:Concert of the choir\r\nLOCATION:Town hall\r\n",
        ),
        TreeSample(
            Tool.DOCUMENTS,
            ("Read me.txt",),
            "text/plain; charset=utf-8",
            b"These are the documents of the choir. All members read them.\r\n",
        ),
        TreeSample(
            Tool.DOCUMENTS,
            ("Scores", "Programme.csv"),
            "text/csv; charset=utf-8",
            b"title;composer\r\nAbendlied;Rheinberger\r\n",
        ),
    ]


def _events(person: str, now: datetime.datetime) -> list[TreeSample]:
    monday = (now - datetime.timedelta(days=now.weekday())).strftime("%Y%m%d")
    thursday = (now + datetime.timedelta(days=3 - now.weekday())).strftime("%Y%m%d")
    saturday = (now + datetime.timedelta(days=5 - now.weekday())).strftime("%Y%m%d")
    return [
        _calendar_object(
            "Calendar",
            f"rehearsal-{person}",
            _VIENNA,
            "VEVENT",
            f"DTSTART;TZID=Europe/Vienna:{thursday}T193000\r\n"
            f"DTEND;TZID=Europe/Vienna:{thursday}T213000\r\nRRULE:FREQ=WEEKLY\r\n"
            "SUMMARY:Rehearsal\r\nLOCATION:School hall\r\n"
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Rehearsal\r\nTRIGGER:-PT30M\r\n"
            "END:VALARM\r\n",
        ),
        _calendar_object(
            "Calendar",
            f"planning-{person}",
            _VIENNA,
            "VEVENT",
            f"DTSTART;TZID=Europe/Vienna:{monday}T090000\r\nDURATION:PT45M\r\n"
            "SUMMARY:Planning of the week\r\nCLASS:PRIVATE\r\n",
        ),
        _calendar_object(
            "Calendar",
            f"concert-{person}",
            "",
            "VEVENT",
            f"DTSTART;VALUE=DATE:{saturday}\r\nSUMMARY:Frühlingskonzert 🎶\r\n"
            "TRANSP:TRANSPARENT\r\n",
        ),
    ]


def _tasks(person: str, now: datetime.datetime) -> list[TreeSample]:
    due = (now + datetime.timedelta(days=7)).strftime("%Y%m%d")
    return [
        _calendar_object(
            "Tasks",
            f"scores-{person}",
            "",
            "VTODO",
            f"DUE;VALUE=DATE:{due}\r\nSUMMARY:Copy the scores\r\nPRIORITY:5\r\n"
            "STATUS:NEEDS-ACTION\r\n",
        )
    ]


def _calendar_object(
    folder: str, name: str, zone: str, component: str, properties: str
) -> TreeSample:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Folkmoot//Demo//EN\r\n"
        f"{zone}BEGIN:{component}\r\nUID:{name}@{DOMAIN}\r\nDTSTAMP:20260101T000000Z\r\n"
        f"{properties}END:{component}\r\nEND:VCALENDAR\r\n"
    )
    return TreeSample(
        Tool.CALENDAR, (folder, f"{name}.ics"), "text/calendar; charset=utf-8", text.encode()
    )


def _contacts(person: str) -> list[TreeSample]:
    return [
        TreeSample(
            Tool.CONTACTS,
            ("Contacts", f"{other}.vcf"),
            "text/vcard; charset=utf-8",
            (
                "BEGIN:VCARD\r\nVERSION:3.0\r\n"
                f"UID:{other}-of-{person}@{DOMAIN}\r\nFN:{name}\r\n"
                f"N:{name.split()[1]};{name.split()[0]};;;\r\nEMAIL;TYPE=WORK:{address(other)}\r\n"
                "ORG:The choir\r\nEND:VCARD\r\n"
            ).encode(),
        )
        for other, name in PEOPLE_NAMES.items()
        if other != person
    ]


def _documents(person: str) -> list[TreeSample]:
    first = PEOPLE_NAMES[person].split()[0]
    return [
        TreeSample(
            Tool.DOCUMENTS,
            ("Read me.txt",),
            "text/plain; charset=utf-8",
            f"Hello {first},\r\n\r\nthese are your documents. Mount them as a drive.\r\n".encode(),
        ),
        TreeSample(Tool.DOCUMENTS, ("Concert", "poster.png"), "image/png", picture()),
        TreeSample(
            Tool.DOCUMENTS,
            ("Concert", "Lieder für den Frühling.csv"),
            "text/csv; charset=utf-8",
            "title;composer\r\nGreensleeves;traditional\r\nErlkönig;Schubert\r\n".encode(),
        ),
    ]
