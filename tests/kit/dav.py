"""A small WebDAV client for tests: sends requests as they are told, reads multistatus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from tests.kit.http import Answer, HttpClient
from tests.kit.server import TestAccount, TestServer

HOME = "/dav/drive/My%20documents/"
D = "{DAV:}"
LOCK = (
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:{scope}/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>{owner}</D:owner></D:lockinfo>"
)


@dataclass
class Response:
    """One ``DAV:response``: properties by status and name, or the status of the whole."""

    href: str
    status: int = 0
    props: dict[int, dict[str, ElementTree.Element]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The text of a property that it has."""
        return "".join(self.props[200][_clark(name)].itertext())

    def names(self, status: int = 200) -> set[str]:
        """Names of the properties with a status; those of DAV: without namespace."""
        return {name.removeprefix(D) for name in self.props.get(status, {})}

    def tags(self, name: str) -> list[str]:
        """All elements in a property, those of DAV: without namespace."""
        found = [entry.tag.removeprefix(D) for entry in self.props[200][_clark(name)].iter()]
        return found[1:]


@dataclass
class Multistatus:
    """A 207 answer, by href in the order it came."""

    responses: list[Response]
    sync_token: str = ""

    def __getitem__(self, href: str) -> Response:
        return next(found for found in self.responses if found.href == href)

    @property
    def hrefs(self) -> list[str]:
        """Of all responses."""
        return [found.href for found in self.responses]

    @property
    def only(self) -> Response:
        """The one response that there is."""
        [found] = self.responses
        return found


class Dav:
    """One account's client. Paths without a slash in front are in its documents."""

    def __init__(self, server: TestServer, account: TestAccount | None = None) -> None:
        self.account = account or server.account()
        self.http: HttpClient = server.http(self.account)

    def call(
        self, method: str, path: str = "", body: bytes | str | None = None, **fields: str | None
    ) -> Answer:
        """A request; ``If_Match="x"`` is a header field."""
        pairs = [
            (name.replace("_", "-"), value) for name, value in fields.items() if value is not None
        ]
        return self.http.request(method, _path(path), pairs, body)

    def put(self, path: str, body: bytes | str = b"x", **fields: str | None) -> Answer:
        """PUT that must succeed."""
        answer = self.call("PUT", path, body, **fields)
        assert answer.status in (201, 204), (answer.status, answer.text)
        return answer

    def get(self, path: str, **fields: str | None) -> bytes:
        """The octets of what must be there."""
        answer = self.call("GET", path, **fields)
        assert answer.status == 200, answer.status
        return answer.body

    def mkcol(self, path: str) -> None:
        """A folder, which must not be there."""
        answer = self.call("MKCOL", path)
        assert answer.status == 201, (answer.status, answer.text)

    def propfind(
        self, path: str, *names: str, depth: int | str = 0, **fields: str | None
    ) -> Multistatus:
        """PROPFIND of properties by name, without names allprop."""
        body = f'<D:propfind xmlns:D="DAV:"><D:prop>{_elements(names)}</D:prop></D:propfind>'
        answer = self.call("PROPFIND", path, body if names else None, Depth=str(depth), **fields)
        return multistatus(answer)

    def proppatch(self, path: str, inside: str, **fields: str | None) -> Response:
        """PROPPATCH with ``set`` and ``remove`` elements; its one response."""
        body = (
            '<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:">'
            f"{inside}</D:propertyupdate>"
        )
        return multistatus(self.call("PROPPATCH", path, body, **fields)).only

    def report(self, path: str, body: str, **fields: str | None) -> Multistatus:
        """A REPORT that must be answered with multistatus."""
        return multistatus(self.call("REPORT", path, body, **fields))

    def sync(self, path: str, token: str = "", limit: int | None = None) -> Multistatus:
        """sync-collection, with getetag."""
        bound = f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>" if limit else ""
        return self.report(
            path,
            '<D:sync-collection xmlns:D="DAV:">'
            f"<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{bound}"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>",
        )

    def lock(
        self, path: str, scope: str = "exclusive", owner: str = "me", **fields: str | None
    ) -> str:
        """A lock that must be granted; its token."""
        answer = self.call("LOCK", path, LOCK.format(scope=scope, owner=owner), **fields)
        assert answer.status in (200, 201), (answer.status, answer.text)
        token = answer.header("lock-token")
        assert token is not None
        assert token[0] == "<"
        assert token[-1] == ">"
        return token[1:-1]

    def unlock(self, path: str, token: str) -> int:
        """The status of UNLOCK."""
        return self.call("UNLOCK", path, Lock_Token=f"<{token}>").status


def multistatus(answer: Answer) -> Multistatus:
    """Read a 207 answer, which it must be."""
    assert answer.status == 207, (answer.status, answer.text)
    root = ElementTree.fromstring(answer.text)
    assert root.tag == f"{D}multistatus"
    token = root.findtext(f"{D}sync-token") or ""
    return Multistatus([_response(entry) for entry in root.findall(f"{D}response")], token)


def conditions(answer: Answer) -> list[str]:
    """What the ``DAV:error`` of an answer names; those of DAV: without namespace."""
    root = ElementTree.fromstring(answer.text)
    assert root.tag == f"{D}error", root.tag
    names = [entry.tag.removeprefix(D) for entry in root]
    return [name for name in names if name != "responsedescription"]


def _response(entry: Any) -> Response:
    href = entry.findtext(f"{D}href")
    assert href is not None
    found = Response(href)
    status = entry.findtext(f"{D}status")
    if status is not None:
        found.status = int(status.split()[1])
    for propstat in entry.findall(f"{D}propstat"):
        number = int(propstat.findtext(f"{D}status").split()[1])
        props = found.props.setdefault(number, {})
        for prop in propstat.find(f"{D}prop"):
            assert prop.tag not in props, f"{prop.tag} twice"
            props[prop.tag] = prop
    found.errors = [error.tag.removeprefix(D) for error in entry.findall(f".//{D}error/*")]
    return found


def _clark(name: str) -> str:
    return name if name.startswith("{") else D + name


def _elements(names: tuple[str, ...]) -> str:
    found = []
    for name in map(_clark, names):
        namespace, _, local = name[1:].partition("}")
        found.append(f'<x:{local} xmlns:x="{namespace}"/>')
    return "".join(found)


def _path(path: str) -> str:
    return path if path.startswith("/") else HOME + path
