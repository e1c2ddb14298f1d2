"""What a program has to know to use an account. Nothing in it depends on who asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from folkmoot.protocols.http.errors import Refused

_MAX_FIELDS: Final = 20
_MAX_ADDRESS: Final = 254  # octets of an address in a command. # rfc5321#4.5.3.1.3
# Without what XML cannot hold, in which answers and profiles are written.
_LOCAL = re.compile(r"[^\s@<>\"\\,;:()\[\]\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]{1,64}")
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[^\W_](?:[\w-]{0,61}[^\W_])?(?:\.[^\W_](?:[\w-]{0,61}[^\W_])?)*"
)


class Encryption(StrEnum):
    """How a connection is protected."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is read, or sent."""

    host: str
    port: int
    encryption: Encryption


@dataclass(frozen=True, slots=True)
class Services:
    """What there is for everybody. The login is always the address.

    ``name`` is for people. ``base_url`` is where calendars, contacts and documents are, without a
    slash at the end. ``imap`` and ``submission`` have the best first, and may be empty.
    """

    name: str
    base_url: str
    imap: tuple[MailServer, ...]
    submission: tuple[MailServer, ...]

    @property
    def host(self) -> str:
        """The host of the address, without its port."""
        return urlsplit(self.base_url).hostname or ""


def address_of(text: str) -> str | None:
    """An address that could have an account, as it was written; None for anything else."""
    address = text.strip()
    local, _, domain = address.rpartition("@")
    if len(address.encode("utf-8", "replace")) > _MAX_ADDRESS or not _LOCAL.fullmatch(local):
        return None
    return address if domain_of(domain) is not None else None


def domain_of(text: str) -> str | None:
    """A domain in lower case; None for what is none."""
    return text.lower() if _DOMAIN.fullmatch(text) else None


def fields_of_query(query: str) -> dict[str, str]:
    """The first of each field of a query, by its name in lower case. Raises ``Refused`` (400)."""
    try:
        pairs = parse_qsl(query, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, "The query is not understood.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name.lower(), value)
    return fields
