"""Messages: the index of any octets, and of messages whose parts are known."""

from __future__ import annotations

import tempfile

from folkmoot.storage.content.decoding import UnknownEncoding, decode_part, decoded_size
from folkmoot.storage.content.mime import index_message
from folkmoot.storage.content.prepare import prepare
from folkmoot.storage.content.preview import preview_text
from folkmoot.storage.content.sortkeys import sort_keys, thread_of
from folkmoot.storage.content.source import BytesSource, FileSource
from folkmoot.storage.content.text import body_texts, decoded_header
from tests.fuzz.target import target
from tests.storage.mime_kit import check_index
from tests.storage.test_mime_parts import test_offsets_cut_out_what_was_built

_NESTED = (
    b'From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>, g: a@b, c@d;\r\nTo: "Q \\" x" (c) <b@y.example>\r\n'
    b"Date: Tue, 3 Nov 2020 10:00:00 +0100 (CET)\r\nSubject: Re: [list] =?iso-8859-1?B?5A==?=\r\n"
    b"Message-ID: <1@x>\r\nReferences: <0@x>\r\n <00@x>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="a;b"\r\n\r\npre\r\n--a;b\r\n'
    b"Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"caf=C3=A9 =\r\nmore\r\n--a;b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n"
    b"--a;b\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
    b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b\r\n\r\nPGI+eDwvYj4=\r\n--b--\r\n"
    b"--a;b--\r\nepilogue\r\n"
)
_SEEDS = (
    _NESTED,
    b"Subject: x\n\nbare\n",
    b"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\nSubject: a\r\n\r\nb\r\n--x--",
)
_WORDS = (
    b"\r\n--a;b\r\n", b"\r\n--b\r\n", b"--b--", b"\r\n\r\n", b"\n", b"\r\n ", b"Content-Type: ", b"multipart/mixed;",
    b"message/rfc822", b"boundary=", b"boundary=\"", b"Content-Transfer-Encoding: base64\r\n", b"=?utf-8?q?", b"?=",
    b"=?utf-8?b?", b"(", b")", b"\"", b"\\", b"<", b">", b",", b";", b":", b"charset=utf-7", b"filename*0*=", b"\0",
    b"=\r\n", b"References: ", b"Date: ", b"From: ", b"Subject: Re: ", b"text/html\r\n\r\n<!--", b"&#x110000;",
)  # fmt: skip


@target(_SEEDS, _WORDS)
def mime_index(data: bytes) -> None:
    """Any octets have an index that holds together, the same from memory and from a file."""
    source = BytesSource(data)
    found = index_message(source)
    check_index(data, found)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        again = index_message(FileSource(file.fileno()))
    assert (again.envelope, again.body, again.bodystructure) == (
        found.envelope,
        found.body,
        found.bodystructure,
    )
    assert again.parts == found.parts


@target(_SEEDS, _WORDS)
def mime_texts(data: bytes) -> None:
    """What is read out of a message for searching, sorting and previews is text of its length."""
    source = BytesSource(data)
    found = index_message(source)
    header = data[: found.header_size]
    for text in (preview_text(source, found.parts), decoded_header(header)):
        text.encode("utf-8")
    sort_keys(header)
    thread_of(header)
    for text in body_texts(source, found.parts):
        assert len(text) <= 4 * len(data) + 1000
        text.encode("utf-8")
    for part in found.parts.parts:
        try:
            pieces = list(decode_part(source, part))
        except UnknownEncoding:
            continue
        assert sum(map(len, pieces)) == decoded_size(source, part) <= part.body_length
    prepare(data)


@target([bytes(range(1, 60)) * 9, b"\1\2\0\3" * 100], base=5)
def mime_known_parts(data: bytes) -> None:
    """The stored offsets cut out exactly the part that was put there."""
    test_offsets_cut_out_what_was_built.hypothesis.fuzz_one_input(data)  # type: ignore[attr-defined]
