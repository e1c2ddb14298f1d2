"""SMTP and LMTP: commands, paths, parameters, the end of DATA, and what is written from them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from folkmoot.protocols.smtp.data import DataDecoder
from folkmoot.protocols.smtp.dsn import Action, Report, notification
from folkmoot.protocols.smtp.headers import (
    Trace,
    completed,
    header_length,
    received_count,
    starts_header,
    values,
    without,
)
from folkmoot.protocols.smtp.parameters import (
    ORCPT_LIMIT,
    ParameterError,
    decode_xtext,
    encode_original,
    encode_xtext,
    mail_parameters,
    recipient_parameters,
)
from folkmoot.protocols.smtp.paths import PathError, normal_address, parse_path
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.storage.addresses import display_address, normalize_address, normalize_domain
from folkmoot.storage.errors import InvalidName
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient, Return
from tests.fuzz.target import Reader, cut, target

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@target(
    [
        b"<a@x.example> SIZE=5 BODY=8BITMIME",
        b'<@r:"a b"@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40b',
        b"<> RET=HDRS ENVID=x SMTPUTF8",
        b"<\xc3\xa4@\xc3\xa4.example> ORCPT=utf-8;\\x{E4}@x",
        b"<a@[192.0.2.1]>",
    ],
    [
        b"<",
        b">",
        b"@",
        b'"',
        b"\\",
        b":",
        b" ",
        b"SIZE=",
        b"AUTH=<>",
        b"NOTIFY=NEVER",
        b"ORCPT=",
        b"+0D+0A",
        b"\\x{D}",
        b"\\x{110000}",
        b";",
        b"\xc2\x85",
    ],
)
def smtp_arguments(data: bytes) -> None:
    """Arguments of MAIL and RCPT are values or refused, and hold nothing that breaks a line."""
    text = data.decode("utf-8", "ignore")
    if any(each < " " or each == "\x7f" for each in text):
        return  # refused before anything is parsed
    try:
        address, rest = parse_path(text)
    except PathError:
        address, rest = "", text
    if address:
        assert not set("\r\n\0") & set(address)
        assert normal_address(address) == address
    for read in (mail_parameters, recipient_parameters):
        try:
            found = read(rest)
        except ParameterError as error:
            assert 500 <= error.reply.code < 560
            assert error.reply.wire().count(b"\r\n") == 1
            continue
        for value in (getattr(found, "envelope_id", ""), getattr(found, "original", "")):
            assert value.isprintable()
            if value and value.isascii():
                assert decode_xtext(encode_xtext(value), "x") == value
        original = getattr(found, "original", "")
        carried = encode_original(original) if original else ""
        assert carried.isascii()
        if 0 < len(carried) <= ORCPT_LIMIT:
            assert recipient_parameters(f"ORCPT={carried}").original == original
    _report(address, rest)


def _report(address: str, text: str) -> None:
    recipient = MailRecipient(address or "a@b.example")
    envelope = MailEnvelope("s@x.example", (recipient,), text[:90], Return.HEADERS)
    reports = [Report(recipient, Action.FAILED, "5.1.1", text, "peer.example", _NOW)]
    made = notification("host.example", envelope, _NOW, reports, b"Subject: x\r\n\r\n", _NOW)
    bare = made.content.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert made.content.count(b"Final-Recipient") == 1


@target(
    [
        b"\x02\x03line\r\n..dot\r\n.\r\nQUIT\r\n",
        b"\x01\x01.\r\n",
        b"\x05\x05a\n.\nb\r.\rc\r\n.\r\n",
    ],
    [b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n..", b"\r\n", b".", b"\0"],
)
def smtp_data(data: bytes) -> None:
    """Only CRLF.CRLF ends a message; content and rest are the same however it is cut."""
    reader = Reader(data)
    steps = bytes([1 + reader.number(9), 1 + reader.number(9)]) * 200
    octets = reader.rest()
    framed = b"\r\n" + octets
    end = framed.find(b"\r\n.\r\n")
    whole = framed[: end + 2] if end >= 0 else framed
    expected = whole.replace(b"\r\n.", b"\r\n")[2:]
    decoder = DataDecoder()
    content = rest = b""
    for piece in cut(octets, steps):
        if decoder.done:
            rest += piece
            continue
        more, behind = decoder.feed(piece)
        content += more
        rest += behind
    assert decoder.done == (end >= 0)
    if not decoder.done:
        assert expected.startswith(content)
        assert len(content) >= len(expected) - 5
        return
    assert content == expected
    assert rest == framed[end + 5 :]
    bare = content.replace(b"\r\n", b"")
    assert decoder.bare_newline == (b"\r" in bare or b"\n" in bare)
    assert decoder.nul == (b"\0" in content)


@target(
    [
        b"From: a@b\r\nBcc: x\r\n y\r\nReceived: 1\r\nReceived: 2\r\n\r\nbody",
        b"\r\nbody",
        b"Return-Path : <x>\nDate: 1\n\n",
    ],
    [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"Bcc:",
        b"Received:",
        b"Return-Path:",
        b"From:",
        b"\r\n\r\n",
        b"\0",
        b"\xff",
    ],
)
def smtp_headers(data: bytes) -> None:
    """What a submission adds and takes away leaves all other octets of the header as they are."""
    length = header_length(data)
    header = data if length < 0 else data[:length]
    starts_header(header)
    kept = without(header, frozenset({b"bcc"}))
    assert not values(kept, b"bcc")
    assert without(kept, frozenset({b"bcc"})) == kept
    helo = data[:40].decode("utf-8", "ignore")
    made = completed(
        header, "a@b.example", Trace("host.example", helo, "192.0.2.1", "ESMTPSA", "id", _NOW)
    )
    top = made[
        : len(made) - len(without(header, frozenset({b"bcc", b"resent-bcc", b"return-path"})))
    ]
    for line in top.split(b"\r\n")[:-1]:
        assert b"\r" not in line
        assert b"\n" not in line
    assert received_count(made) == received_count(header) + 1 or not header.startswith(
        (b"Received", b"received")
    )
    reply = Reply(550, "5.1.1", helo)
    assert all(len(line) < 512 for line in reply.wire().split(b"\r\n"))


@target(
    [b"A.b+c@X.Example", "ä@ÄÖ.example".encode(), b'"a b"@x.example'],
    [b"@", b".", b'"', b"\\", b"xn--", "ß".encode(), "\u200d".encode()],
)
def mail_addresses(data: bytes) -> None:
    """An address has one form: normalising it again changes nothing."""
    text = data.decode("utf-8", "replace")
    for normalize in (normalize_address, normalize_domain):
        try:
            found = normalize(text)
        except InvalidName:
            continue
        assert normalize(found) == found
        assert not set("\r\n\0 ") & set(found)
        with contextlib.suppress(InvalidName):
            if normalize is normalize_address:
                assert normalize(display_address(found)) == found
