"""How an agent of support says in whose account it wants to be, and with what key."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

from folkmoot.auth.login_name import normalize_login_name

# A domain has no asterisk, so the first one behind an @ ends the account. # M7.9
_NAMED = re.compile(r"([^@]+@[^@*]+)\*([^@]+@[^@]+)")
_LONGEST: Final = 700
_KEY = re.compile(r"fs-[A-Za-z0-9_-]{32}")


def split_name(text: str) -> tuple[str, str] | None:
    """The account and the agent in ``account*agent``; None for names of another form."""
    if len(text) > _LONGEST or "*" not in text:
        return None
    match = _NAMED.fullmatch(text.strip().replace("%40", "@"))
    if match is None:
        return None
    account, agent = normalize_login_name(match[1]), normalize_login_name(match[2])
    return (account, agent) if account and agent else None


def new_key() -> str:
    """A new key of a session, shown once: 192 bits."""
    return f"fs-{secrets.token_urlsafe(24)}"


def key_hash(key: str) -> str:
    """The form in which a key is kept; "" for what has not the form of one.

    Nobody guesses 192 bits, so a fast hash does.
    """
    bare = key.strip()
    return hashlib.sha256(bare.encode()).hexdigest() if _KEY.fullmatch(bare) else ""


def make_token(secret: bytes, request_id: int, account_id: int, expires: int) -> str:
    """What an activation link ends with: the number of the request, chance, and a signature."""
    chance = secrets.token_urlsafe(16)
    return f"{request_id}.{chance}.{_sign(secret, request_id, chance, account_id, expires)}"


def token_number(token: str) -> int:
    """The number of the request that a token names; 0 for what is no token."""
    match = re.fullmatch(r"([1-9][0-9]{0,17})\.[A-Za-z0-9_-]{22}\.[0-9a-f]{64}", token)
    return int(match[1]) if match is not None else 0


def is_signed(secret: bytes, token: str, account_id: int, expires: int) -> bool:
    """Whether a token was made here, for this account, and ends then."""
    number = token_number(token)
    if not number:
        return False
    _, chance, signature = token.split(".")
    return hmac.compare_digest(signature, _sign(secret, number, chance, account_id, expires))


def token_hash(token: str) -> str:
    """The form in which a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _sign(secret: bytes, number: int, chance: str, account_id: int, expires: int) -> str:
    text = f"support-link\0{number}\0{chance}\0{account_id}\0{expires}"
    return hmac.digest(secret, text.encode(), "sha256").hex()
