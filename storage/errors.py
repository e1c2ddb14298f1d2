"""The closed set of errors that leave the store.

They carry no protocol words. Each protocol has one table that maps them (and a test that proves
the table total), so a new class here is a deliberate act: every protocol must say what it means.
``text`` is one clear sentence for people; it never contains data of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from folkmoot.storage.types_tree import TreePath


class StorageError(Exception):
    """Base of all errors that a protocol has to map; never raised itself."""

    default_text: ClassVar[str] = "The operation failed."

    def __init__(self, text: str | None = None) -> None:
        self.text = text or self.default_text
        super().__init__(self.text)


class NotFound(StorageError):
    """The thing does not exist, or the actor may not know that it does."""

    default_text = "There is no such thing here."


class AlreadyExists(StorageError):
    """The name is taken."""

    default_text = "Something with this name exists already."


class PermissionDenied(StorageError):
    """The actor may know the thing, but not do this with it."""

    default_text = "You do not have the right to do this."


class NotInPlan(PermissionDenied):
    """The plan of the account does not have what this needs."""

    default_text = "The plan of this account does not include this."


class ExportRefused(PermissionDenied):
    """A support agent would take data out without the permission for it."""

    default_text = "Support may not take data out of this account: the grant is without export."


class OverQuota(StorageError):
    """The space that would hold the data has no room for it.

    ``permanent`` says that it would not fit into an empty one either.
    """

    default_text = "This would exceed the storage limit of the mailbox owner."

    def __init__(self, text: str | None = None, *, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent


class TooLarge(StorageError):
    """One item is larger than any item may be."""

    default_text = "The item is larger than allowed."


class LimitReached(StorageError):
    """A count other than bytes is exhausted (number of mailboxes, app passwords …)."""

    default_text = "A limit of this server has been reached."


class InvalidName(StorageError):
    """A name that cannot be used for a collection, account or domain."""

    default_text = "This name cannot be used."


class InvalidContent(StorageError):
    """Content that the collection cannot hold."""

    default_text = "The content is not valid here."


class RuleBroken(InvalidContent):
    """Content against a rule that calendars and address books have for what they hold.

    ``rule`` is the rule's name in RFC 4791 section 5.3.2, RFC 6352 section 6.3.2.1 or RFC 6638, ""
    for one that they do not name; ``name`` is the member that stands in the way, where one does.
    """

    def __init__(self, text: str | None = None, *, rule: str = "", name: str = "") -> None:
        super().__init__(text)
        self.rule = rule
        self.name = name


class Conflict(StorageError):
    """The state changed in the meantime, or the operation contradicts it."""

    default_text = "The operation contradicts the present state."


class MissingParent(Conflict):
    """What is to be made would lie in a folder that does not exist."""

    default_text = "There is no such folder to put it into."


class PreconditionFailed(Conflict):
    """What the client took for granted is not so."""

    default_text = "It was changed in the meantime."


class LockedByOther(Conflict):
    """A lock is in the way whose token was not given. ``roots`` are the paths of such locks."""

    default_text = "It is locked."

    def __init__(self, text: str | None = None, *, roots: Sequence[TreePath] = ()) -> None:
        super().__init__(text)
        self.roots = tuple(roots)


class LogTrimmed(Conflict):
    """The change log does not reach back so far: compare everything."""

    default_text = "The state that you know is too old; start again."


class HasChildren(Conflict):
    """A collection with child collections cannot be removed."""

    default_text = "It still has children; remove them first."


class Unchangeable(Conflict):
    """Something that must always be there (INBOX, a root) cannot be removed or renamed."""

    default_text = "This cannot be changed or removed."


class AuthenticationFailed(StorageError):
    """Unknown account, wrong password, disabled account, or a credential not for this protocol."""

    default_text = "The name or the password is wrong."


class Throttled(StorageError):
    """Too many different wrong passwords; the answer would be the same for the right one."""

    default_text = "Too many failed logins; try again later."


class Expired(StorageError):
    """The session's authority ended (account disabled, grant withdrawn)."""

    default_text = "The session has ended."


class Unavailable(StorageError):
    """A decision could not be made, or the store cannot work now (full disk, database away)."""

    default_text = "The server cannot do this now; try again later."


class ShuttingDown(Unavailable):
    """The store is closing and takes no more work."""

    default_text = "The server is shutting down."
