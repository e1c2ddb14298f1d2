"""ENVELOPE, BODY and BODYSTRUCTURE of messages that are hard to print."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest

from folkmoot.storage.content.sections import PartKind, PartText
from folkmoot.storage.content.source import BytesSource, FileSource
from folkmoot.storage.content.wireforms import nstring, string
from tests.storage.mime_kit import check_index, index, read_form

_A = b'((NIL NIL "a" "b.c"))'


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b"", b'""'),
        (b"plain", b'"plain"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"\xc3\xa4", b"{2}\r\n\xc3\xa4"),
        (b"a\0b", b"{2}\r\nab"),
        (b"a\rb", b"{3}\r\na\rb"),
        (b"a\tb\x01", b'"a\tb\x01"'),
        (b"x" * 1001, b"{1001}\r\n" + b"x" * 1001),
        (b'"' * 1000, b'"' + b'\\"' * 1000 + b'"'),
    ],
)
def test_strings(value: bytes, form: bytes) -> None:
    """Each value goes out in a form that any version of IMAP can read. # rfc9051#4.3"""
    assert string(value) == form
    assert nstring(value) == form
    assert nstring(None) == b"NIL"


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (b"", b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
        (b"Subject:\r\nDate: \r\n", b'("" "" NIL NIL NIL NIL NIL NIL NIL NIL)'),
        (
            b"From: a@b.c\r\n",
            b"(NIL NIL " + _A + b" " + _A + b" " + _A + b" NIL NIL NIL NIL NIL)",
        ),
        (
            b"From: a@b.c\r\nSender: \r\nReply-To: d@e.f\r\n",
            b"(NIL NIL " + _A + b" " + _A + b' ((NIL NIL "d" "e.f")) NIL NIL NIL NIL NIL)',
        ),
        (
            b"SUBJECT : a\r\n  b\r\n\tc  \r\n",
            b'(NIL "a b c" NIL NIL NIL NIL NIL NIL NIL NIL)',
        ),
        (
            b"Subject: put before it\r\nSubject: signed\rby DKIM\r\n",
            b'(NIL "signed by DKIM" NIL NIL NIL NIL NIL NIL NIL NIL)',
        ),
        (
            b"To: a@b.c\r\nTo: d@e.f\r\n",
            b'(NIL NIL NIL NIL NIL ((NIL NIL "a" "b.c")(NIL NIL "d" "e.f")) NIL NIL NIL NIL)',
        ),
        (
            b"To: friends: a@b.c, d;\r\nCc: undisclosed-recipients:;\r\n",
            b'(NIL NIL NIL NIL NIL ((NIL NIL "friends" NIL)(NIL NIL "a" "b.c")'
            b'(NIL NIL "d" "MISSING_DOMAIN")(NIL NIL NIL NIL)) '
            b'((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)',
        ),
        (
            b"Bcc: <>\r\nIn-Reply-To: <a@b>\r\n <c@d>\r\nMessage-ID: <e@f>\r\n",
            b'(NIL NIL NIL NIL NIL NIL NIL ((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) '
            b'"<a@b> <c@d>" "<e@f>")',
        ),
        (
            b"Subject: \xe4\x00\r\nFrom: \xc3\xa4 <a@b.c>\r\n",
            b"(NIL {1}\r\n\xe4 "
            + b" ".join([b'(({2}\r\n\xc3\xa4 NIL "a" "b.c"))'] * 3)
            + b" NIL NIL NIL NIL NIL)",
        ),
        (b"Subject\r\n continued: x\r\n", b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
    ],
)
@pytest.mark.parametrize("eol", [b"\r\n", b"\n"])
def test_envelopes(header: bytes, form: bytes, eol: bytes) -> None:
    """The envelope has what RFC 9051 section 7.5.2 asks, with either line end."""
    found = index((header + b"\r\nbody").replace(b"\r\n", eol))
    assert found.envelope == form


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'),
        (
            b"\r\na\r\nb",
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1 NIL NIL NIL NIL)',
        ),
        (
            b"Content-Type: garbage\r\n\r\n",
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)',
        ),
        (
            b"Content-Type: TEXT/Html; Format=flowed; charset*=''utf-8\r\n\r\n",
            b'("TEXT" "Html" ("Format" "flowed" "charset*" "\'\'utf-8") NIL NIL "7bit" 0 0 '
            b"NIL NIL NIL NIL)",
        ),
        (
            b"Content-Type: image/png; name=My File (1).png ; x\r\nContent-ID: <i>\r\n"
            b"Content-Description: d\r\nContent-Transfer-Encoding: BASE64\r\n"
            b'Content-Disposition: attachment; filename="a\\"b.png"; size=3\r\n'
            b"Content-Language: en, de\r\nContent-Location: l\r\nContent-MD5: m\r\n\r\nAAAA",
            b'("image" "png" ("name" "My File (1).png") "<i>" "d" "BASE64" 4 "m" '
            b'("attachment" ("filename" "a\\"b.png" "size" "3")) ("en" "de") "l")',
        ),
        (
            b"Content-Type: a/b; name*0*=utf-8''%c3; name*1=\"a b\"; name*2*=%a4; y=z\r\n"
            b'Content-Disposition: inline; filename*1="b"; filename*0="a"\r\n\r\n',
            b'("a" "b" ("name*" "utf-8\'\'%c3a%20b%a4" "y" "z") NIL NIL "7bit" 0 NIL '
            b'("inline" ("filename" "ab")) NIL NIL)',
        ),
        (
            b'Content-Type: a/b; name*0="a b"; name*1*=%41\r\n\r\n',
            b'("a" "b" ("name*" "\'\'a%20b%41") NIL NIL "7bit" 0 NIL NIL NIL NIL)',
        ),
        (
            b"Content-Type: a/b; name*1=x; name*3=y\r\nContent-Disposition: ;x=y\r\n\r\n",
            b'("a" "b" ("name*1" "x" "name*3" "y") NIL NIL "7bit" 0 NIL ("" ("x" "y")) NIL NIL)',
        ),
        (
            b'Content-Type: (a) text (b(c)) / html ; charset (d) = "(e)" (f)\r\n'
            b"Content-Transfer-Encoding: (really) 8bit (\\) yes)\r\nContent-Disposition:\r\n"
            b"Content-Language: en,, de;q=1, (x) fr, not a tag\r\n\r\n",
            b'("text" "html" ("charset" "(e)") NIL NIL "8bit" 0 0 NIL ("" NIL) ("en" "de" "fr") '
            b"NIL)",
        ),
        (
            b"Content-Transfer-Encoding: 8 bit\r\n\r\n",
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)',
        ),
        (
            b'Content-Transfer-Encoding: "base64"; x\r\n\r\n',
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "base64" 0 0 NIL NIL NIL NIL)',
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b",
            b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) '
            b'"mixed" ("boundary" "b") NIL NIL NIL)',
        ),
        (
            b"Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
            b'("message" "rfc822" NIL NIL NIL "7bit" 17 '
            b'(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL) '
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1 NIL NIL NIL NIL) '
            b"3 NIL NIL NIL NIL)",
        ),
        (
            b"Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
            b'("message" "global" NIL NIL NIL "base64" 6 '
            b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) '
            b"1 NIL NIL NIL NIL)",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en\r\n\r\n",
            b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) '
            b'"mixed" ("boundary" "b") NIL ("en") NIL)',
        ),
        (
            b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\nx\n--b--",
            b'(("message" "rfc822" NIL NIL NIL "7bit" 13 '
            b'(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL) '
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) '
            b'2 NIL NIL NIL NIL) "digest" ("boundary" "b") NIL NIL NIL)',
        ),
    ],
)
def test_structures(data: bytes, form: bytes) -> None:
    """BODYSTRUCTURE is as RFC 9051 section 7.5.2 defines it, defaults included."""
    found = index(data)
    assert found.bodystructure == form
    check_index(data, found)


