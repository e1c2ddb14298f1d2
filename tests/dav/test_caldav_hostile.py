"""Calendars with those who mean no good: bounded work, the right refusal, nothing left behind."""

from __future__ import annotations

import time

import pytest

from tests.dav.agendas import DATA, ROOT, Agenda, C, comp, has, prop, span
from tests.dav.calendars import calendar, event
from tests.kit.dav import conditions
from tests.kit.http import HttpClient
from tests.kit.pace import patience
from tests.kit.server import TestServer

SECONDS = 8.0  # far above what any of it takes, far below what it could


@pytest.fixture
def agenda(server: TestServer) -> Agenda:
    """Somebody with an empty calendar."""
    return Agenda(server)


BOMBS = {
    "secondly": ["DTSTART:19700101T000000Z", "RRULE:FREQ=SECONDLY"],
    "never": ["DTSTART:20260101T000000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
    "minutely": ["DTSTART:20000101T000000Z", "RRULE:FREQ=MINUTELY;BYHOUR=3;BYDAY=MO"],
    "ancient": ["DTSTART;VALUE=DATE:00010101", "RRULE:FREQ=DAILY"],
    "late": ["DTSTART:99991231T235959Z", "RRULE:FREQ=DAILY", "DURATION:P999999999D"],
    "backwards": ["DTSTART:20260101T000000Z", "DTEND:20250101T000000Z", "RRULE:FREQ=DAILY"],
    "long": ["DTSTART:20260101T000000Z", "DURATION:P99999W", "RRULE:FREQ=HOURLY"],
}


@pytest.mark.parametrize("name", BOMBS)
def test_rules_that_explode(agenda: Agenda, name: str) -> None:
    """They can be stored, and every question about them ends soon, with an answer or a rule."""
    agenda.add("good", "DTSTART:20260302T100000Z", "DURATION:PT1H")
    began = time.monotonic()
    stored = agenda.call("PUT", "bomb.ics", calendar(event(*BOMBS[name], uid="bomb")))
    assert stored.status in (201, 403)
    day = ("20260302T000000Z", "20260303T000000Z")
    for inside in (
        span(*day),
        span("29990101T000000Z"),
        span(end="15000101T000000Z"),
        span(*day) + comp("VALARM", span(*day)),
    ):
        answer = agenda.ask(comp("VEVENT", inside))
        assert answer.status == 207 or conditions(answer) == [f"{C}max-instances"]
    for tag in ("expand", "limit-recurrence-set"):
        data = f"<C:calendar-data>{span('00010101T000000Z', '99990101T000000Z', tag)}"
        answer = agenda.ask(comp("VEVENT"), data=f"{data}</C:calendar-data>")
        assert answer.status == 207
        assert "UID:good" in answer.text
    body = f"<C:free-busy-query {ROOT}>{span('00010101T000000Z', '99990101T000000Z')}"
    answer = agenda.call("REPORT", "", f"{body}</C:free-busy-query>")
    assert answer.status == 200 or conditions(answer) == [f"{C}max-instances"]
    assert time.monotonic() - began < patience(SECONDS)


def test_nested_and_numerous(agenda: Agenda) -> None:
    """Depth and number of components, properties and parameters are bounded."""
    deep = "BEGIN:X-A\n" * 10_000 + "END:X-A\n" * 10_000
    wide = "BEGIN:X-A\nEND:X-A\n" * 20_000
    params = "X-P" + ";A=b" * 100_000 + ":v"
    for inside in (deep, wide):
        answer = agenda.call("PUT", "a.ics", calendar(event("DTSTART:20260101T000000Z", inside)))
        assert (answer.status, conditions(answer)) == (403, [f"{C}valid-calendar-data"])
    answer = agenda.call("PUT", "a.ics", calendar(event("DTSTART:20260101T000000Z", params)))
    assert answer.status in (201, 403)
    dates = ",".join(["20260101T000000Z"] * 20_000)
    answer = agenda.call(
        "PUT", "b.ics", calendar(event("DTSTART:20260101T000000Z", f"RDATE:{dates}"))
    )
    assert conditions(answer) == [f"{C}max-instances"]


def test_hrefs_that_lead_out(agenda: Agenda) -> None:
    """Tricks in URLs of a multiget find nothing, and each is answered."""
    agenda.add("one", "DTSTART:20260302T100000Z")
    tricks = [
        agenda.book + "../Test/one.ics",
        agenda.book + "%2e%2e/Calendar/one.ics",
        agenda.book + "%00",
        agenda.book + "a%2Fb.ics",
        agenda.book + "one.ics/",
        agenda.book.replace("/Test/", "//Test/../Test/") + "none.ics",
        "//elsewhere.test" + agenda.book + "one.ics",
        "https://elsewhere.test" + agenda.book + "one.ics",
        "/" * 50,
        "%",
        "javascript:alert(1)//",
    ]
    listed = "".join(f"<D:href>{trick}</D:href>" for trick in tricks)
    found = agenda.report(
        "",
        f"<C:calendar-multiget {ROOT}><D:prop><C:calendar-data/></D:prop>{listed}"
        f"<D:href>{agenda.book}one.ics</D:href></C:calendar-multiget>",
    )
    assert found[agenda.book + "one.ics"].text(DATA)
    others = [each for each in found.responses if each.href != agenda.book + "one.ics"]
    # What only spells the same place in another way may be found.
    assert [each.href for each in others if each.status != 404] in (
        [],
        [agenda.book + "one.ics/"],
        [agenda.book + "../Test/one.ics"],
    )


def test_many_hrefs(agenda: Agenda) -> None:
    """Thousands of URLs are answered, hundreds of thousands refused."""
    agenda.add("one", "DTSTART:20260302T100000Z")

    def ask(count: int) -> int:
        listed = "".join(f"<D:href>{agenda.book}{number}.ics</D:href>" for number in range(count))
        body = f"<C:calendar-multiget {ROOT}><D:prop><D:getetag/></D:prop>{listed}"
        return agenda.call("REPORT", "", f"{body}</C:calendar-multiget>").status

    assert ask(5_000) == 207
    assert ask(70_000) == 400


def test_xml_bombs(agenda: Agenda) -> None:
    """Entities, depth and size are refused before they cost anything."""
    laughs = (
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        f"<C:calendar-query {ROOT}><D:prop><D:getetag/></D:prop><C:filter>&b;</C:filter>"
        "</C:calendar-query>"
    )
    deep = "<C:comp-filter name='VCALENDAR'>" * 10_000 + "</C:comp-filter>" * 10_000
    nested = f"<C:calendar-query {ROOT}><C:filter>{deep}</C:filter></C:calendar-query>"
    for body in (laughs, nested, "<C:calendar-query", "\0", "<a/>" * 2):
        assert agenda.call("REPORT", "", body, Depth="1").status == 400
    many = f"<C:mkcalendar {ROOT}><D:set><D:prop>{'<D:x/>' * 5000}</D:prop></D:set></C:mkcalendar>"
    assert agenda.call("MKCALENDAR", agenda.home + "New", many).status == 400
    assert agenda.call("PROPFIND", agenda.home + "New/", Depth="0").status == 404


def test_texts_that_are_patterns(agenda: Agenda) -> None:
    """What means something to a database or a pattern is only text here."""
    agenda.add("odd", "DTSTART:20260302T100000Z", "SUMMARY:100% _a' OR 1=1 --\\n.*")
    agenda.add("other", "DTSTART:20260302T100000Z", "SUMMARY:100 pounds")
    for text in ("100%", "_a'", "' OR 1=1 --", ".*"):
        assert agenda.names(prop("SUMMARY", has(text))) == ["odd"]
    assert agenda.names(prop("SUMMARY", has("%"))) == ["odd"]
    assert agenda.names(prop("SUMMARY", has("x" * 100_000))) == []


def test_control_characters(agenda: Agenda) -> None:
    """What XML cannot carry is left out of answers, which stay readable."""
    body = calendar(event("DTSTART:20260302T100000Z", "SUMMARY:a\x07b\x1bc\ufffed", uid="bell"))
    assert agenda.call("PUT", "bell.ics", body).status == 201
    assert "SUMMARY:abcd" in agenda.multiget("bell.ics").only.text(DATA)
    latin = calendar(event("DTSTART:20260302T100000Z", "SUMMARY:Grüße", uid="latin"))
    agenda.put("latin.ics", latin.decode().encode("latin-1"))
    assert "SUMMARY:Grüße" in agenda.multiget("latin.ics").only.text(DATA)


def test_clients_that_stop(agenda: Agenda) -> None:
    """A PUT that ends in the middle leaves nothing, and the calendar as it was."""
    token = agenda.propfind("", "sync-token").only.text("sync-token")
    body = calendar(event("DTSTART:20260302T100000Z", uid="half"))
    login = (agenda.account.address, agenda.account.password)
    for octets in (body[:40], body):
        with HttpClient(agenda.server.http_port, login) as http:
            http.head(
                "PUT", agenda.book + "half.ics", [("Content-Type", "text/calendar")], length=500
            )
            http.send(octets)
    assert agenda.call("GET", "half.ics").status == 404
    assert agenda.propfind("", "sync-token").only.text("sync-token") == token


def test_a_bomb_does_not_spoil_the_answer_about_others(agenda: Agenda) -> None:
    """Far in the future, where nothing is stored, an endless series costs its own answer only."""
    agenda.add("bomb", "DTSTART:20000101T000000Z", "RRULE:FREQ=SECONDLY")
    agenda.add("good", "DTSTART:20990302T100000Z", "DURATION:PT1H")
    year = ("20990101T000000Z", "21000101T000000Z")
    found = agenda.query(span(*year))
    assert agenda.book + "good.ics" in found.hrefs
    body = f'<C:free-busy-query xmlns:C="{C[1:-1]}">{span(*year)}</C:free-busy-query>'
    answer = agenda.call("REPORT", "", body, Depth="1")
    assert answer.status == 200
    assert "20990302T100000Z/" in answer.text
