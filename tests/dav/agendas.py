"""A client of one account's calendars, and requests as programs send them."""

from __future__ import annotations

from tests.dav.calendars import calendar, event
from tests.kit.dav import Dav, Multistatus, multistatus
from tests.kit.http import Answer
from tests.kit.server import TestAccount, TestServer

C = "{urn:ietf:params:xml:ns:caldav}"
CS = "{http://calendarserver.org/ns/}"
I = "{http://apple.com/ns/ical/}"  # noqa: E741 -- the prefix that answers have
DATA = f"{C}calendar-data"
ROOT = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:I="http://apple.com/ns/ical/"'


class Agenda(Dav):
    """``home`` is the account's calendar home, ``book`` a calendar of its own for everything.

    Paths without a slash in front are in that calendar.
    """

    def __init__(self, server: TestServer, account: TestAccount | None = None) -> None:
        super().__init__(server, account)
        self.server = server
        self.home = f"/dav/calendars/{self.account.space_id}/"
        self.book = self.home + "Test/"
        answer = self.make("Test")
        assert answer.status == 201, answer.text

    def make(self, name: str, props: str = "") -> Answer:
        """MKCALENDAR, with a body where there are properties."""
        body = f"<C:mkcalendar {ROOT}><D:set><D:prop>{props}</D:prop></D:set></C:mkcalendar>"
        return self.call("MKCALENDAR", self.home + name, body if props else None)

    def call(
        self, method: str, path: str = "", body: bytes | str | None = None, **fields: str | None
    ) -> Answer:
        """A request; PUT says that it is a calendar object unless it says otherwise."""
        if method == "PUT":
            fields.setdefault("Content_Type", "text/calendar")
        full = path if path.startswith("/") else self.book + path
        return super().call(method, full, body, **fields)

    def add(self, name: str, *lines: str, kind: str = "VEVENT") -> None:
        """PUT an object of one component; its UID is its name."""
        self.put(f"{name}.ics", calendar(event(*lines, uid=name, name=kind)))

    def query(
        self,
        inside: str = "",
        *,
        kind: str = "VEVENT",
        path: str = "",
        data: str = "",
        more: str = "",
        **fields: str | None,
    ) -> Multistatus:
        """calendar-query for components of a kind; ``inside`` is what its comp-filter holds."""
        fields.setdefault("Depth", "1")
        return multistatus(self.ask(comp(kind, inside), path=path, data=data, more=more, **fields))

    def ask(
        self, filters: str, *, path: str = "", data: str = "", more: str = "", **fields: str | None
    ) -> Answer:
        """calendar-query; ``filters`` is what the comp-filter of VCALENDAR holds."""
        fields.setdefault("Depth", "1")
        body = (
            f"<C:calendar-query {ROOT}><D:prop><D:getetag/>{data}</D:prop>"
            f"<C:filter>{comp('VCALENDAR', filters)}</C:filter>{more}</C:calendar-query>"
        )
        return self.call("REPORT", path, body, **fields)

    def names(self, inside: str = "", *, kind: str = "VEVENT", more: str = "") -> list[str]:
        """Names of the objects that match, without suffix, sorted."""
        found = self.query(inside, kind=kind, more=more).responses
        return sorted(each.href.rpartition("/")[2].removesuffix(".ics") for each in found)

    def multiget(
        self, *hrefs: str, data: str = "<C:calendar-data/>", path: str = "", **fields: str | None
    ) -> Multistatus:
        """calendar-multiget; hrefs without a slash are in the calendar."""
        listed = "".join(
            f"<D:href>{href if '/' in href else self.book + href}</D:href>" for href in hrefs
        )
        return self.report(
            path,
            f"<C:calendar-multiget {ROOT}><D:prop><D:getetag/>{data}</D:prop>{listed}"
            "</C:calendar-multiget>",
            **fields,
        )

    def shaped(self, name: str, inside: str, **fields: str | None) -> list[str]:
        """The lines of calendar-data with something in its element."""
        data = f"<C:calendar-data>{inside}</C:calendar-data>"
        found = self.multiget(f"{name}.ics", data=data, path="", **fields).only.text(DATA)
        return found.replace("\n ", "").splitlines()

    def free_busy(self, start: str, end: str, path: str = "") -> list[str]:
        """The FREEBUSY lines of the answer to free-busy-query."""
        body = f"<C:free-busy-query {ROOT}>{span(start, end)}</C:free-busy-query>"
        answer = self.call("REPORT", path, body, Depth="infinity")
        assert answer.status == 200, answer.text
        assert (answer.header("content-type") or "").startswith("text/calendar")
        lines = answer.text.replace("\r\n ", "").split("\r\n")
        return [line for line in lines if line.startswith("FREEBUSY")]


def comp(name: str, inside: str = "") -> str:
    """A comp-filter."""
    return f'<C:comp-filter name="{name}">{inside}</C:comp-filter>'


def prop(name: str, inside: str = "") -> str:
    """A prop-filter."""
    return f'<C:prop-filter name="{name}">{inside}</C:prop-filter>'


def param(name: str, inside: str = "") -> str:
    """A param-filter."""
    return f'<C:param-filter name="{name}">{inside}</C:param-filter>'


def has(text: str, **attributes: str) -> str:
    """A text-match; ``negate_condition="yes"`` is an attribute."""
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<C:text-match{given}>{text}</C:text-match>"


def span(start: str = "", end: str = "", tag: str = "time-range") -> str:
    """A time-range, or another element with start and end; "" leaves an end open."""
    given = (f' start="{start}"' if start else "") + (f' end="{end}"' if end else "")
    return f"<C:{tag}{given}/>"


ABSENT = "<C:is-not-defined/>"