def test_body_has_no_extension_data() -> None:
    """BODY is the structure without what only BODYSTRUCTURE may send."""
    data = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: inline\n\nx\n"
        b"--b\nContent-Type: message/rfc822\n\n\ny\n--b--"
    )
    assert read_form(index(data).body) == [
        [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit", 1, 0],
        [
            *(b"message", b"rfc822", None, None, None, b"7bit", 2, [None] * 10),
            [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit", 1, 0],
            1,
        ],
        b"mixed",
    ]


def _samples() -> list[Path]:
    test_email = pytest.importorskip("test.test_email")
    folder = Path(test_email.__path__[0]) / "data"
    return sorted(path for path in folder.iterdir() if path.suffix in (".txt", ".eml"))


def test_sample_messages(tmp_path: Path) -> None:
    """Python's own message files index the same from a file and memory, with either line end."""
    samples = _samples()
    assert len(samples) > 40
    for path in samples:
        original = path.read_bytes()
        for data in (original, original.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
            copy = tmp_path / path.name
            copy.write_bytes(data)
            found = index(data)
            check_index(data, found)
            with FileSource(copy) as source:
                extent = found.parts.locate((), PartText.ALL)
                assert extent is not None
                assert source.read(*extent) == data


def test_sample_envelopes_agree_with_the_email_package() -> None:
    """Subject, Date and Message-ID of the sample messages are those of another parser."""
    compared = 0
    for path in _samples():
        data = path.read_bytes()
        form = read_form(index(data).envelope)
        parsed = email.message_from_bytes(data, policy=email.policy.compat32)
        for at, name in ((0, "Date"), (1, "Subject"), (9, "Message-ID")):
            value = parsed.get(name)
            if isinstance(value, str) and value.isascii():
                assert (form[at] or b"").decode().split() == value.split(), path.name
                compared += 1
    assert compared > 60


def test_sample_parts_agree_with_the_email_package() -> None:
    """Single parts of well-formed sample messages have the octets that another parser gives."""
    compared = 0
    for path in _samples():
        data = path.read_bytes().replace(b"\r\n", b"\n")
        table = index(data).parts
        parsed = email.message_from_bytes(data, policy=email.policy.compat32)
        theirs = [part for part in parsed.walk() if not part.is_multipart()]
        ours = [part for part in table.parts if part.kind in (PartKind.TEXT, PartKind.OTHER)]
        if path.name == "msg_37.txt":
            # Delimiters one after the other: empty parts here, none in the email package.
            continue
        if parsed.defects or any(part.defects for part in parsed.walk()):
            continue
        if any(
            part.get_content_maintype() == "message" and part.get_content_type() != "message/rfc822"
            for part in parsed.walk()
        ):
            # The email package takes apart what IMAP does not.
            continue
        assert len(theirs) == len(ours), path.name
        for part, their in zip(ours, theirs, strict=True):
            payload = their.get_payload()
            assert isinstance(payload, str)
            octets = BytesSource(data).read(*part.body)
            assert octets == payload.encode("ascii", "surrogateescape"), path.name
            compared += 1
    assert compared > 40
