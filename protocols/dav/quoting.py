"""Names in URLs, quoted once and so that XML needs no further escaping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

_PLAIN = re.compile(r"[A-Za-z0-9._~@!$()*,;=:-]*").fullmatch
_SAFE = "!$()*,;=:@-._~"


def quoted(name: str) -> str:
    """A name as one segment of a URL's path (RFC 3986 section 3.3)."""
    return name if _PLAIN(name) else quote(name, safe=_SAFE, errors="replace")


def quoted_names(names: Sequence[str]) -> Sequence[str]:
    """Many of them at once: mostly none has anything to quote."""
    return names if _PLAIN("".join(names)) else [*map(quoted, names)]


def quoted_path(names: tuple[str, ...], *, collection: bool) -> str:
    """The path of a URL; that of a collection ends with a slash."""
    path = "/" + "/".join(map(quoted, names))
    return f"{path}/" if collection and names else path
