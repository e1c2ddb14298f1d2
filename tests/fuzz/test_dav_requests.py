"""Almost valid requests of every method and report: none is answered with 500, none hangs."""

from __future__ import annotations

import copy
import random
from xml.etree import ElementTree

import pytest

from folkmoot.protocols.dav.registry import REGISTRY
from tests.fuzz.mutate import mutate
from tests.kit.dav import HOME, LOCK, Dav
from tests.kit.http import Answer
from tests.kit.pace import within
from tests.kit.server import TestServer

REQUESTS = 300  # for each seed of the run
FRESH = 50  # requests, after which it goes on in an account where nothing is locked or gone
NAMES = ("DAV:", "urn:ietf:params:xml:ns:caldav", "urn:ietf:params:xml:ns:carddav")
D = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
R = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"'
PROP = "<D:prop><D:getetag/><D:displayname/><C:calendar-data/><C:address-data/></D:prop>"
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z"
    "\r\nDTSTART:20260101T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY:x\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nFN:Ann\r\nN:;Ann;;;\r\nEMAIL:a@b.c\r\nEND:VCARD\r\n"
RANGE = '<C:time-range start="20260101T000000Z" end="20260201T000000Z"/>'
COMP = f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{RANGE}</C:comp-filter></C:comp-filter>'  # noqa: E501

BODIES = {
    "PROPFIND": [f"<D:propfind {D}>{PROP}</D:propfind>", f"<D:propfind {D}><D:allprop/><D:include><D:acl/></D:include></D:propfind>"],  # noqa: E501
    "PROPPATCH": [f"<D:propertyupdate {D}><D:set><D:prop><D:displayname>x</D:displayname><y/></D:prop></D:set><D:remove><D:prop><z/></D:prop></D:remove></D:propertyupdate>"],  # noqa: E501
    "MKCOL": [f"<D:mkcol {D}><D:set><D:prop><D:resourcetype><D:collection/></D:resourcetype><D:displayname>x</D:displayname></D:prop></D:set></D:mkcol>"],  # noqa: E501
    "MKCALENDAR": [f'<C:mkcalendar {D}><D:set><D:prop><D:displayname>x</D:displayname><C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>'],  # noqa: E501
    "LOCK": [LOCK.format(scope="exclusive", owner="<D:href>x</D:href>"), LOCK.format(scope="shared", owner="x")],  # noqa: E501
    "ACL": [f"<D:acl {D}><D:ace><D:principal><D:property><D:owner/></D:property></D:principal><D:grant><D:privilege><D:read/></D:privilege></D:grant></D:ace></D:acl>"],  # noqa: E501
    "SEARCH": [f"<D:searchrequest {D}><D:basicsearch><D:select>{PROP}</D:select><D:from><D:scope><D:href>{HOME}</D:href><D:depth>infinity</D:depth></D:scope></D:from><D:where><D:and><D:not><D:gt><D:prop><D:getcontentlength/></D:prop><D:literal>5</D:literal></D:gt></D:not><D:like><D:prop><D:displayname/></D:prop><D:literal>%a_</D:literal></D:like></D:and></D:where><D:orderby><D:order><D:prop><D:creationdate/></D:prop><D:descending/></D:order></D:orderby><D:limit><D:nresults>5</D:nresults></D:limit></D:basicsearch></D:searchrequest>"],  # noqa: E501
    "REPORT": [
        f"<D:sync-collection {D}><D:sync-token>data:,5-1</D:sync-token><D:sync-level>1</D:sync-level><D:limit><D:nresults>2</D:nresults></D:limit>{PROP}</D:sync-collection>",  # noqa: E501
        f'<D:expand-property {D}><D:property name="owner"><D:property name="displayname" namespace="DAV:"/></D:property></D:expand-property>',  # noqa: E501
        f"<D:principal-property-search {D}><D:property-search><D:prop><D:displayname/></D:prop><D:match>a</D:match></D:property-search>{PROP}<D:apply-to-principal-collection-set/></D:principal-property-search>",  # noqa: E501
        f"<D:principal-match {D}><D:self/>{PROP}</D:principal-match>",
        f"<D:acl-principal-prop-set {D}>{PROP}</D:acl-principal-prop-set>",
        f"<D:principal-search-property-set {D}/>",
        f'<C:calendar-query {D}>{PROP}<C:filter>{COMP}</C:filter></C:calendar-query>',
        f"<C:calendar-multiget {D}>{PROP}<D:href>/dav/calendars/1/x</D:href></C:calendar-multiget>",
        f"<C:free-busy-query {D}>{RANGE}</C:free-busy-query>",
        f'<C:addressbook-query {R}>{PROP}<C:filter test="anyof"><C:prop-filter name="FN"><C:text-match match-type="contains">a</C:text-match></C:prop-filter></C:filter><C:limit><C:nresults>1</C:nresults></C:limit></C:addressbook-query>',  # noqa: E501
        f"<C:addressbook-multiget {R}>{PROP}<D:href>/dav/contacts/1/x</D:href></C:addressbook-multiget>",  # noqa: E501
    ],
    "PUT": [EVENT, CARD, "hello"],
    "POST": [EVENT, CARD, "hello"],
    "PATCH": ["hello"],
    "GET": [""], "HEAD": [""], "DELETE": [""], "UNLOCK": [""], "OPTIONS": [""],
    "COPY": [""], "MOVE": [""],
}  # fmt: skip
HEADERS = {
    "Depth": ("0", "1", "infinity", "2", ""),
    "Overwrite": ("T", "F", "x"),
    "Destination": (HOME + "b", HOME + "folder/x", "/dav/", "http://x/", "x", HOME + "%zz"),
    "If": ("(<urn:x>)", f"<{HOME}a> (Not <urn:x> [\"e\"])", "(", "(Not <DAV:no-lock>)", "(<data:,1-1>)"),  # noqa: E501
    "If-Match": ("*", '"x"', 'W/"x"', '\\"x\\"', ","),
    "If-None-Match": ("*", '"x"', ""),
    "If-Modified-Since": ("Sun, 06 Nov 1994 08:49:37 GMT", "x", "Sun, 06 Nov 99999 08:49:37 GMT"),
    "If-Unmodified-Since": ("Fri, 06 Nov 2094 08:49:37 GMT", "0"),
    "If-Schedule-Tag-Match": ("", '"x"'),
    "Range": ("bytes=0-1", "bytes=-1,0-0", "bytes=9-", "bytes=99999999999999999999-"),
    "If-Range": ('"x"', "x"),
    "Timeout": ("Second-5", "Infinite", "Second-99999999999999999999"),
    "Lock-Token": ("<urn:x>", "urn:x", "<>", ""),
    "Prefer": ("return=minimal", "return=representation", "depth-noroot", ";;,="),
    "Brief": ("t",),
    "Content-Type": ("text/calendar", "text/vcard", "application/xml", "text/plain; x=\xe9",
                     "application/x-sabredav-partialupdate"),
    "Content-Range": ("bytes 0-4/5", "bytes 1-1/*", "x"),
    "X-Update-Range": ("append", "bytes=0-4", "bytes=-1", "x"),
    "X-OC-MTime": ("1", "1e99", "x", "99999999999999"),
    "Accept": ("text/vcard; version=4.0", "*/*", "text/calendar", "x"),
    "User-Agent": ("Microsoft-WebDAV-MiniRedir/10", "WebDAVFS/3", "MSFT-WP/8"),
}  # fmt: skip


