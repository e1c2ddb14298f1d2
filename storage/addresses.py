"""One form for domains and addresses, so that they can be compared as plain strings.

A domain is kept as lower-case A-labels (``xn--…``): the form of DNS, MX lookups and DKIM. The
local part is kept case-folded and NFC-normalised; with SMTPUTF8 it may be any Unicode text
(RFC 6531 section 3.3). People may write either form; ``display_address`` gives the readable one.
"""

from __future__ import annotations

import re
import unicodedata

import idna

from folkmoot.storage.errors import InvalidName

MAX_LOCAL_OCTETS = 64  # rfc5321#4.5.3.1.1
MAX_DOMAIN_OCTETS = 253  # rfc5321#4.5.3.1.2 allows 255 with the root dot and length octets of DNS

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ATEXT = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]")


def normalize_domain(text: str) -> str:
    """The comparable form of a domain: lower-case A-labels, no dot at the end.

    Raises ``InvalidName`` for what is not a host name (RFC 5321 section 2.3.5), literals included.
    """
    name = text.strip().removesuffix(".")
    if not name or len(name) > MAX_DOMAIN_OCTETS:
        raise InvalidName("This is not a domain name.")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise InvalidName("This is not a domain name.") from None
    name = name.lower()
    labels = name.split(".")
    if len(name) > MAX_DOMAIN_OCTETS or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidName("This is not a domain name.")
    return name


def normalize_local_part(text: str) -> str:
    """The comparable form of a local part: unquoted, case-folded, NFC.

    Raises ``InvalidName`` unless it is a dot-string of RFC 5321 section 4.1.2 (with the additions
    of RFC 6531 section 3.3) once its quotes are taken off.
    """
    if len(text) > 2 * MAX_LOCAL_OCTETS + 2:
        raise InvalidName("The part before the @ is too long.")
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    if len(folded.encode("utf-8", "replace")) > MAX_LOCAL_OCTETS:
        raise InvalidName("The part before the @ is too long.")
    if not all(atom and all(map(_is_atom_character, atom)) for atom in folded.split(".")):
        raise InvalidName("This is not an e-mail address.")
    return folded


def _is_atom_character(character: str) -> bool:
    if character.isascii():
        return _ATEXT.fullmatch(character) is not None
    # Letters, marks, numbers, punctuation and symbols; no spaces, controls or surrogates.
    return unicodedata.category(character)[0] in "LMNPS"


def normalize_address(text: str) -> str:
    """The comparable form of ``local@domain``. Raises ``InvalidName``."""
    local, at, domain = text.strip().rpartition("@")
    if not at:
        raise InvalidName("This is not an e-mail address.")
    return f"{normalize_local_part(local)}@{normalize_domain(domain)}"


def split_address(address: str) -> tuple[str, str]:
    """Local part and domain of a normalised address."""
    local, _, domain = address.rpartition("@")
    return local, domain


def display_domain(domain: str) -> str:
    """A domain as people write it: A-labels become Unicode."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def display_address(address: str) -> str:
    """An address as people write it."""
    local, domain = split_address(address)
    return f"{local}@{display_domain(domain)}"
