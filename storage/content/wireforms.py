"""IMAP's ENVELOPE, BODY and BODYSTRUCTURE out of the parts that were found.

The forms of RFC 9051 section 7.5.2, ready to be sent. Field values with octets above 127 go out
as literals, which every version of IMAP allows; encoded-words stay as they are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from folkmoot.storage.content.addresses import ADDRESS_LIMIT, Mailbox, addresses
from folkmoot.storage.content.params import (
    Parameterized,
    Params,
    disposition,
    without_comments,
)
from folkmoot.storage.content.scanner import Entity
from folkmoot.storage.content.sections import PartKind
from folkmoot.storage.content.source import Source

QUOTED_LIMIT = 1000
"""Longer strings go out as literals: clients read lines into bounded buffers."""

_LANGUAGE_LIMIT = 20

# rfc5646#2.1: letters, digits and hyphens; then there may be a weight, as in Accept-Language
_LANGUAGE = re.compile(rb"\s*([0-9A-Za-z-]{1,100})\s*(?:;|\Z)")

# What a quoted string can hold without an escape.
_PLAIN = bytes(each for each in range(1, 128) if each not in b'\r\n"\\')

_EMPTY_ENVELOPE = b"(" + b" ".join([b"NIL"] * 10) + b")"


class Structure(NamedTuple):
    """One part's BODY and BODYSTRUCTURE."""

    body: bytes
    bodystructure: bytes


def string(value: bytes) -> bytes:
    """Return a value as IMAP `string`: quoted if it is short ASCII, else a literal."""
    if len(value) <= QUOTED_LIMIT:
        special = value.translate(None, _PLAIN)
        if not special:
            return b'"' + value + b'"'
        if not special.strip(b'"\\'):
            return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    # rfc9051#4.3: a literal holds any octet but NUL
    value = value.replace(b"\0", b"")
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    """Return a value as IMAP `nstring`: NIL for None."""
    return b"NIL" if value is None else string(value)


def envelope(fields: dict[bytes, list[bytes]]) -> bytes:
    """Return the ENVELOPE of a message with these unfolded field values."""
    if not fields:
        return _EMPTY_ENVELOPE
    sender_default = _address_list(fields.get(b"from"))
    forms = [_last(fields, b"date"), _last(fields, b"subject"), sender_default]
    for name in (b"sender", b"reply-to"):
        form = _address_list(fields.get(name))
        # rfc9051#7.5.2: absent or empty, these two are the same as From
        forms.append(sender_default if form == b"NIL" else form)
    forms += [_address_list(fields.get(name)) for name in (b"to", b"cc", b"bcc")]
    forms += [_last(fields, b"in-reply-to"), _last(fields, b"message-id")]
    return b"(" + b" ".join(forms) + b")"


def structure(source: Source, entities: list[Entity]) -> Structure:
    """Return BODY and BODYSTRUCTURE of the message whose parts these are."""
    forms: list[Structure] = [Structure(b"", b"")] * len(entities)
    # Children come after their parents, so going backwards meets them first.
    for row in range(len(entities) - 1, -1, -1):
        entity = entities[row]
        children = [forms[child] for child in entity.children]
        if entity.kind is PartKind.MULTIPART:
            forms[row] = _multipart(entity, children)
        else:
            inner = entities[entity.children[0]] if entity.children else None
            forms[row] = _single(source, entity, inner, children)
        for child in entity.children:
            forms[child] = Structure(b"", b"")
    return forms[0]


def _multipart(entity: Entity, children: list[Structure]) -> Structure:
    subtype = string(entity.media.subtype)
    body = b"".join([child.body for child in children])
    full = b"".join([child.bodystructure for child in children])
    params = _params(entity.media.params)
    tail = b" ".join((subtype, params, _extensions(entity)))
    return Structure(b"(" + body + b" " + subtype + b")", b"(" + full + b" " + tail + b")")


def _single(
    source: Source, entity: Entity, inner: Entity | None, children: list[Structure]
) -> Structure:
    fields = entity.fields
    is_text = entity.kind is PartKind.TEXT
    basic = b" ".join(
        (
            string(entity.media.kind),
            string(entity.media.subtype),
            _text_params(entity.media) if is_text else _params(entity.media.params),
            _first(fields, b"content-id"),
            _first(fields, b"content-description"),
            string(entity.encoding_name),
            b"%d" % (entity.body_end - entity.body_start),
        )
    )
    lines = b""
    if is_text or inner is not None:
        lines = b" %d" % source.count(b"\n", entity.body_start, entity.body_end)
    tail = b" " + _first(fields, b"content-md5") + b" " + _extensions(entity) + b")"
    if inner is None:
        basic += lines
        return Structure(b"(" + basic + b")", b"(" + basic + tail)
    head = b"(" + basic + b" " + envelope(inner.fields) + b" "
    child = children[0]
    return Structure(head + child.body + lines + b")", head + child.bodystructure + lines + tail)


def _extensions(entity: Entity) -> bytes:
    """Return disposition, language and location."""
    fields = entity.fields
    if not fields:
        return b"NIL NIL NIL"
    given = fields.get(b"content-disposition")
    form = b"NIL"
    if given:
        parsed = disposition(given[0])
        form = b"(" + string(parsed.kind) + b" " + _params(parsed.params) + b")"
    return b" ".join(
        (form, _language(fields.get(b"content-language")), _first(fields, b"content-location"))
    )


def _language(values: list[bytes] | None) -> bytes:
    # rfc3282#2: a list of tags parted by commas
    tags = without_comments(values[0]).split(b",", _LANGUAGE_LIMIT) if values else []
    found = [_LANGUAGE.match(tag) for tag in tags[:_LANGUAGE_LIMIT]]
    forms = [string(match[1]) for match in found if match]
    return b"(" + b" ".join(forms) + b")" if forms else b"NIL"


def _params(params: Params) -> bytes:
    if not params:
        return b"NIL"
    return b"(" + b" ".join([string(text) for pair in params for text in pair]) + b")"


def _text_params(media: Parameterized) -> bytes:
    # rfc2046#4.1.2: the charset that a text part has when it names none
    if any(name.lower() in (b"charset", b"charset*") for name, _ in media.params):
        return _params(media.params)
    return _params((*media.params, (b"charset", b"us-ascii")))


def _first(fields: dict[bytes, list[bytes]], name: bytes) -> bytes:
    values = fields.get(name)
    return string(values[0]) if values else b"NIL"


def _last(fields: dict[bytes, list[bytes]], name: bytes) -> bytes:
    # rfc6376#5.4.2: of several fields of a name, which no message should have, signatures cover
    # the last first. One put before it would be shown in its place.
    values = fields.get(name)
    return string(values[-1]) if values else b"NIL"


def _address_list(values: list[bytes] | None) -> bytes:
    if not values:
        return b"NIL"
    found: list[Mailbox] = []
    # A second field of the name is against RFC 5322, and its addresses are still of interest.
    for value in values:
        if len(found) < ADDRESS_LIMIT:
            found += addresses(value, ADDRESS_LIMIT - len(found))
    if not found:
        return b"NIL"
    return b"(" + b"".join([_address(each) for each in found]) + b")"


def _address(mailbox: Mailbox) -> bytes:
    local, domain = mailbox.local, mailbox.domain
    # A NIL domain would be a group, so what a broken address lacks is named, as Dovecot does.
    if domain is not None:
        local = local or b"MISSING_MAILBOX"
        domain = domain or b"MISSING_DOMAIN"
    return b"(%b %b %b %b)" % (
        nstring(mailbox.name),
        nstring(mailbox.route),
        nstring(local),
        nstring(domain),
    )
