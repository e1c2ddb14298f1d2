"""Reverse and forward paths of MAIL and RCPT, and the addresses in them."""

from __future__ import annotations

import re

import idna

# rfc5321#4.5.3.1 asks to accept 64, 255 and 256 at least; long local parts are common (VERP).
LOCAL_PART_LIMIT = 256
DOMAIN_LIMIT = 255

_ROUTE = re.compile(r"@[^:<>\"]*:")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u0080-\U0010ffff]+\Z")
_QUOTED = re.compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"\Z')
_LABEL = re.compile(r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\-\u0080-\U0010ffff]{0,62})\Z")
_LITERAL = re.compile(r"\[[A-Za-z0-9:.\-]{1,100}\]\Z")
_ESCAPE = re.compile(r"\\(.)")


class PathError(ValueError):
    """The argument of MAIL or RCPT is not a path."""


def parse_path(text: str) -> tuple[str, str]:
    """Return (address, the rest of the line) of ``<address> rest``; address is "" for ``<>``.

    White space before ``<`` is accepted (Outlook sends it), as is a missing pair of brackets.
    A source route is dropped, and quotes around a local part that needs none.
    Raises PathError.
    """
    text = text.lstrip(" \t")
    if text.startswith("<"):
        end = _closing_bracket(text)
        path, rest = text[1:end], text[end + 1 :]
        if rest and rest[0] not in " \t":
            raise PathError("text after the path")
    else:
        path, _, rest = text.partition(" ")
        if not path:
            raise PathError("no path")
    # rfc5321#appendix-C: source routes are accepted and ignored.
    if path.startswith("@"):
        path = _ROUTE.sub("", path, count=1)
    path = path.strip(" \t")
    return (normal_address(path) if path else ""), rest.strip(" \t")


def _closing_bracket(text: str) -> int:
    quoted = False
    at = 1
    while at < len(text):
        character = text[at]
        if quoted and character == "\\":
            at += 1
        elif character == '"':
            quoted = not quoted
        elif character == ">" and not quoted:
            return at
        at += 1
    raise PathError("no closing bracket")


def split_address(address: str) -> tuple[str, str]:
    """Return (local part, domain); the domain is "" when there is no ``@``."""
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else (domain, "")


def normal_address(address: str) -> str:
    """Return the address with its domain in lower case and without needless quotes.

    A bare ``postmaster`` needs no domain (RFC 5321 section 4.5.1). Raises PathError.
    """
    local, domain = split_address(address)
    if not domain:
        if local.lower() == "postmaster":
            return local
        raise PathError("no domain")
    return f"{_normal_local(local)}@{_normal_domain(domain)}"


def _normal_local(local: str) -> str:
    if not local or len(local.encode()) > LOCAL_PART_LIMIT:
        raise PathError("local part empty or too long")
    if _ATOMS.match(local):
        return local
    quoted = _QUOTED.match(local)
    if quoted is None:
        raise PathError("bad local part")
    inner = _ESCAPE.sub(r"\1", quoted.group(1))
    return inner if _ATOMS.match(inner) else local


def _normal_domain(domain: str) -> str:
    if is_literal(domain):
        return domain
    domain = domain.removesuffix(".")
    if len(domain.encode()) > DOMAIN_LIMIT or not all(map(_LABEL.match, domain.split("."))):
        raise PathError("bad domain")
    return domain.lower()


def is_literal(domain: str) -> bool:
    """Return whether this is an address literal such as ``[192.0.2.1]``. # rfc5321#4.1.3"""
    return _LITERAL.match(domain) is not None


def ascii_domain(domain: str) -> str | None:
    """Return the domain in the ASCII form of IDNA, or None when there is none. # rfc6531#3.2"""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True, transitional=False).decode("ascii")
    except UnicodeError:
        return None
