"""gzip of answers, where the client asks for it and it is worth the work."""

from __future__ import annotations

import re
import zlib

LEAST = 1024  # octets; below, the fields cost more than they save
LEVEL = 4  # multistatus shrinks to a tenth already; higher levels cost twice and save little
_TYPES = re.compile(
    r"(?:text/(?!event-stream)|application/(?:[a-z0-9.+-]*\+)?(?:xml|json)\b)", re.IGNORECASE
)
_GZIP = re.compile(r"(?:^|,)\s*(?:x-)?(?:gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?(?=,|$)", re.I)


def compressible(
    status: int, fields: list[tuple[str, str]], length: int | None, accepted: str
) -> bool:
    """Whether an answer is gzipped; ``accepted`` is the Accept-Encoding field.

    An answer with an ETag never is: the tag stands for these very octets (RFC 9110 section
    8.8.3.3), and clients compare it with that of a later PUT.
    """
    if not accepted or status in (204, 206, 304) or (length is not None and length < LEAST):
        return False
    kind = ""
    for name, value in fields:
        lower = name.lower()
        if lower in ("etag", "content-encoding", "content-range"):
            return False
        if lower == "content-type":
            kind = value
    return _TYPES.match(kind) is not None and _accepts_gzip(accepted)


def _accepts_gzip(accepted: str) -> bool:
    # rfc9110#12.5.3
    match = _GZIP.search(accepted)
    return match is not None and (match[1] is None or match[1].strip("0.") != "")


class Compressor:
    """A gzip stream. # rfc9110#8.4.1"""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)

    def add(self, data: bytes) -> bytes:
        """Octets to send now, perhaps none."""
        return self._stream.compress(data)

    def end(self) -> bytes:
        """The last octets."""
        return self._stream.flush()
