"""Calendar programs as tests play them: who they are, and requests as they write them."""

from __future__ import annotations

from tests.dav.agendas import C
from tests.dav.calendars import calendar, event
from tests.kit.dav import D, Dav, Multistatus, Response, multistatus
from tests.kit.server import TestServer

XML = 'text/xml; charset="utf-8"'
START = "DTSTART:20260302T100000Z"


class Program(Dav):
    """Sends what it is told, as one program; ``agent`` is what it calls itself."""

    agent = ""

    def __init__(self, server: TestServer, agent: str) -> None:
        super().__init__(server)
        self.server = server
        self.agent = agent
        self.fields: dict[str, str] = {}  # header fields that it sends with everything
        self.home = f"/dav/calendars/{self.account.space_id}/"
        self.me = f"/dav/principals/users/{self.account.space_id}/"

    def ask(self, method: str, path: str, body: str, depth: str | None = "0") -> Multistatus:
        """A request that is answered with multistatus."""
        fields = {"User_Agent": self.agent, "Depth": depth, "Content_Type": XML, **self.fields}
        return multistatus(self.call(method, path, body, **fields))

    def redirected(self, method: str = "PROPFIND") -> str:
        """Where the well-known URL leads to, before anybody signs in."""
        with self.server.http() as http:
            answer = http.request(method, "/.well-known/caldav", [("Depth", "0")])
        assert answer.status == 301
        return answer.header("location") or ""

    def store(self, name: str, **fields: str | None) -> str:
        """PUT an event with the header fields of the program; its tag."""
        body = calendar(event(START, "SUMMARY:New", uid=name))
        path = f"{self.home}Calendar/{name}.ics"
        kind = "text/calendar; charset=utf-8"
        answer = self.call("PUT", path, body, User_Agent=self.agent, Content_Type=kind, **fields)
        assert answer.status in (201, 204), answer.text
        tag = answer.header("etag")
        assert tag is not None
        return tag


def asked(*names: str) -> str:
    """PROPFIND with Apple's prefixes: ``B:x`` is CalDAV's, ``C:x`` calendarserver's."""
    props = "".join(f"<{name}/>" for name in names)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<A:propfind xmlns:A="DAV:" '
        'xmlns:B="urn:ietf:params:xml:ns:caldav" xmlns:C="http://calendarserver.org/ns/" '
        'xmlns:D="http://me.com/_namespace/" xmlns:E="http://apple.com/ns/ical/">'
        f"<A:prop>{props}</A:prop></A:propfind>"
    )


def href(found: Response, name: str) -> str:
    """The URL in a property."""
    inside = found.props[200][name].find(f"{D}href")
    assert inside is not None
    return inside.text or ""


def calendars_in(found: Multistatus) -> list[str]:
    """URLs of the calendars in a listing."""
    return [each.href for each in found.responses if f"{C}calendar" in each.tags("resourcetype")]


def components_of(found: Response) -> list[str]:
    """The components that a calendar of a listing takes."""
    name = f"{C}supported-calendar-component-set"
    return [each.get("name", "") for each in found.props[200][name]]
