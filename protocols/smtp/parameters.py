"""Parameters of MAIL and RCPT: SIZE, BODY, SMTPUTF8, AUTH, RET, ENVID, NOTIFY, ORCPT."""

from __future__ import annotations

import re
from dataclasses import dataclass

from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.storage.types_mail import Notify, Return

# rfc3461#4.2, rfc3461#4.4
ENVID_LIMIT = 100
ORCPT_LIMIT = 500

_WITH_VALUE = frozenset({"SIZE", "BODY", "RET", "ENVID", "AUTH", "NOTIFY", "ORCPT"})
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*\Z")
_HEX = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT = re.compile(r"\\x\{([0-9A-F]{1,6})\}")


class ParameterError(ValueError):
    """A parameter cannot be accepted; ``reply`` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What MAIL said beside the sender; ``size`` is None when it was not declared."""

    size: int | None = None
    utf8: bool = False
    envelope_id: str = ""
    returns: Return = Return.UNSAID


@dataclass(frozen=True, slots=True)
class RecipientParameters:
    """What RCPT said beside the recipient."""

    notify: Notify = Notify.UNSAID
    original: str = ""


def mail_parameters(text: str) -> MailParameters:
    """Parse the parameters of MAIL. Raises ParameterError."""
    values = _split(text)
    size = values.pop("SIZE", None)
    body = (values.pop("BODY", None) or "7BIT").upper()
    returns = (values.pop("RET", None) or "").upper()
    envelope_id = values.pop("ENVID", None)
    utf8 = "SMTPUTF8" in values
    # rfc6531#3.4: SMTPUTF8 has no value
    if values.pop("SMTPUTF8", None) is not None:
        raise _wrong("SMTPUTF8")
    # rfc4954#5: whom the client vouches for is of no use here, and is dropped.
    values.pop("AUTH", None)
    if values:
        raise ParameterError(replies.UNKNOWN_PARAMETER)
    if size is not None and not (size.isascii() and size.isdigit() and len(size) <= 20):
        raise _wrong("SIZE")
    if body not in ("7BIT", "8BITMIME"):
        raise _wrong("BODY")
    if returns not in ("", "FULL", "HDRS"):
        raise _wrong("RET")
    if envelope_id is not None and not 0 < len(envelope_id) <= ENVID_LIMIT:
        raise _wrong("ENVID")
    return MailParameters(
        size=int(size) if size is not None else None,
        utf8=utf8,
        envelope_id=decode_xtext(envelope_id, "ENVID") if envelope_id else "",
        returns=Return(returns),
    )


def recipient_parameters(text: str) -> RecipientParameters:
    """Parse the parameters of RCPT. Raises ParameterError."""
    values = _split(text)
    notify = values.pop("NOTIFY", None)
    original = values.pop("ORCPT", None)
    if values:
        raise ParameterError(replies.UNKNOWN_PARAMETER)
    return RecipientParameters(
        notify=_notify(notify) if notify is not None else Notify.UNSAID,
        original=_original(original) if original is not None else "",
    )


def _split(text: str) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for parameter in text.split():
        name, equals, value = parameter.partition("=")
        name = name.upper()
        if not _KEYWORD.match(name) or name in values or (equals and not value):
            raise ParameterError(replies.BAD_PARAMETER)
        if not equals and name in _WITH_VALUE:
            raise _wrong(name)
        values[name] = value if equals else None
    return values


def _wrong(name: str) -> ParameterError:
    return ParameterError(replies.BAD_PARAMETER.with_text(f"The value of {name} is not valid"))


def _notify(value: str) -> Notify:
    # rfc3461#4.1: NEVER stands alone
    found = Notify.UNSAID
    for word in value.upper().split(","):
        if word not in ("SUCCESS", "FAILURE", "DELAY", "NEVER"):
            raise _wrong("NOTIFY")
        found |= Notify[word]
    if Notify.NEVER in found and found != Notify.NEVER:
        raise _wrong("NOTIFY")
    return found


def _original(value: str) -> str:
    kind, semicolon, address = value.partition(";")
    if not semicolon or not _KEYWORD.match(kind) or not address or len(value) > ORCPT_LIMIT:
        raise _wrong("ORCPT")
    if kind.lower() != "utf-8":
        return f"{kind};{decode_xtext(address, 'ORCPT')}"
    # rfc6533#3: utf-8 addresses come as themselves or with \x{hex} inside the text
    try:
        text = _UNITEXT.sub(lambda found: chr(int(found.group(1), 16)), address)
    except (ValueError, OverflowError):
        raise _wrong("ORCPT") from None
    # Surrogates count as unprintable too.
    if not text.isprintable():
        raise _wrong("ORCPT")
    return f"{kind};{text}"


def decode_xtext(value: str, name: str) -> str:
    """Return the text of RFC 3461 section 4 xtext. Raises ParameterError that names ``name``."""
    if not _XTEXT.match(value):
        raise _wrong(name)
    text = _HEX.sub(lambda found: chr(int(found.group(1), 16)), value)
    # Anything else would break out of the report or the command that carries it on.
    if any(not " " <= character <= "~" for character in text):
        raise _wrong(name)
    return text


def encode_xtext(text: str) -> str:
    """Return printable ASCII as xtext (RFC 3461 section 4)."""
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in text
    )


def encode_original(original: str) -> str:
    """Return ``kind;address`` as the value of ORCPT, for a peer that may not know SMTPUTF8."""
    kind, _, address = original.partition(";")
    if kind.lower() != "utf-8":
        return f"{kind};{encode_xtext(address)}"
    # rfc6533#3: utf-8-addr-xtext
    return f"{kind};" + "".join(
        character if "!" <= character <= "~" and character not in "+=\\" else _embedded(character)
        for character in address
    )


def _embedded(character: str) -> str:
    return f"\\x{{{ord(character):02X}}}"
