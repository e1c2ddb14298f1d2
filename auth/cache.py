"""Remembers for some minutes that a password was right, so that not each request hashes it again.

Only a keyed hash is kept, under a key that never leaves the process; it covers the account, its
epoch and the stored secret itself, so a changed or revoked password is forgotten at once.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable

from folkmoot.storage.types import Credential


class VerifiedCache:
    """Passwords verified within the last ``lifetime`` seconds, at most ``size`` of them."""

    def __init__(
        self, clock: Callable[[], float], lifetime: float = 600.0, size: int = 10_000
    ) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._size = size
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def remember(self, account_id: int, epoch: int, credential: Credential, password: str) -> None:
        """Note that ``password`` was verified against ``credential`` just now."""
        digest = self._digest(account_id, epoch, credential, password)
        self._until[digest] = self._clock() + self._lifetime
        self._until.move_to_end(digest)
        if len(self._until) > self._size:
            self._until.popitem(last=False)

    def knows(self, account_id: int, epoch: int, credential: Credential, password: str) -> bool:
        """Whether ``password`` was verified against ``credential`` within the lifetime."""
        digest = self._digest(account_id, epoch, credential, password)
        until = self._until.get(digest)
        if until is None:
            return False
        if until <= self._clock():
            del self._until[digest]
            return False
        return True

    def _digest(self, account_id: int, epoch: int, credential: Credential, password: str) -> bytes:
        parts = (str(account_id), str(epoch), str(credential.app_password_id), credential.secret)
        text = "\0".join((*parts, password)).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")
