"""The text of a message, as a search sees it: headers decoded, markup taken away."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from html import unescape

from folkmoot.storage.content.charsets import decode
from folkmoot.storage.content.decoding import decode_part
from folkmoot.storage.content.headers import collect, iter_fields, unfolded
from folkmoot.storage.content.params import DEFAULT_TYPE, Parameterized, content_type
from folkmoot.storage.content.scanner import HEADER_LIMIT
from folkmoot.storage.content.sections import Encoding, Part, PartKind, PartTable
from folkmoot.storage.content.source import Source

TEXT_LIMIT = 4 << 20
"""The most octets of one part's decoded content that are looked at; a long novel has less."""

# rfc2047#2, with the language of rfc2231#5
_WORD = re.compile(rb"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([bBqQ])\?([^?\r\n]*)\?=")


def decoded_header(header: bytes, name: bytes | None = None) -> str:
    """Return the text of all fields called `name` (lower case), or of the whole header.

    Fields are unfolded, one to a line; a whole header has `Name: value` lines. Encoded-words
    (RFC 2047) are decoded, and stay as they are where that fails. At most `HEADER_LIMIT` octets
    are looked at.
    """
    header = header[:HEADER_LIMIT]
    if name is not None:
        values = collect(header, frozenset((name,))).get(name, [])
        return "\n".join([decoded_words(value) for value in values])
    lines = []
    for found, raw in iter_fields(header):
        if found:
            label = raw.partition(b":")[0].strip(b" \t")
            lines.append(decode(label, None) + ": " + decoded_words(unfolded(raw)))
    return "\n".join(lines)


def decoded_words(value: bytes) -> str:
    """Return an unfolded field value as text, with its encoded-words decoded (RFC 2047)."""
    if b"=?" not in value:
        return decode(value, None)
    out: list[str] = []
    # Neighbouring words of one charset are decoded together: senders cut characters in two.
    run = b""
    run_charset = b""
    position = 0
    for match in _WORD.finditer(value):
        data = _word_octets(match[2], match[3])
        if data is None:
            continue
        between = value[position : match.start()]
        charset = match[1].lower()
        # rfc2047#6.2: white space between two words is not shown
        if run_charset and (between.strip(b" \t\r\n") or charset != run_charset):
            out.append(decode(run, run_charset))
            run = b""
        if between.strip(b" \t\r\n") or not run_charset:
            out.append(decode(between, None))
        run += data
        run_charset = charset
        position = match.end()
    if run_charset:
        out.append(decode(run, run_charset))
    out.append(decode(value[position:], None))
    return "".join(out)


def _word_octets(encoding: bytes, text: bytes) -> bytes | None:
    try:
        if encoding in b"qQ":
            # rfc2047#4.2
            return binascii.a2b_qp(text, header=True)
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4)) or None
    except binascii.Error:
        return None


def body_texts(source: Source, table: PartTable) -> Iterator[str]:
    """Yield the text of each text part and the header of each message inside, in their order.

    Text is decoded from any charset, HTML comes without its markup. Parts with an unknown
    transfer encoding are left out. At most `TEXT_LIMIT` decoded octets of a part are looked at.
    """
    parts = table.parts
    for part in parts:
        if part.parent >= 0 and parts[part.parent].kind is PartKind.MESSAGE:
            yield decoded_header(part_start(source, part))
        if part.kind is PartKind.TEXT and part.encoding is not Encoding.UNKNOWN:
            given = collect(part_start(source, part), frozenset((b"content-type",)))
            values = given.get(b"content-type")
            media = content_type(values[0]) if values else DEFAULT_TYPE
            yield text_of(source, part, media, TEXT_LIMIT)


def part_start(source: Source, part: Part) -> bytes:
    """Return the header of a part, of a long one the first `HEADER_LIMIT` octets."""
    return source.read(part.header_offset, min(part.header_length, HEADER_LIMIT))


def text_of(source: Source, part: Part, media: Parameterized, limit: int) -> str:
    """Return the text of a part of this type, of at most `limit` decoded octets.

    It must not have an unknown transfer encoding.
    """
    # Text in base64 or quoted-printable is no longer than this.
    part = part._replace(body_length=min(part.body_length, 4 * limit))
    pieces = []
    room = limit
    for piece in decode_part(source, part):
        pieces.append(piece[:room])
        room -= len(piece)
        if room <= 0:
            break
    text = decode(b"".join(pieces), media.param(b"charset"))
    return without_markup(text) if media.media in MARKUP else text


MARKUP = (b"text/html", b"text/xhtml", b"text/enriched", b"text/richtext")

# These stand inside of words; all other tags part words.
_INLINE = re.compile(
    "a|abbr|b|big|code|em|font|i|ins|mark|s|small|span|strike|strong|sub|sup|tt|u|wbr"
).fullmatch
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_HIDDEN = {"script": "</script", "style": "</style"}


def without_markup(text: str) -> str:
    """Return the text between the tags of an HTML document, in one pass over it."""
    out: list[str] = []
    lower = text.lower()
    # Lower-casing some letters lengthens them; the places must be the same in both.
    if len(lower) != len(text):
        lower = text
    position = 0
    while (start := text.find("<", position)) >= 0:
        out.append(text[position:start])
        name = ""
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            position = end + 3
        else:
            match = _TAG_NAME.match(lower, start)
            name = match[1].lower() if match else ""
            if match is None and not text.startswith(("<!", "<?", "</"), start):
                # A bare `<` is text.
                out.append("<")
                position = start + 1
                continue
            if name in _HIDDEN and lower[start + 1] != "/":
                start = lower.find(_HIDDEN[name], start)
            end = text.find(">", start) if start >= 0 else -1
            position = end + 1
        if end < 0:
            # What is not closed hides the rest, as it does in a browser.
            position = len(text)
            break
        if not _INLINE(name):
            out.append(" ")
    out.append(text[position:])
    return unescape("".join(out))
