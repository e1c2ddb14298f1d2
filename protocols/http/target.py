"""Request targets: from the octets of a request line, or a URL in a header, to names.

Everything that could mean two things is refused here, so that no code above ever sees ``..``,
an empty name, a NUL or a slash inside a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

MAX_DEPTH = 64  # names in one path
MAX_URL = 8192  # octets of a URL

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_DEFAULT_PORT = re.compile(r":(?:80|443)?\Z")
# RFC 3986 section 3.3: what may stand in a segment as it is.
SAFE = "!$&'()*+,;=:@-._~"


class BadTarget(Exception):
    """A target that no resource can have; the answer is 400."""


class OtherHost(Exception):
    """A URL of another server; for Destination, the answer is 502 (RFC 4918 section 9.8.5)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    ``path`` holds the decoded names (the root is the empty tuple), ``raw_path`` the path as it was
    sent, ``query`` what stood behind "?" as it was sent ("" without).
    """

    path: tuple[str, ...]
    raw_path: str
    trailing_slash: bool
    query: str = ""


def parse_target(raw: bytes) -> Target:
    """The target of a request line: a path, a whole URL, or "*" (taken for the root).

    Raises ``BadTarget``. The host of a whole URL is not looked at: Host was checked.
    """
    # rfc9112#3.2; a fragment has no place in it
    if b"#" in raw:
        raise BadTarget
    if raw == b"*":
        return Target((), "/", True)
    if not raw.startswith(b"/"):
        match = _URL.fullmatch(raw.decode("latin-1"))
        if match is None:
            raise BadTarget
        raw = match[3].encode("latin-1")
        if not raw.startswith(b"/"):
            raw = b"/" + raw
    if b"#" in raw:  # a fragment never comes here: cut off, DELETE would hit what it is part of
        raise BadTarget
    return _parse_path(raw)


def parse_reference(text: str, host: str) -> Target:
    """The target of a URL in a header or body: absolute on this host, or a path from the root.

    ``host`` is the Host that the client used; the scheme is not compared, because TLS may end in a
    proxy. Raises ``BadTarget`` and ``OtherHost``.
    """
    # rfc4918#8.3
    if len(text) > MAX_URL:
        raise BadTarget
    match = _URL.fullmatch(text)
    if match is not None:
        if not same_host(match[2], host):
            raise OtherHost
        text = match[3] if match[3].startswith("/") else "/" + match[3]
    elif not text.startswith("/") or text.startswith("//"):
        raise BadTarget
    try:
        raw = text.encode("latin-1")  # a header: its octets
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogateescape")
    return _parse_path(raw.partition(b"#")[0])


def is_host(text: str) -> bool:
    """Whether this can be a Host: a name or address, perhaps with a port."""
    return len(text) <= 300 and _HOST.fullmatch(text) is not None


def same_host(one: str, other: str) -> bool:
    """Whether two hosts are the same, ports that are usual for HTTP and HTTPS aside."""
    # rfc9110#4.2.3
    return _bare(one) == _bare(other)


def quoted(name: str) -> str:
    """A name as it stands in a URL (one segment of its path)."""
    return quote(name, safe=SAFE)


def _bare(host: str) -> str:
    return _DEFAULT_PORT.sub("", host.rpartition("@")[2]).lower()


def _parse_path(raw: bytes) -> Target:
    path, _, query = raw.partition(b"?")
    if len(raw) > MAX_URL or not path.startswith(b"/") or _BAD_ESCAPE.search(path):
        raise BadTarget
    segments = path[1:].split(b"/")
    trailing = segments[-1] == b""
    if trailing:
        segments.pop()
    if len(segments) > MAX_DEPTH:
        raise BadTarget
    names = tuple(_name(segment) for segment in segments)
    return Target(names, path.decode("latin-1"), trailing, query.decode("latin-1"))


def _name(segment: bytes) -> str:
    """One decoded name; old Windows clients send Latin-1 where everybody else sends UTF-8."""
    octets = unquote_to_bytes(segment)
    if octets in (b"", b".", b"..") or b"/" in octets or b"\0" in octets:
        raise BadTarget
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")
