"""Compares a password with the secrets of an account, with the same effort for any account."""

from __future__ import annotations

from folkmoot.auth import app_passwords
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.storage.types import AccountState, Credential, LoginRecord


class Verifier:
    """The two hashers in use: ``main`` for what people choose, ``light`` for app passwords."""

    def __init__(self, main: PasswordHasher, light: PasswordHasher) -> None:
        self.main = main
        self.light = light

    def find(
        self, record: LoginRecord | None, password: str, *, app_only: bool = False
    ) -> Credential | None:
        """The credential that ``password`` fits. Slow: call it in a worker thread.

        A failure does the same hashes for every account, and for no account (``record`` None):
        one with the main costs, and ``MAX_APP_PASSWORDS`` light ones when the text has the form of
        an app password. ``app_only`` leaves the main password out.
        """
        bare = app_passwords.canonical(password)
        if bare is not None:
            padded: list[Credential | None] = [*_app_credentials(record)]
            padded += [None] * (app_passwords.MAX_APP_PASSWORDS - len(padded))
            for credential in padded:
                if self.light.verify(bare, credential.secret if credential else None):
                    return credential
        if app_only:
            return None
        main = main_credential(record)
        return main if self.main.verify(password, main.secret if main else None) else None


def main_credential(record: LoginRecord | None) -> Credential | None:
    """The main password of an account, if there is one."""
    credentials = record.credentials if record else ()
    return next((c for c in credentials if not c.app_password_id), None)


def _app_credentials(record: LoginRecord | None) -> list[Credential]:
    credentials = record.credentials if record else ()
    return [c for c in credentials if c.app_password_id][: app_passwords.MAX_APP_PASSWORDS]


def usable(record: LoginRecord, credential: Credential, protocol: str) -> bool:
    """Whether a right secret opens the account for this protocol."""
    if record.account.state is not AccountState.ACTIVE:
        return False
    return not credential.protocols or protocol in credential.protocols
