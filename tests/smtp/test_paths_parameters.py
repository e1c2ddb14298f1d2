"""Arguments of MAIL and RCPT: what is taken, what is refused, what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.smtp.parameters import (
    MailParameters,
    ParameterError,
    RecipientParameters,
    decode_xtext,
    encode_original,
    encode_xtext,
    mail_parameters,
    recipient_parameters,
)
from folkmoot.protocols.smtp.paths import PathError, ascii_domain, parse_path
from folkmoot.storage.types_mail import Notify, Return


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("<>", "", ""),
        (" <bob@Example.ORG>", "bob@example.org", ""),
        ("<bob@example.org> SIZE=10", "bob@example.org", "SIZE=10"),
        ("bob@example.org SIZE=10", "bob@example.org", "SIZE=10"),
        ("<@a.example,@b.example:bob@example.org>", "bob@example.org", ""),
        ('<"bob"@example.org>', "bob@example.org", ""),
        ('<"b\\"o> b"@example.org>', '"b\\"o> b"@example.org', ""),
        ("<Bob+Lists@example.org.>", "Bob+Lists@example.org", ""),
        ("<postmaster>", "postmaster", ""),
        ("<jürgen@bücher.example>", "jürgen@bücher.example", ""),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]", ""),
    ],
)
def test_paths(text: str, address: str, rest: str) -> None:
    """Real clients' spellings are understood; the domain is compared in lower case."""
    # rfc5321#4.1.2, rfc5321#appendix-C
    assert parse_path(text) == (address, rest)


@pytest.mark.parametrize(
    "text",
    [
        "", "<", "<bob>", "<bob@>", "<@example.org>", "<bob@exa mple.org>", "<bob@example.org>x",
        "<b ob@example.org>", "<bob@-example.org>", "<bob@example..org>", '<"bob@example.org>',
        "<" + "a" * 300 + "@example.org>", "<bob@" + "a." * 200 + "org>", "<a@b>c@d>",
        "<bob@example.org\x00>",
    ],
)  # fmt: skip
def test_wrong_paths(text: str) -> None:
    """What is no path is refused as a whole."""
    with pytest.raises(PathError):
        parse_path(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_path_parser(text: str) -> None:
    """Whatever comes, there is a path or a PathError."""
    try:
        address, _ = parse_path(text)
    except PathError:
        return
    assert "\r" not in address
    assert "\n" not in address


def test_international_domains() -> None:
    """A domain beyond ASCII has a form for DNS, or none. # rfc6531#3.2"""
    assert ascii_domain("Bücher.example") == "xn--bcher-kva.example"
    assert ascii_domain("xn--bcher-kva.example") == "xn--bcher-kva.example"
    assert ascii_domain("a b.例え") is None


def test_mail_parameters() -> None:
    """All parameters of the extensions that are offered, in any case and order."""
    # rfc1870#5, rfc6152#3, rfc6531#3.4, rfc3461#4.3, rfc3461#4.4, rfc4954#5
    text = "size=1000 BODY=8bitmime SMTPUTF8 AUTH=<> ret=hdrs ENVID=QQ+2B314"
    assert mail_parameters(text) == MailParameters(1000, True, "QQ+314", Return.HEADERS)
    assert mail_parameters("") == MailParameters()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SIZE=x", 501), ("SIZE", 501), ("SIZE=-1", 501), ("SIZE=1 SIZE=2", 501), ("BODY=9", 501),
        ("SMTPUTF8=1", 501), ("RET=ALL", 501), ("ENVID=" + "a" * 101, 501), ("ENVID=a+0D", 501),
        ("ENVID=a+zz", 501), ("HOLDFOR=1", 555), ("=1", 501), ("SIZE=" + "9" * 30, 501),
    ],
)  # fmt: skip
def test_wrong_mail_parameters(text: str, code: int) -> None:
    """501 for values, 555 for what is not offered (RFC 5321 section 4.1.1.11)."""
    with pytest.raises(ParameterError) as error:
        mail_parameters(text)
    assert error.value.reply.code == code
    assert error.value.reply.status == "5.5.4"


def test_recipient_parameters() -> None:
    """NOTIFY and ORCPT of RFC 3461, also for addresses beyond ASCII (RFC 6533)."""
    # rfc3461#4.1, rfc3461#4.2, rfc6533#3
    assert recipient_parameters("NOTIFY=success,DELAY ORCPT=rfc822;Bob+40example.org") == (
        RecipientParameters(Notify.SUCCESS | Notify.DELAY, "rfc822;Bob@example.org")
    )
    assert recipient_parameters("NOTIFY=NEVER").notify == Notify.NEVER
    assert recipient_parameters(r"ORCPT=utf-8;j\x{FC}rgen@example.org").original == (
        "utf-8;jürgen@example.org"
    )


@pytest.mark.parametrize(
    "text",
    [
        "NOTIFY=NEVER,FAILURE", "NOTIFY=", "NOTIFY=SOMETIMES", "ORCPT=bob", "ORCPT=rfc822;",
        "ORCPT=rfc822;a+0A", r"ORCPT=utf-8;a\x{0D}\x{0A}RSET", "ORCPT=rfc822;" + "a" * 600,
        r"ORCPT=utf-8;\x{FFFFFF}", "SIZE=1",
    ],
)  # fmt: skip
def test_wrong_recipient_parameters(text: str) -> None:
    """Nothing gets through that would break a report or another command later."""
    with pytest.raises(ParameterError):
        recipient_parameters(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=50))
def test_xtext_round_trip(text: str) -> None:
    """Printable ASCII survives xtext, which has no spaces, "+" or "=" of its own. # rfc3461#4"""
    encoded = encode_xtext(text)
    assert decode_xtext(encoded, "ENVID") == text
    assert " " not in encoded
    assert "=" not in encoded


def test_original_recipient_round_trip() -> None:
    """What is handed on to the next hop is understood there as it was here. # rfc3461#4.2"""
    for original in ("rfc822;a+b=c@example.org", "utf-8;jürgen@bücher.example"):
        assert recipient_parameters(f"ORCPT={encode_original(original)}").original == original
