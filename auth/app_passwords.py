"""App passwords: generated secrets for one device each, limited to some protocols.

Four groups of five characters out of 31 hold 99 bits. Nobody guesses that, stolen hash or not, so
they are hashed with the smallest argon2id costs: the cost of a hash buys time only where a secret
can be guessed. That makes it affordable to compare against every app password of an account.
"""

from __future__ import annotations

import re
import secrets

from folkmoot.auth.passwords import PasswordHasher

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without i, l, o, 0, 1
GROUPS = 4
GROUP_LENGTH = 5
MAX_APP_PASSWORDS = 25  # of one account

_SHAPE = re.compile(f"[{ALPHABET}]{{{GROUPS * GROUP_LENGTH}}}")


def generate() -> str:
    """A new app password as it is shown once, ``abcde-fghjk-mnpqr-stuvw``."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def canonical(text: str) -> str | None:
    """The hashed form of what was typed: lower case, no dashes or spaces; None for other text."""
    if len(text) > 2 * GROUPS * GROUP_LENGTH:
        return None
    bare = re.sub(r"[\s-]", "", text).lower()
    return bare if _SHAPE.fullmatch(bare) else None


def light_hasher() -> PasswordHasher:
    """The hasher for app passwords (see the head of this module for its costs)."""
    return PasswordHasher(memory_kib=8, time_cost=1, parallelism=1)
