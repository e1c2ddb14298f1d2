"""The first words of a message, for lists (RFC 8970)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from folkmoot.storage.content.headers import collect
from folkmoot.storage.content.params import DEFAULT_TYPE, Parameterized, content_type
from folkmoot.storage.content.scanner import Entity
from folkmoot.storage.content.sections import Encoding, Part, PartKind, PartTable
from folkmoot.storage.content.source import Source
from folkmoot.storage.content.text import MARKUP, part_start, text_of

MAX_PREVIEW = 200
"""The most characters of a preview (RFC 8970 section 3.2)."""

_PARTS = 20  # text parts that are looked at

# Octets of a text that are looked at; more of it only when the first give no whole preview.
# Newsletters begin with long style sheets.
_PLAIN = (1 << 10, 16 << 10)
_MARKED_UP = (8 << 10, 64 << 10)

# Marks that show nothing: senders fill up the line behind their own preview with them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
    "|(?<=\\s)\u200c+|\u200c+(?=\\s)"
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_FIELDS = frozenset((b"content-type", b"content-disposition"))


def preview_text(source: Source, table: PartTable, entities: Sequence[Entity] | None = None) -> str:
    """Return the beginning of what a reader sees first, on one line; "" when there is nothing.

    At most `MAX_PREVIEW` characters. Quoted lines and signatures are left out unless there is
    nothing else. Attachments and parts in an unknown encoding are passed over. `entities` are
    those of the parts where the message was just scanned.
    """
    # rfc8970#3.3
    looked_at = 0
    for row, part in enumerate(table.parts):
        if part.kind is not PartKind.TEXT or part.encoding is Encoding.UNKNOWN:
            continue
        looked_at += 1
        if looked_at > _PARTS:
            break
        if entities is not None:
            fields, media = entities[row].fields, entities[row].media
        else:
            fields = collect(part_start(source, part), _FIELDS)
            given = fields.get(b"content-type")
            media = content_type(given[0]) if given else DEFAULT_TYPE
        preview = _part_preview(source, part, fields, media)
        if preview:
            return preview
    return ""


def _part_preview(
    source: Source, part: Part, fields: dict[bytes, list[bytes]], media: Parameterized
) -> str:
    disposition = fields.get(b"content-disposition", [b""])[0]
    marked_up = media.media in MARKUP
    if disposition.strip().lower().startswith(b"attachment"):
        return ""
    if not marked_up and media.media != b"text/plain":
        return ""
    preview = ""
    for limit in _MARKED_UP if marked_up else _PLAIN:
        text = text_of(source, part, media, limit)
        preview = _one_line(_own_words(text)) or _one_line(text)
        if len(preview) == MAX_PREVIEW or part.body_length <= limit:
            break
    return preview.rstrip()


def _own_words(text: str) -> str:
    """The text without quoted lines and what follows the signature mark."""
    if ">" not in text and "-- " not in text:
        return text
    lines = []
    for line in text.split("\n"):
        if line.rstrip("\r") == "-- ":  # rfc3676#4.3
            break
        if not line.startswith(">"):
            lines.append(line)
    return "\n".join(lines)


def _one_line(text: str) -> str:
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    text = " ".join(text.split())
    if not text.isprintable():
        text = " ".join(_CONTROLS.sub(" ", text).split())
    return text[:MAX_PREVIEW]
