"""Time-based one-time passwords, the second factor of support agents (RFC 6238).

SHA-1, 30 seconds, six digits: what every authenticator program can do.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Final
from urllib.parse import quote

STEP: Final = 30  # seconds
DIGITS: Final = 6
#: Steps before and after the present one that are good too: clocks differ. # rfc6238#5.2
WINDOW: Final = 1
_SECRET_OCTETS = 20  # 160 bits, as RFC 4226 recommends


def new_secret() -> str:
    """A new secret in base 32, as authenticator programs take it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_OCTETS)).decode()


def is_secret(text: str) -> bool:
    """Whether a text is a secret in base 32 of at least 80 bits."""
    try:
        return len(_octets(text)) >= 10
    except (binascii.Error, ValueError):
        return False


def secret_uri(secret: str, address: str, issuer: str) -> str:
    """What a program reads from a QR code: ``otpauth://totp/…``."""
    label = quote(f"{issuer}:{address}", safe="")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer, safe='')}"


def code_at(secret: str, step: int) -> str:
    """The code of a time step. # rfc4226#5.3"""
    digest = hmac.digest(_octets(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: str, code: str, now: float) -> int | None:
    """The time step whose code this is, near a moment (seconds); None for a wrong one."""
    digits = code.replace(" ", "")
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    present = int(now) // STEP
    for step in range(present - WINDOW, present + WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step), digits):
            return step
    return None


def _octets(secret: str) -> bytes:
    text = secret.replace(" ", "").upper()
    return base64.b32decode(text + "=" * (-len(text) % 8))
