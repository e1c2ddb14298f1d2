"""Maps errors to HTTP statuses: one table for those of the store, proven total by a test."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from folkmoot.protocols.http.target import BadTarget, OtherHost
from folkmoot.storage import errors

CHALLENGE = 'Basic realm="Folkmoot", charset="UTF-8"'  # rfc7617#2.1
RETRY_SECONDS = 30

# rfc9110#15, rfc4918#11 for 507
STATUSES: dict[type[errors.StorageError], int] = {
    errors.StorageError: 500,
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.PermissionDenied: 403,
    errors.NotInPlan: 403,
    errors.ExportRefused: 403,
    errors.OverQuota: 507,
    errors.TooLarge: 413,
    errors.LimitReached: 507,
    errors.InvalidName: 403,
    errors.InvalidContent: 403,
    errors.RuleBroken: 403,
    errors.Conflict: 409,
    errors.MissingParent: 409,
    errors.PreconditionFailed: 412,
    errors.LockedByOther: 423,
    errors.LogTrimmed: 403,  # rfc6578#3.2, with valid-sync-token
    errors.HasChildren: 409,
    errors.Unchangeable: 403,
    errors.AuthenticationFailed: 401,
    # Not 429 (RFC 6585 section 4): Thunderbird switches a calendar off after any 4xx but 401.
    errors.Throttled: 503,
    errors.Expired: 401,
    errors.Unavailable: 503,
    errors.ShuttingDown: 503,
}


class Refused(Exception):
    """An answer other than success, decided above the store: a status and one clear sentence."""

    def __init__(self, status: int, text: str = "", fields: Iterable[tuple[str, str]] = ()) -> None:
        self.status = status
        self.text = text or HTTPStatus(status).description or HTTPStatus(status).phrase
        self.fields = tuple(fields)
        super().__init__(f"{status} {self.text}")


def status_of(error: errors.StorageError) -> int:
    """The status for an error, found by its class or the nearest one above it."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def fields_of(status: int) -> tuple[tuple[str, str], ...]:
    """The fields that must come with a status: a challenge, or when to try again."""
    if status == 401:
        return (("WWW-Authenticate", CHALLENGE),)
    if status == 503:
        return (("Retry-After", str(RETRY_SECONDS)),)
    return ()


def refusal(error: Exception) -> Refused | None:
    """The answer to an error that is known here; None for others, whose text stays in the log."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, errors.StorageError):
        status = status_of(error)
        return Refused(status, error.text, fields_of(status))
    if isinstance(error, BadTarget):
        return Refused(400, "This is not a path that anything here can have.")
    if isinstance(error, OtherHost):
        return Refused(502, "The destination is on another server.")
    return None
