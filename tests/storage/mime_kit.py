"""Builds messages whose parts are known, and reads IMAP's parenthesised forms back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from folkmoot.storage.content.mime import MessageIndex, index_message
from folkmoot.storage.content.sections import PartKind
from folkmoot.storage.content.source import BytesSource

Form = list[Any]


def index(data: bytes) -> MessageIndex:
    """Index octets in memory."""
    return index_message(BytesSource(data))


_STRING = re.compile(rb'"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{(\d+)\}\r\n")
_ATOM = re.compile(rb"NIL|\d+")


def read_form(data: bytes) -> Form:
    """Parse one parenthesised form; strings are bytes, NIL is None, numbers are int.

    Raises AssertionError where RFC 9051's grammar of `body` and `envelope` has no such token.
    """
    stack: list[Form] = [[]]
    at = 0
    while at < len(data):
        octet = data[at : at + 1]
        if octet == b"(":
            stack.append([])
            at += 1
        elif octet == b")":
            assert len(stack) > 1
            done = stack.pop()
            stack[-1].append(done)
            at += 1
        elif octet == b" ":
            assert data[at - 1 : at] not in (b"(", b" ")
            assert data[at + 1 : at + 2] not in (b")", b" ", b"")
            at += 1
        elif octet == b'"':
            match = _STRING.match(data, at)
            assert match, data[at : at + 50]
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", match[1]))
            at = match.end()
        elif octet == b"{":
            match = _LITERAL.match(data, at)
            assert match, data[at : at + 50]
            at = match.end() + int(match[1])
            text = data[match.end() : at]
            assert len(text) == int(match[1])
            assert b"\0" not in text
            stack[-1].append(text)
        else:
            match = _ATOM.match(data, at)
            assert match, data[at : at + 50]
            stack[-1].append(None if match[0] == b"NIL" else int(match[0]))
            at = match.end()
    assert len(stack) == 1
    assert len(stack[0]) == 1
    form = stack[0][0]
    assert isinstance(form, list)
    return form


def check_envelope(form: Form) -> None:
    """Assert the shape of `envelope` in RFC 9051 section 9."""
    assert len(form) == 10
    for at in (0, 1, 8, 9):
        assert form[at] is None or isinstance(form[at], bytes)
    for at in range(2, 8):
        if form[at] is not None:
            assert form[at]
            for address in form[at]:
                assert len(address) == 4
                assert all(each is None or isinstance(each, bytes) for each in address)


def check_body(form: Form, *, extended: bool) -> None:
    """Assert the shape of `body` in RFC 9051 section 9."""
    if isinstance(form[0], list):
        count = next(at for at, each in enumerate(form) if not isinstance(each, list))
        for child in form[:count]:
            check_body(child, extended=extended)
        rest = form[count:]
        assert isinstance(rest[0], bytes)
        assert len(rest) == (5 if extended else 1)
        if extended:
            _check_params(rest[1])
            _check_extension(rest[2:])
        return
    assert isinstance(form[0], bytes)
    assert isinstance(form[1], bytes)
    _check_params(form[2])
    assert all(each is None or isinstance(each, bytes) for each in form[3:5])
    assert isinstance(form[5], bytes)
    assert isinstance(form[6], int)
    rest = form[7:]
    if form[0].lower() == b"text":
        assert isinstance(rest.pop(0), int)
    elif form[0].lower() == b"message" and form[1].lower() in (b"rfc822", b"global"):
        check_envelope(rest.pop(0))
        check_body(rest.pop(0), extended=extended)
        assert isinstance(rest.pop(0), int)
    assert len(rest) == (4 if extended else 0)
    if extended:
        assert rest[0] is None or isinstance(rest[0], bytes)
        _check_extension(rest[1:])


def _check_params(form: Form | None) -> None:
    if form is not None:
        assert form
        assert len(form) % 2 == 0
        assert all(isinstance(each, bytes) for each in form)


def _check_extension(form: Form) -> None:
    disposition, language, location = form
    if disposition is not None:
        assert isinstance(disposition[0], bytes)
        _check_params(disposition[1])
    assert language is None or all(isinstance(tag, bytes) for tag in language)
    assert location is None or isinstance(location, bytes)


def _leaves(form: Form) -> list[tuple[int, int | None]]:
    """Return (octets, lines) of each part that is no multipart, in their order."""
    if isinstance(form[0], list):
        return [leaf for child in form if isinstance(child, list) for leaf in _of_child(child)]
    if form[0].lower() == b"text":
        return [(form[6], form[7])]
    if form[0].lower() == b"message" and form[1].lower() in (b"rfc822", b"global"):
        return [(form[6], form[9]), *_leaves(form[8])]
    return [(form[6], None)]


def _of_child(child: Form) -> list[tuple[int, int | None]]:
    # A multipart's parameters are strings, its children start with a list or a media type.
    is_part = isinstance(child[0], list) or (len(child) > 6 and isinstance(child[6], int))
    return _leaves(child) if is_part else []


def check_index(data: bytes, found: MessageIndex) -> None:
    """Assert all that must be true of the index of any octets."""
    check_envelope(read_form(found.envelope))
    check_body(read_form(found.body), extended=False)
    check_body(read_form(found.bodystructure), extended=True)
    assert found.size == len(data)
    parts = found.parts.parts
    assert (parts[0].header_offset, parts[0].parent) == (0, -1)
    assert parts[0].whole.length == len(data)
    assert parts[0].header_length == found.header_size
    for row, part in enumerate(parts[1:], 1):
        parent = parts[part.parent]
        assert -1 < part.parent < row
        assert parent.body.offset <= part.header_offset
        end = part.body.offset + part.body.length
        assert end <= parent.body.offset + parent.body.length
    sizes = [
        (part.body_length, data.count(b"\n", part.body_offset, part.body_offset + part.body_length))
        for part in parts
        if part.kind is not PartKind.MULTIPART
    ]
    listed = _leaves(read_form(found.bodystructure))
    assert [size for size, _ in listed] == [size for size, _ in sizes]
    for (_, lines), (_, counted) in zip(listed, sizes, strict=True):
        assert lines is None or lines == counted
    assert type(found.parts).from_bytes(found.parts.to_bytes()) == found.parts


@dataclass
class Tree:
    """A part to build: leaf octets, children of a multipart, or the message in a message."""

    kind: str
    fields: list[bytes] = field(default_factory=list)
    leaf: bytes = b""
    children: list[Tree] = field(default_factory=list)
    boundary: bytes = b""
    preamble: bytes = b""
    epilogue: bytes = b""
    closed: bool = True


@dataclass
class Built:
    """The octets of a built part; those of its own header and body are known exactly."""

    tree: Tree
    header: bytes
    body: bytes
    children: list[Built]


def build(tree: Tree, eol: bytes) -> Built:
    """Write a tree of parts with the line end `eol`."""
    fields = list(tree.fields)
    children = [build(child, eol) for child in tree.children]
    if tree.kind == "leaf":
        body = tree.leaf
    elif tree.kind == "message":
        fields.append(b"Content-Type: message/rfc822")
        body = children[0].header + children[0].body
    else:
        fields.append(b"Content-Type: multipart/mixed;" + eol + b'\tboundary="%b"' % tree.boundary)
        delimiter = eol + b"--" + tree.boundary
        body = tree.preamble
        for child in children:
            body += delimiter + eol + child.header + child.body
        if tree.closed:
            body += delimiter + b"--" + eol + tree.epilogue
        if not tree.preamble:
            # The first delimiter may follow the empty line at once.
            body = body[len(eol) :]
    header = b"".join(each + eol for each in fields) + eol
    return Built(tree, header, body, children)
