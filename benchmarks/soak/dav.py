"""A program that syncs a collection: calendars, address books, folders."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree

from benchmarks.soak.bodies import found_in
from benchmarks.soak.items import Collection
from benchmarks.soak.people import Person
from benchmarks.soak.truth import Write
from benchmarks.soak.wires import Closed, Http, request
from tests.kit.dav import Multistatus, Response, multistatus
from tests.kit.http import Answer

IDLE_SECONDS = 60.0
"""A connection that was unused for so long is opened anew: the server may be about to close it."""
Make = Callable[[str, str], bytes]
Version = Write[str | None]
XML = {"Content-Type": "application/xml; charset=utf-8"}


class Cut(Exception):
    """The program broke the connection off. ``whole`` is whether all of the request was sent."""

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole


class Unexpected(Exception):
    """An answer that no rule allows."""


class Browser:
    """One connection of somebody, opened anew when it is closed."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.world = person.world
        self.journal = person.world.journal
        self._http: Http | None = None
        self._used = 0.0

    def drop(self) -> None:
        """Break it off."""
        if self._http is not None:
            self._http.drop()
        self._http = None

    async def call(
        self,
        kind: str,
        method: str,
        path: str,
        body: bytes | None = None,
        fields: Mapping[str, str] | None = None,
        *,
        cuts: bool = False,
    ) -> Answer:
        """A request. With ``cuts`` it is broken off now and then, which raises ``Cut``."""
        begin = self.world.now()
        idle = begin - self._used > IDLE_SECONDS
        if self._http is None or idle or self._http.reader.at_eof() or self._http.closing:
            self.drop()
            self._http = await Http.open(self.world.ports["http"])
        octets = request(method, path, self.person.secret, fields or {}, body)
        if cuts and self.person.dice.random() < 0.02:
            await self._cut(octets, body or b"")
        try:
            await self._http.send(octets)
            answer = await self._http.answer()
        except (Closed, TimeoutError):
            self.drop()
            raise
        self._used = self.world.now()
        self.journal.took(kind, self._used - begin)
        if answer.status >= 500 and answer.status != 507:
            self.journal.wrong_is("HTTP", f"{answer.status} for {method} {path}")
        return answer

    async def _cut(self, octets: bytes, body: bytes) -> None:
        assert self._http is not None
        whole = self.person.dice.random() < 0.5 or len(body) < 2
        with suppress(Closed):
            await self._http.send(octets if whole else octets[: -len(body) // 2])
        if not whole:
            await asyncio.sleep(0.01)
        self.drop()
        self.journal.drops += 1
        raise Cut(whole)


@dataclass(frozen=True)
class Shelf:
    """A collection as a program finds it: at ``url``, with contents that ``make`` makes.

    ``multiget`` is the report that reads many; without it each is read by itself.
    """

    truth: Collection
    url: str
    kind: str
    suffix: str
    type: str
    make: Make
    names: int
    largest: int
    multiget: str = ""
    exact: bool = True

    def name(self, number: int) -> str:
        """One of the names that are used."""
        return f"n{number}{self.suffix}"


class SyncProgram:
    """Knows the entity tag of each name, from syncs alone."""

    def __init__(self, browser: Browser, shelf: Shelf) -> None:
        self.browser = browser
        self.shelf = shelf
        self.person = browser.person
        self.world = browser.world
        self.journal = browser.journal
        self.dice = browser.person.dice
        self.tags: dict[str, str] = {}
        self._token = ""
        self._who = str(self.person.number)

    async def _call(
        self,
        what: str,
        method: str,
        name: str = "",
        body: bytes | None = None,
        fields: Mapping[str, str] | None = None,
        *,
        cuts: bool = False,
    ) -> Answer:
        path = self.shelf.url + name
        kind = f"{self.shelf.kind} {what}"
        return await self.browser.call(kind, method, path, body, fields, cuts=cuts)

    # --- knowing ------------------------------------------------------------------------------

    async def sync(self) -> None:
        """Learn what changed, and check all that is known by then."""
        since = self.world.now()
        changed: dict[str, str] = {}
        more = True
        while more:
            more = await self._page(changed)
        span = (since, self.world.now())
        await self._read_unknown(changed)
        self.shelf.truth.compare(self.tags, span, self._who, self.journal)

    async def _page(self, changed: dict[str, str]) -> bool:
        limit = "<D:limit><D:nresults>10</D:nresults></D:limit>" if self.dice.random() < 0.3 else ""
        body = (
            '<D:sync-collection xmlns:D="DAV:">'
            f"<D:sync-token>{self._token}</D:sync-token><D:sync-level>1</D:sync-level>{limit}"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        answer = await self._call("sync", "REPORT", "", body.encode(), XML)
        if answer.status == 403 and self._token:  # the history is cut: from the beginning
            self._token = ""
            self.tags.clear()
            return True
        found, more = self._parsed(answer), False
        seen: set[str] = set()
        for response in found.responses:
            if response.href == self.shelf.url:
                more = more or response.status == 507
                continue
            name = self._name(response)
            self.journal.hold(name not in seen, "sync", f"{name} twice in one answer")
            seen.add(name)
            if response.status == 404:
                self.tags.pop(name, None)
                changed.pop(name, None)
            else:
                self.tags[name] = changed[name] = response.text("getetag")
        self._token = found.sync_token
        return more

    def _parsed(self, answer: Answer) -> Multistatus:
        try:
            return multistatus(answer)
        except (AssertionError, ElementTree.ParseError) as error:
            raise Unexpected(f"{self.shelf.url}: {error!r}"[:400]) from error

    def _name(self, response: Response) -> str:
        return unquote(response.href.removeprefix(self.shelf.url))

    async def _read_unknown(self, changed: Mapping[str, str]) -> None:
        """Read what has changed and was not written here."""
        items = self.shelf.truth.items
        wanted = [
            name for name, etag in changed.items() if name in items and etag not in items[name].tags
        ]
        if self.shelf.multiget and wanted:
            await self._multiget(wanted)
        else:
            for name in wanted:
                await self.get(name)

    async def _multiget(self, names: Sequence[str]) -> None:
        report, namespace, data = self.shelf.multiget.split()
        hrefs = "".join(f"<D:href>{self.shelf.url}{name}</D:href>" for name in names)
        body = (
            f'<R:{report} xmlns:D="DAV:" xmlns:R="{namespace}"><D:prop><D:getetag/><R:{data}/>'
            f"</D:prop>{hrefs}</R:{report}>"
        )
        since = self.world.now()
        answer = await self._call("multiget", "REPORT", "", body.encode(), XML)
        span = (since, self.world.now())
        for response in self._parsed(answer).responses:
            if response.status == 404:
                self.shelf.truth.read(self._name(response), None, span, self._who, self.journal)
            else:
                content = response.text(f"{{{namespace}}}{data}").encode()
                self._content(self._name(response), response.text("getetag"), content, span)

    def _content(self, name: str, etag: str, content: bytes, span: tuple[float, float]) -> None:
        token = found_in(content)
        if not self.shelf.truth.read(name, token, span, self._who, self.journal):
            return
        made = self.shelf.make(token, name)
        same = content == made or (not self.shelf.exact and _lines(content) == _lines(made))
        self.journal.hold(same, "altered content", f"{name} of {self.shelf.truth.label}: {token}")
        if not etag.startswith("W/"):
            known = self.shelf.truth.item(name).tagged(etag, token)
            self.journal.hold(known, "entity tag", f"{name}: {etag} stood for something else")

    async def get(self, name: str) -> None:
        """Read one."""
        since = self.world.now()
        answer = await self._call("GET", "GET", name)
        span = (since, self.world.now())
        if answer.status == 404:
            self.shelf.truth.read(name, None, span, self._who, self.journal)
        elif answer.status == 200:
            self._content(name, answer.header("etag") or "", answer.body, span)
        else:
            raise Unexpected(f"{answer.status} for GET {name}")

    async def list(self) -> None:
        """PROPFIND of all members, which must be all."""
        body = b'<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
        since = self.world.now()
        answer = await self._call("PROPFIND 1", "PROPFIND", "", body, {**XML, "Depth": "1"})
        span = (since, self.world.now())
        found = self._parsed(answer).responses
        view = {self._name(one): one.text("getetag") for one in found if one.href != self.shelf.url}
        self.shelf.truth.compare(view, span, self._who, self.journal)

    # --- changing -----------------------------------------------------------------------------

    async def put(self, name: str) -> None:
        """Make or change one, if it is still what was seen last."""
        size = 0 if self.shelf.largest == 0 else self._size()
        token = self.person.token(size)
        expected, fields = self._condition(name)
        fields["Content-Type"] = self.shelf.type
        content = self.shelf.make(token, name)
        answer = await self._change("PUT", name, token, expected, fields, content)
        if answer is None or answer.status == 412:
            return
        if answer.status not in (201, 204):
            raise Unexpected(f"{answer.status} for PUT {name}: {answer.text[:200]}")
        etag = answer.header("etag")
        if etag is not None:
            known = self.shelf.truth.item(name).tagged(etag, token)
            self.journal.hold(known, "entity tag", f"{name}: {etag} stood for something else")

    def _size(self) -> int:
        kind = self.dice.random()
        if kind < 0.02:
            return self.dice.randrange(self.shelf.largest)
        return self.dice.randrange(60_000) if kind < 0.3 else self.dice.randrange(4000)

    def _condition(self, name: str) -> tuple[tuple[str | None, ...], dict[str, str]]:
        """What is to be replaced, and the fields that say so."""
        etag = self.tags.get(name)
        if etag is None:
            return (None,), {"If-None-Match": "*"}
        token = self.shelf.truth.item(name).tags.get(etag)
        if token is None:
            return (), {}
        return (token,), {"If-Match": etag}

    async def delete(self, name: str) -> None:
        """Delete one, if it is still what was seen last."""
        if name not in self.tags:
            return
        expected, fields = self._condition(name)
        answer = await self._change("DELETE", name, None, expected, fields, None)
        if answer is not None and answer.status not in (204, 404, 412):
            raise Unexpected(f"{answer.status} for DELETE {name}")

    async def _change(
        self,
        method: str,
        name: str,
        token: str | None,
        expected: tuple[str | None, ...],
        fields: Mapping[str, str],
        content: bytes | None,
    ) -> Answer | None:
        """Send it and note what became of it; None if the connection broke."""
        truth = self.shelf.truth
        since = self.world.now()
        version = truth.item(name).version
        write: Version = version.begin(token, since)
        try:
            answer = await self._call(method, method, name, content, fields, cuts=True)
        except Cut as cut:
            if cut.whole:
                version.lost(write, self.world.now())
            else:
                version.refused(write)
            return None
        except BaseException:
            version.lost(write, self.world.now())
            raise
        span = (since, self.world.now())
        if answer.status < 300:
            truth.done(name, write, expected, span, self.journal)
        elif answer.status == 412 and expected:
            self.journal.refusals[f"{self.shelf.kind} {method} 412"] += 1
            truth.refused(name, write, expected, span, self.journal)
        else:
            version.refused(write)
            if answer.status == 404:
                truth.read(name, None, span, self._who, self.journal)
        return answer

    async def move(self, name: str, to: str) -> None:
        """MOVE one over another, if both are what was seen last."""
        expected, fields = self._condition(name)
        if not expected or expected == (None,) or to == name:
            return
        truth, since = self.shelf.truth, self.world.now()
        gone = truth.item(name).version.begin(None, since)
        come = truth.item(to).version.begin(expected[0], since)
        fields |= {"Destination": self.shelf.url + to, "Overwrite": "T"}
        try:
            answer = await self._call("MOVE", "MOVE", name, None, fields, cuts=True)
        except BaseException as error:
            truth.item(name).version.lost(gone, self.world.now())
            truth.item(to).version.lost(come, self.world.now())
            if isinstance(error, Cut):
                return
            raise
        span = (since, self.world.now())
        if answer.status in (201, 204):
            truth.done(name, gone, (), span, self.journal)
            truth.done(to, come, (), span, self.journal)
            return
        truth.item(to).version.refused(come)
        truth.refused(name, gone, expected, span, self.journal)
        if answer.status not in (404, 412):
            raise Unexpected(f"{answer.status} for MOVE {name}")


def _lines(content: bytes) -> list[str]:
    return sorted(re.split(r"\r?\n", content.decode().strip()))
