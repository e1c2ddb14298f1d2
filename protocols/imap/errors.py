"""Maps the store's errors to IMAP responses: one table, proven total by a test."""

from __future__ import annotations

from folkmoot.protocols.imap.registry import Reply
from folkmoot.storage import errors

# rfc9051#7.1 for the codes, rfc9208#4.3.1 for OVERQUOTA.
CODES: dict[type[errors.StorageError], str | None] = {
    errors.StorageError: None,
    errors.NotFound: "NONEXISTENT",
    errors.AlreadyExists: "ALREADYEXISTS",
    errors.PermissionDenied: "NOPERM",
    errors.NotInPlan: "CONTACTADMIN",  # rfc5530#3
    errors.ExportRefused: "NOPERM",
    errors.OverQuota: "OVERQUOTA",
    errors.TooLarge: "TOOBIG",
    errors.LimitReached: "LIMIT",
    errors.InvalidName: "CANNOT",
    errors.InvalidContent: "CANNOT",
    errors.RuleBroken: "CANNOT",
    errors.Conflict: None,
    errors.MissingParent: "NONEXISTENT",
    errors.PreconditionFailed: None,
    errors.LockedByOther: "INUSE",
    errors.LogTrimmed: None,
    errors.HasChildren: "HASCHILDREN",
    errors.Unchangeable: "CANNOT",
    errors.AuthenticationFailed: "AUTHENTICATIONFAILED",
    errors.Throttled: "UNAVAILABLE",
    errors.Expired: "EXPIRED",
    errors.Unavailable: "UNAVAILABLE",
    errors.ShuttingDown: "UNAVAILABLE",
}


def code(error: errors.StorageError) -> str | None:
    """The response code for an error, found by its class or the nearest one above it."""
    for kind in type(error).__mro__:
        if kind in CODES:
            return CODES[kind]
    return None


def reply(error: errors.StorageError) -> Reply:
    """The tagged NO for an error of the store."""
    return Reply(error.text, code(error), "NO")
