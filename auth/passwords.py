"""Passwords at rest (argon2id) and the rules that a new password has to meet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from passlib.hash import argon2

from folkmoot.auth.saslprep import saslprep
from folkmoot.auth.worst_passwords import WORST_PASSWORDS

# More than anybody types, and little enough that hashing cannot be used to keep a core busy.
MAX_PASSWORD_CHARACTERS = 1024


class PasswordRefused(ValueError):
    """A new password breaks a rule; the text is one sentence for the person who chose it."""


class PasswordHasher:
    """argon2id with given costs (RFC 9106). Slow by intent: call it in a worker thread.

    ``memory_kib`` is the memory of one hash in KiB, ``time_cost`` the number of passes.
    """

    def __init__(self, memory_kib: int = 19_456, time_cost: int = 2, parallelism: int = 1) -> None:
        self._scheme = argon2.using(  # type: ignore[no-untyped-call]
            type="ID", memory_cost=memory_kib, time_cost=time_cost, parallelism=parallelism
        )
        # A hash that no password fits, made with the same costs: checking against it takes as long
        # as checking a real one.
        self._dummy: str = self._scheme.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        """A new hash in PHC form, ``$argon2id$v=19$…``. Raises ``PasswordRefused``."""
        return str(self._scheme.hash(prepare_password(password)))

    def verify(self, password: str, secret: str | None) -> bool:
        """Whether ``password`` fits ``secret``; None costs the same and never fits.

        The effort does not depend on whether there is a secret or whether the password is well
        formed, so that the time of an answer does not tell whether an account exists.
        """
        try:
            prepared = prepare_password(password)
        except PasswordRefused:
            prepared, secret = "", None
        if secret is None or not self._scheme.identify(secret):
            self._scheme.verify(prepared, self._dummy)
            return False
        try:
            return bool(self._scheme.verify(prepared, secret))
        except ValueError:  # a damaged hash fits nothing
            return False

    def needs_update(self, secret: str) -> bool:
        """Whether a hash was made with other costs than the present ones."""
        return not self._scheme.identify(secret) or bool(self._scheme.needs_update(secret))


def prepare_password(password: str) -> str:
    """The form that is hashed: SASLprep, the same for PLAIN and SCRAM (RFC 4616 section 2).

    Raises ``PasswordRefused`` when it is empty, longer than ``MAX_PASSWORD_CHARACTERS`` or holds
    characters that SASLprep prohibits.
    """
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise PasswordRefused(f"A password has at most {MAX_PASSWORD_CHARACTERS} characters.")
    try:
        prepared = saslprep(password)
    except ValueError:
        raise PasswordRefused(
            "The password holds characters that cannot be used, such as control characters."
        ) from None
    if not prepared:
        raise PasswordRefused("The password is empty.")
    return prepared


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a new password must be like. ``min_length`` counts characters."""

    min_length: int = 8

    def check(self, password: str, *, address: str, name: str = "") -> None:
        """Return if the password may be used; raise ``PasswordRefused`` otherwise."""
        prepared = prepare_password(password)
        if len(prepared) < self.min_length:
            raise PasswordRefused(f"A password needs at least {self.min_length} characters.")
        folded = prepared.casefold()
        if folded in self._personal(address, name):
            raise PasswordRefused("The password must not be the address or the name.")
        if folded in WORST_PASSWORDS or len(set(folded)) < 3:
            raise PasswordRefused("This password is one of the first that anybody would try.")

    @staticmethod
    def _personal(address: str, name: str) -> frozenset[str]:
        """The folded words that everybody knows of a person."""
        local, _, domain = address.casefold().rpartition("@")
        folded = name.casefold()
        words = {address.casefold(), local, domain, folded, "".join(folded.split())}
        return frozenset(words | set(folded.split()) | {word[::-1] for word in words})
