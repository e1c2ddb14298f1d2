"""Turns errors of the drivers into errors of the store."""

from __future__ import annotations

import logging
import sqlite3

from folkmoot.storage.errors import Conflict, StorageError, Unavailable

log = logging.getLogger("folkmoot.storage")


def translate(error: BaseException) -> BaseException:
    """The error that leaves the store for one that a driver or the file system raised.

    Storage errors pass as they are. A full or read-only disk, a locked or vanished database
    become ``Unavailable``; a constraint that a race has broken becomes ``Conflict``. Anything
    else is a bug of ours and passes, so that the protocol answers with a log id.
    """
    if isinstance(error, StorageError):
        return error
    integrity: tuple[type[BaseException], ...] = (sqlite3.IntegrityError,)
    away: tuple[type[BaseException], ...] = (sqlite3.OperationalError, OSError)
    try:
        import psycopg
    except ImportError:  # the driver is there in every installation that uses PostgreSQL
        pass
    else:
        integrity += (psycopg.IntegrityError,)
        away += (psycopg.OperationalError,)
    if isinstance(error, integrity):
        log.warning("constraint: %s", error)
        return Conflict()
    if isinstance(error, away):
        log.error("the database cannot work: %s", error)
        return Unavailable()
    return error
