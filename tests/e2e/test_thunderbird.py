"""Thunderbird, from an address and a password to mail, calendars and contacts."""

from __future__ import annotations

import imaplib
import re
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from caldav.davclient import DAVClient

from tests.e2e.conftest import Demo
from tests.e2e.thunderbird import DOMAIN, Thunderbird, running
from tests.kit.http import HttpClient
from tests.kit.waiting import until

# The caldav library mixes octets and text.
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.client("Thunderbird"),
    pytest.mark.filterwarnings("ignore::BytesWarning"),
]

ALICE, PASSWORD = f"alice@{DOMAIN}", "alice-demo"
BOB, HIS_PASSWORD = f"bob@{DOMAIN}", "bob-demo"
PLACE = f"https://{DOMAIN}/"
MARCH = datetime(2031, 3, 4, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def thunderbird(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thunderbird]:
    """One Thunderbird for all tests, in which the certificate was accepted."""
    with running(demo, tmp_path_factory.mktemp("thunderbird")) as program:
        mail = [demo.port(number) for number in (143, 993, 465, 587)]
        program.call("trust", demo.certificate, "localhost", mail)
        for host in (DOMAIN, f"autoconfig.{DOMAIN}", f"autodiscover.{DOMAIN}"):
            program.call("trust", demo.certificate, host, [443])
        yield program


@pytest.fixture(scope="module")
def account(thunderbird: Thunderbird) -> dict[str, Any]:
    """The account, as Thunderbird found it."""
    found: dict[str, Any] = thunderbird.call("addAccount", "Alice", ALICE, PASSWORD)
    return found


@pytest.fixture(scope="module")
def calendars(thunderbird: Thunderbird) -> list[dict[str, Any]]:
    """The calendars that Thunderbird found by the domain."""
    found: list[dict[str, Any]] = thunderbird.call("addCalendars", ALICE, PASSWORD, PLACE)
    return found


@pytest.fixture(scope="module")
def books(thunderbird: Thunderbird) -> list[dict[str, Any]]:
    """The address books that Thunderbird found by the domain."""
    found: list[dict[str, Any]] = thunderbird.call("addBooks", ALICE, PASSWORD, PLACE)
    return found


def bobs_mail(demo: Demo, subject: str) -> list[bytes]:
    """What Bob finds in his INBOX under a subject."""
    with imaplib.IMAP4("127.0.0.1", demo.port(143)) as imap:
        imap.login(BOB, HIS_PASSWORD)
        imap.select("INBOX", readonly=True)
        [numbers] = imap.search(None, "SUBJECT", f'"{subject}"')[1]
        found = [imap.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers.split()]
    return [each[1] for each in found if isinstance(each, tuple)]


def her_calendar(demo: Demo) -> Any:
    """The same calendar in another program."""
    return calendar_of(demo, ALICE, PASSWORD)


def calendar_of(demo: Demo, address: str, password: str) -> Any:
    """Somebody's calendar in the caldav library."""
    url = f"http://127.0.0.1:{demo.port(80)}/dav/"
    client: Any = DAVClient(url, username=address, password=password)
    return client.principal().calendar(name="Calendar")


def titles(demo: Demo) -> list[str]:
    """What the other program finds in the calendar."""
    return [str(one.icalendar_component["SUMMARY"]) for one in her_calendar(demo).events()]


def event(uid: str, title: str, more: str = "") -> str:
    """An event of an hour."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Example//Test//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20310101T000000Z",
        f"DTSTART:{MARCH:%Y%m%dT%H%M%SZ}",
        f"DTEND:{MARCH + timedelta(hours=1):%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{title}",
        *more.splitlines(),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(lines) + "\r\n"


def test_account_by_autoconfig(
    demo: Demo, thunderbird: Thunderbird, account: dict[str, Any]
) -> None:
    """Finds IMAP and SMTP with TLS by autoconfig, and signs in."""
    assert account["source"] == "xml-from-isp-https"
    assert account["incoming"] == {
        "type": "imap",
        "host": "localhost",
        "port": demo.port(993),
        "username": ALICE,
        "tls": True,
    }
    assert (account["outgoing"]["type"], account["outgoing"]["port"]) == ("smtp", demo.port(465))
    assert sorted(one["port"] for one in account["alternatives"]) == [
        demo.port(143),
        demo.port(587),
    ]
    assert f"CONNECT autoconfig.{DOMAIN}:443" in thunderbird.asked
    assert f"POST http://autodiscover.{DOMAIN}/autodiscover/autodiscover.xml" in thunderbird.asked


@pytest.mark.usefixtures("account")
def test_folders(thunderbird: Thunderbird) -> None:
    """Lists folders with their purposes, and those of a group."""
    found = {one["path"]: one for one in thunderbird.call("folders")}
    special = {path: one["special"] for path, one in found.items() if one["special"]}
    assert special == {
        "INBOX": ["Inbox"],
        "Drafts": ["Drafts"],
        "Sent": ["SentMail"],
        "Trash": ["Trash"],
        "Junk": ["Junk"],
        "Archive": ["Archive"],
    }
    assert found["Groups/Choir/INBOX"]["selectable"]
    assert not found["Groups/Choir"]["selectable"]


@pytest.mark.usefixtures("account")
def test_folders_with_any_name(demo: Demo, thunderbird: Thunderbird) -> None:
    """Makes folders with letters beyond ASCII, renames one, and puts them into Trash."""
    thunderbird.call("makeFolder", "", "Käse & Brot")
    thunderbird.call("makeFolder", "Käse & Brot", "Übung 🎶")
    thunderbird.call("renameFolder", "Käse & Brot/Übung 🎶", 'R&D "alt"')
    assert folders(demo) == {"Käse & Brot", 'Käse & Brot/R&D "alt"'}
    thunderbird.call("trashFolder", "Käse & Brot")
    assert folders(demo) == {"Trash/Käse & Brot", 'Trash/Käse & Brot/R&D "alt"'}


def folders(demo: Demo) -> set[str]:
    """What another program finds of the folders with cheese."""
    with imaplib.IMAP4("127.0.0.1", demo.port(143)) as imap:
        imap.login(ALICE, PASSWORD)
        imap.enable("UTF8=ACCEPT")
        listed = [each.decode() for each in imap.list()[1] if isinstance(each, bytes)]
    names = [line.partition('"/" ')[2] for line in listed]
    plain = [re.sub(r"\\(.)", r"\1", re.sub('^"(.*)"$', r"\1", name)) for name in names]
    return {name for name in plain if "Käse" in name}


@pytest.mark.usefixtures("account")
def test_mail_is_sent(demo: Demo, thunderbird: Thunderbird) -> None:
    """Sends a message by submission, with a copy in Sent, and keeps a draft."""
    thunderbird.call("send", BOB, "Tea at four", "Grüße, with scones and marmalade.")
    until(lambda: len(bobs_mail(demo, "Tea at four")) > 0)
    [message] = bobs_mail(demo, "Tea at four")
    assert "Grüße, with scones and marmalade.".encode() in message
    assert "Tea at four" in thunderbird.call("open", "Sent", "Tea at four")
    thunderbird.call("saveDraft", BOB, "Jam – what kind?", "Quince?")
    assert "Jam – what kind?" in thunderbird.call("open", "Drafts", "Jam – what kind?")


@pytest.mark.usefixtures("account")
def test_mail_arrives_by_idle(demo: Demo, thunderbird: Thunderbird) -> None:
    """Shows a message that comes in while INBOX is open, without asking for it."""
    thunderbird.call("open", "INBOX", "Welcome to the demo")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = BOB, ALICE, "Ünexpected visit 🫖"
    message.set_content("At the door.")
    with smtplib.SMTP("127.0.0.1", demo.port(587)) as smtp:
        smtp.login(BOB, HIS_PASSWORD)
        smtp.send_message(message)
    found = thunderbird.call("arrives", "INBOX", "Ünexpected visit 🫖")
    assert found == {"read": False, "flagged": False, "author": BOB}
    assert thunderbird.call("text", "INBOX", "Ünexpected visit 🫖") == "At the door.\n"


@pytest.mark.usefixtures("account")
def test_mail_is_moved_and_searched(demo: Demo, thunderbird: Thunderbird) -> None:
    """Moves a message, marks it, finds it by a search on the server; another program sees it so."""
    thunderbird.call("send", ALICE, "Minutes of the meeting", "The quorum was a quince short.")
    thunderbird.call("open", "INBOX", "Minutes of the meeting")
    thunderbird.call("move", "INBOX", "Archive", "Minutes of the meeting")
    assert "Minutes of the meeting" not in thunderbird.call("subjects", "INBOX")
    assert thunderbird.call("search", "Archive", "quince") == ["Minutes of the meeting"]
    assert thunderbird.call("search", "Archive", "quinces") == []
    thunderbird.call("mark", "Archive", "Minutes of the meeting")
    with imaplib.IMAP4("127.0.0.1", demo.port(143)) as imap:
        imap.login(ALICE, PASSWORD)
        imap.select("Archive")
        until(lambda: imap.search(None, "SEEN", "FLAGGED", "SUBJECT", "Minutes")[1] == [b"1"])
        # And what the other program does is seen by Thunderbird.
        imap.store("1", "-FLAGS", "(\\Flagged)")
        until(
            lambda: not thunderbird.call("arrives", "Archive", "Minutes of the meeting")["flagged"]
        )


def test_calendars_by_the_domain(calendars: list[dict[str, Any]]) -> None:
    """Finds calendars and lists of tasks by the domain alone, and those of a group."""
    found = {one["name"]: one for one in calendars}
    assert {"Calendar", "Tasks", "Calendar (Choir)"} <= set(found)
    assert not found["Calendar"]["readOnly"]


@pytest.mark.usefixtures("calendars")
def test_events_both_ways(demo: Demo, thunderbird: Thunderbird) -> None:
    """Makes, changes and removes an event, which the caldav library sees, and sees its own."""
    thunderbird.call("addEvent", "Calendar", event("from-thunderbird", "Dentist"))
    assert "Dentist" in titles(demo)
    thunderbird.call("renameEvent", "Calendar", "Dentist", "Dentist at last")
    assert "Dentist at last" in titles(demo)
    assert "Dentist" not in titles(demo)

    her_calendar(demo).save_event(event("from-elsewhere", "Jumble sale"))
    thunderbird.call("refreshCalendar", "Calendar")
    assert "Jumble sale" in thunderbird.call("events", "Calendar")

    thunderbird.call("removeEvent", "Calendar", "Jumble sale")
    assert "Jumble sale" not in titles(demo)
    her_calendar(demo).event_by_uid("from-thunderbird").delete()
    thunderbird.call("refreshCalendar", "Calendar")
    assert "Dentist at last" not in thunderbird.call("events", "Calendar")


@pytest.mark.usefixtures("calendars")
def test_a_series_with_an_exception(demo: Demo, thunderbird: Thunderbird) -> None:
    """Makes a weekly event and moves one of its instances."""
    thunderbird.call("addEvent", "Calendar", event("weekly", "Choir", "RRULE:FREQ=WEEKLY;COUNT=4"))
    thunderbird.call("moveInstance", "Calendar", "Choir", f"{MARCH + timedelta(7):%Y%m%dT%H%M%SZ}")
    found = her_calendar(demo).search(
        start=MARCH, end=MARCH + timedelta(30), event=True, expand=True
    )
    starts = sorted(
        one.icalendar_component["DTSTART"].dt
        for one in found
        if one.icalendar_component["UID"] == "weekly"
    )
    weeks = [MARCH + timedelta(7 * number) for number in range(4)]
    assert starts == [weeks[0], weeks[1] + timedelta(hours=2), *weeks[2:]]


@pytest.mark.usefixtures("account", "calendars")
def test_invitations(demo: Demo, thunderbird: Thunderbird) -> None:
    """Invites somebody by the server, accepts an invitation, and looks up when somebody is busy."""
    his = calendar_of(demo, BOB, HIS_PASSWORD)
    day = [f"{MARCH:%Y%m%dT000000Z}", f"{MARCH:%Y%m%dT235959Z}"]
    assert thunderbird.call("busyTimes", BOB, *day) == []

    thunderbird.call("addEvent", "Calendar", event("hers", "Garden party", meeting(ALICE, BOB)))
    assert "Garden party" in his.event_by_uid("hers").data
    busy = [f"{MARCH + timedelta(hours=hours):%Y%m%dT%H%M%SZ}" for hours in (0, 1)]
    assert thunderbird.call("busyTimes", BOB, *day) == [busy]

    his.save_event(event("his", "Bonfire", meeting(BOB, ALICE)))
    thunderbird.call("refreshCalendar", "Calendar")
    thunderbird.call("accept", "Calendar", "Bonfire", ALICE)
    [attendee] = [
        one for one in his.event_by_uid("his").icalendar_component.get("ATTENDEE") if ALICE in one
    ]
    assert attendee.params["PARTSTAT"] == "ACCEPTED"


def meeting(organizer: str, attendee: str) -> str:
    """Who invites whom."""
    return (
        f"ORGANIZER:mailto:{organizer}\n"
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{organizer}\n"
        f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{attendee}"
    )


def card(uid: str, name: str) -> bytes:
    """A card as another program writes it."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;", "END:VCARD"]
    return ("\r\n".join(lines) + "\r\n").encode()


