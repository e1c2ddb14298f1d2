"""What the DAV benchmark asks of a server, and Folkmoot as one."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psutil  # type: ignore[import-untyped]

from benchmarks.davload import Http, Site, race
from benchmarks.load import Failed
from benchmarks.serve import PASSWORD, ServerProcess, address

CALENDAR, CONTACTS, FILES = "calendar", "contacts", "files"
ALL_TOOLS = frozenset((CALENDAR, CONTACTS, FILES))
TYPES = {
    CALENDAR: "Content-Type: text/calendar; charset=utf-8",
    CONTACTS: "Content-Type: text/vcard; charset=utf-8",
    FILES: "Content-Type: application/octet-stream",
}
SIDE_BY_SIDE = 8
_BOOK = (
    '<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>'
    "<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>"
    "</D:prop></D:set></D:mkcol>"
)


class DavServer(abc.ABC):
    """A running server with one account; a context manager.

    ``homes`` are the URLs, with a slash at the end, below which collections of each tool are made.
    ``durable`` says what it does before it answers a PUT, counted with strace.
    """

    name = ""
    durable = ""
    tools = ALL_TOOLS
    site: Site
    homes: Mapping[str, str]

    def __enter__(self) -> DavServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @abc.abstractmethod
    def start(self) -> None:
        """Start it and wait until it answers. Raises ``RuntimeError``."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End it."""

    @property
    def version(self) -> str:
        """Which one it is, before what it makes durable; "" is this one."""
        return ""

    @abc.abstractmethod
    def processes(self) -> list[psutil.Process]:
        """All its processes."""

    def cpu(self) -> float | None:
        """Seconds of processor time that it has used, if that is known."""
        return None

    def collection(self, tool: str, name: str) -> str:
        """The URL of a collection."""
        return f"{self.homes[tool]}{name}/"

    def make(self, tool: str, name: str) -> str:
        """Make a collection and return its URL."""
        url = self.collection(tool, name)
        with Http(self.site) as client:
            if tool == CALENDAR:
                client.run("MKCALENDAR", url, expect=(201,))
            elif tool == CONTACTS:
                header = ["Content-Type: application/xml"]
                client.run("MKCOL", url, _BOOK.encode(), header, expect=(201,))
            else:
                client.run("MKCOL", url, expect=(201,))
        return url

    def put_requests(self, tool: str, url: str, files: Mapping[str, bytes]) -> list[bytes]:
        """A PUT of each of these."""
        header = [TYPES[tool]]
        return [self.site.request("PUT", url + name, data, header) for name, data in files.items()]

    def warm(self, url: str) -> bytes:
        """A request that costs little and signs in."""
        return self.site.request("PROPFIND", url, b"", ["Depth: 0"])

    def seed(self, tool: str, url: str, files: Mapping[str, bytes]) -> None:
        """Fill a collection; how long that takes is not measured."""
        requests = self.put_requests(tool, url, files)
        batches = [requests[start::SIDE_BY_SIDE] for start in range(SIDE_BY_SIDE)]
        race(self.site, [one for one in batches if one], self.warm(url), (201, 204))

    def anonymous_memory(self) -> int:
        """Octets of memory of all its processes that are not of files."""
        return sum(map(_anonymous, self.processes()))


class Folkmoot(DavServer):
    """``folkmoot serve`` on a fresh folder."""

    name = "Folkmoot"
    durable = "each PUT is in a database with synchronous=FULL; large bodies are fsynced files"

    def __init__(self, folder: Path) -> None:
        self.process = ServerProcess(folder, protocols=("imap", "http"))

    def start(self) -> None:
        """Start it, and find its homes."""
        self.process.__enter__()
        self.site = Site(self.process.ports["http"], address(0), PASSWORD)
        with Http(self.site) as client:
            answer = client.run(
                "PROPFIND",
                "/dav/",
                b'<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>',
                ["Depth: 0"],
            )
        match = re.search(rb"/dav/principals/users/(\d+)/", answer)
        if match is None:
            raise Failed("no current-user-principal")
        number = match[1].decode()
        self.homes = {
            CALENDAR: f"/dav/calendars/{number}/",
            CONTACTS: f"/dav/contacts/{number}/",
            FILES: "/dav/drive/My%20documents/",
        }

    def stop(self) -> None:
        """End it cleanly."""
        self.process.stop()

    def processes(self) -> list[psutil.Process]:
        """Its one process."""
        return [self.process.process]

    def cpu(self) -> float:
        """Seconds of processor time that it has used."""
        return self.process.cpu()


@contextmanager
def collections_deleted(server: DavServer, *urls: str) -> Iterator[None]:
    """Delete collections afterwards."""
    try:
        yield
    finally:
        with Http(server.site) as client:
            for url in urls:
                client.run("DELETE", url, expect=(200, 204))


def _anonymous(process: psutil.Process) -> int:
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