def shaken(rng: random.Random, body: str) -> bytes:
    """A body with something wrong: in its octets, or in its tree."""
    if not body:
        return b""
    if not body.startswith("<") or rng.random() < 0.3:
        return mutate(rng, [body.encode()])
    root = ElementTree.fromstring(body)
    for _ in range(rng.randint(0, 3)):
        _shake(rng, root)
    return ElementTree.tostring(root)


def _shake(rng: random.Random, root: ElementTree.Element) -> None:
    nodes = list(root.iter())
    node, other = rng.choice(nodes), rng.choice(nodes)
    kind = rng.randrange(6)
    if kind == 0 and len(node):
        node.remove(rng.choice(list(node)))
    elif kind == 1:
        node.append(copy.deepcopy(other))
    elif kind == 2:
        node.text = rng.choice(["", "x", "-1", "9" * 30, "é\u202e", "20260101T000000Z", "infinity"])
    elif kind == 3:
        node.tag = rng.choice([other.tag, f"{{{rng.choice(NAMES)}}}x", "y", "{y}" + node.tag[-3:]])
    elif kind == 4 and node.attrib:
        node.set(rng.choice(list(node.attrib)), rng.choice(["", "x", "VTODO", "9" * 30, "no"]))
    else:
        node.tag, other.tag = other.tag, node.tag


class Fuzzer:
    """Sends requests on connections of its own."""

    def __init__(self, server: TestServer, rng: random.Random) -> None:
        self._server = server
        self.rng = rng
        self._dav = Dav(server)
        number = self._dav.account.space_id
        self._dav.mkcol("folder")
        self._dav.put("a", b"0123456789")
        calendars, contacts = f"/dav/calendars/{number}/", f"/dav/contacts/{number}/"
        self.paths = [
            "/", "/dav/", "/dav/principals/", f"/dav/principals/users/{number}/", "/dav/drive/",
            HOME, HOME + "a", HOME + "folder", HOME + "folder/b", HOME + "new", HOME + "._x",
            "/dav/calendars/", calendars, contacts, calendars + "made", contacts + "made",
            *(found for home in (calendars, contacts)
              for found in self._dav.propfind(home, "resourcetype", depth=1).hrefs),
        ]  # fmt: skip
        self.paths += [path + "x.ics" for path in self.paths if path.startswith(calendars)]
        self.paths += [path + "x.vcf" for path in self.paths if path.startswith(contacts)]

    def send(self) -> tuple[tuple[object, ...], Answer]:
        """One request, and what came back."""
        rng = self.rng
        method = rng.choice(list(BODIES))
        body = shaken(rng, rng.choice(BODIES[method]))
        fields = {name: rng.choice(HEADERS[name]) for name in rng.sample(list(HEADERS), 4)}
        path = rng.choice(self.paths)
        sent = (method, path, fields, body)
        try:
            return sent, self._dav.http.request(method, path, fields.items(), body or None)
        except (EOFError, ConnectionError):  # it closes after what it cannot read on from
            self._dav = Dav(self._server, self._dav.account)
            return sent, Answer(0, "")


def test_every_method_has_bodies() -> None:
    """A method or report that comes new must be added here."""
    assert set(REGISTRY.methods) <= set(BODIES)
    tags = {ElementTree.fromstring(body).tag for body in BODIES["REPORT"]}
    assert set(REGISTRY.reports) <= tags


@pytest.mark.parametrize("seed", range(3))
def test_requests(server: TestServer, seed: int) -> None:
    """Each is answered, in time, with anything but 500; the store is checked at the end."""
    fuzzer = Fuzzer(server, random.Random(seed))
    statuses = set()
    for number in range(REQUESTS):
        if number % FRESH == FRESH - 1:
            fuzzer = Fuzzer(server, fuzzer.rng)
        with within(5):
            sent, answer = fuzzer.send()
        assert answer.status != 500, sent
        statuses.add(answer.status)
    assert {207, 400, 404} <= statuses