def test_books_by_the_domain(books: list[dict[str, Any]]) -> None:
    """Finds address books by the domain alone, and that of colleagues for reading."""
    found = {one["name"]: one for one in books}
    assert not found["Contacts"]["readOnly"]
    assert found["Colleagues"]["readOnly"]


def test_contacts_both_ways(
    demo: Demo, thunderbird: Thunderbird, books: list[dict[str, Any]]
) -> None:
    """Makes, changes and removes a contact, which another program sees, and the other way round."""
    path = next(one["path"] for one in books if one["name"] == "Contacts")
    with HttpClient(demo.port(80), (ALICE, PASSWORD)) as other:

        def names() -> list[str]:
            ask = b'<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>'
            listed = other.request("PROPFIND", path, [("Depth", "1")], ask).text
            cards = [href for href in listed.split("<D:href>")[1:] if ".vcf<" in href]
            texts = [other.request("GET", one.partition("<")[0]).text for one in cards]
            return [line[3:] for text in texts for line in text.split("\r\n") if line[:3] == "FN:"]

        thunderbird.call("addContact", "Contacts", card("tb", "Zoë Zimmermann").decode())
        assert "Zoë Zimmermann" in names()
        thunderbird.call("changeContact", "Contacts", "Zoë Zimmermann", "Zoë Zimmer")
        assert "Zoë Zimmer" in names()

        assert other.request("PUT", f"{path}other.vcf", body=card("other", "Otto")).status == 201
        thunderbird.call("syncBook", "Contacts")
        assert "Otto" in thunderbird.call("contacts", "Contacts")
        thunderbird.call("removeContact", "Contacts", "Otto")
        until(lambda: other.request("GET", f"{path}other.vcf").status == 404)
        assert "Zoë Zimmer" in thunderbird.call("contacts", "Contacts")
