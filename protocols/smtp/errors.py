"""The one table that says what each error of the store is in SMTP and LMTP."""

from __future__ import annotations

import logging
import secrets

from folkmoot.protocols.smtp.replies import Reply
from folkmoot.storage import errors

log = logging.getLogger(__name__)

# Matched by isinstance from top to bottom; the texts are those of the errors.
TABLE: tuple[tuple[type[errors.StorageError], int, str], ...] = (
    (errors.ShuttingDown, 421, "4.3.2"),
    (errors.Unavailable, 452, "4.3.1"),
    (errors.NotFound, 550, "5.1.1"),
    (errors.NotInPlan, 550, "5.7.1"),
    (errors.ExportRefused, 550, "5.7.1"),
    (errors.PermissionDenied, 550, "5.7.1"),
    (errors.OverQuota, 452, "4.2.2"),
    (errors.TooLarge, 552, "5.3.4"),
    (errors.LimitReached, 452, "4.5.3"),
    (errors.InvalidName, 553, "5.1.3"),
    (errors.InvalidContent, 550, "5.6.0"),
    (errors.Conflict, 451, "4.3.0"),
    (errors.AlreadyExists, 451, "4.3.0"),
    (errors.AuthenticationFailed, 535, "5.7.8"),
    (errors.Throttled, 454, "4.7.0"),
    (errors.Expired, 421, "4.7.0"),
)


def reply_to(error: Exception) -> Reply:
    """Return the reply for an error; an unknown one gives a general text and a log id."""
    if isinstance(error, errors.StorageError):
        if isinstance(error, errors.OverQuota) and error.permanent:
            return Reply(552, "5.2.2", error.text)  # no room that can be made would do
        for kind, code, status in TABLE:
            if isinstance(error, kind):
                return Reply(code, status, error.text)
    log_id = secrets.token_hex(4)
    log.error("unexpected error id=%s", log_id, exc_info=error)
    return Reply(451, "4.3.0", f"The server failed to do this (error {log_id})")


def permanent(reply: Reply) -> bool:
    """Return whether trying again is of no use."""
    return reply.code >= 500
