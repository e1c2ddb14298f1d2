"""Errors as WebDAV tells them: a status, and an element that names the condition that failed.

One table for the errors of the store, proven total by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from folkmoot.protocols.dav.names import CALDAV, CARDDAV, DAV, dav, element, text_element
from folkmoot.protocols.http.errors import Refused, fields_of
from folkmoot.storage import errors
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import TreePath

PREFIX_OF_TOOL: Final = {Tool.CALENDAR: CALDAV, Tool.CONTACTS: CARDDAV}

#: Status, and the element of the condition ("" for none). # rfc4918#16, rfc4331#6, rfc6578#3.2
TABLE: Final[dict[type[errors.StorageError], tuple[int, str]]] = {
    errors.StorageError: (500, ""),
    errors.NotFound: (404, ""),
    errors.AlreadyExists: (405, dav("resource-must-be-null")),
    errors.PermissionDenied: (403, dav("need-privileges")),
    errors.NotInPlan: (403, ""),
    errors.ExportRefused: (403, ""),
    errors.OverQuota: (507, dav("quota-not-exceeded")),
    errors.TooLarge: (413, ""),
    errors.LimitReached: (507, dav("sufficient-disk-space")),
    errors.InvalidName: (403, ""),
    errors.InvalidContent: (403, ""),
    errors.RuleBroken: (403, ""),
    errors.Conflict: (409, ""),
    errors.MissingParent: (409, ""),
    errors.PreconditionFailed: (412, ""),
    errors.LockedByOther: (423, dav("lock-token-submitted")),
    errors.LogTrimmed: (403, dav("valid-sync-token")),
    errors.HasChildren: (409, ""),
    errors.Unchangeable: (403, ""),
    errors.AuthenticationFailed: (401, ""),
    errors.Throttled: (503, ""),
    errors.Expired: (401, ""),
    errors.Unavailable: (503, ""),
    errors.ShuttingDown: (503, ""),
}

# Rules of content whose status is not 403. # rfc4791#5.3.2, rfc6638#3.2.10
_RULE_STATUS: Final = {
    "no-uid-conflict": 409,
    "schedule-tag-match": 412,
    "supported-calendar-data": 415,
    "supported-address-data": 415,
}
_IN_DAV: Final = frozenset({"number-of-matches-within-limits"})

Href = Callable[[TreePath], str]


class DavError(Refused):
    """An answer other than success: a status and the element of the condition that failed.

    ``condition`` is finished XML, or "". ``text`` is for people.
    """

    def __init__(
        self,
        status: int,
        condition: str = "",
        *,
        text: str = "",
        fields: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status, text, fields)
        self.condition = condition


def entry_of(error: errors.StorageError) -> tuple[int, str]:
    """The line of the table for an error: its class's or that of the nearest one above."""
    for kind in type(error).__mro__:
        if kind in TABLE:
            return TABLE[kind]
    return TABLE[errors.StorageError]


def to_dav(error: errors.StorageError, href: Href, written: TreePath | None = None) -> DavError:
    """The answer for an error of the store; ``written`` is the place that was written to."""
    status, name = entry_of(error)
    condition = element(name) if name else ""
    if isinstance(error, errors.LockedByOther):
        roots = "".join(text_element(dav("href"), href(path)) for path in error.roots)
        condition = element(name, roots)  # rfc4918#16
    elif isinstance(error, errors.TooLarge) and written is not None:
        # rfc4791#5.3.2.1, rfc6352#6.3.2.1; documents have no such condition
        prefix = PREFIX_OF_TOOL.get(written.tool)
        if prefix is not None:
            status, condition = 403, element(f"{{{prefix}}}max-resource-size")
    elif isinstance(error, errors.RuleBroken):
        status = _RULE_STATUS.get(error.rule, status)
        condition = _rule(error, href, written)
    return DavError(status, condition, text=error.text, fields=fields_of(status))


def _rule(error: errors.RuleBroken, href: Href, written: TreePath | None) -> str:
    if not error.rule:  # a rule of this server, which has no element
        return ""
    tool = written.tool if written is not None else Tool.MAIL
    namespace = DAV if error.rule in _IN_DAV else PREFIX_OF_TOOL.get(tool, DAV)
    content = ""
    if error.name and written is not None:
        content = element(dav("href"), href(written.parent.below(error.name)))
    return element(f"{{{namespace}}}{error.rule}", content)
