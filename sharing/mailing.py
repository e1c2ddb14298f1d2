"""One message for all its local recipients: whose INBOX it goes to, and what groups hand on.

A group keeps mail to it in its own INBOX and gives a copy to each member who wants one, with the
fields of a mailing list (RFC 2919, RFC 2369) above all others: whatever is signed below holds.
Nobody gets two copies, and who wrote gets none. A group is in no group, so nothing goes around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.header import Header
from email.utils import formataddr
from urllib.parse import quote

from folkmoot.storage.addresses import split_address
from folkmoot.storage.content.headers import collect
from folkmoot.storage.errors import NotFound, PermissionDenied, StorageError
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Content, FlagSet, NewMessage, Right
from folkmoot.storage.types_mail import Forwarding, Poster, Resolved, Standing
from folkmoot.storage.views.queue import DeliveryTarget
from folkmoot.storage.views.resolve import ForwardingOf

_ANSWERABLE = (Standing.LOCAL, Standing.OVER_QUOTA)


class MissingCopies(Exception):
    """Groups hand the message on: what they add to it has to be prepared first."""

    def __init__(self, groups: Sequence[Forwarding]) -> None:
        super().__init__()
        self.groups = groups


def is_report(header: bytes) -> bool:
    """Whether a message tells of the fate of others (RFC 3462): what comes from nobody should."""
    values = collect(header, frozenset({b"content-type"})).get(b"content-type", [])
    return any(value.strip().lower().startswith(b"multipart/report") for value in values)


def list_fields(header: bytes, group: Forwarding) -> bytes:
    """What a group puts above a message; nothing when it came through another list."""
    if collect(header, frozenset({b"list-id"})):  # rfc2919#3: not more than one
        return b""
    local, domain = split_address(group.address)
    label = local if local.isascii() else f"xn--{local.encode('punycode').decode()}"
    identity = f"<{label}.{domain}>"
    if group.name.isascii():
        identity = formataddr((group.name, f"{label}.{domain}"))
    else:
        phrase = Header(group.name, "utf-8", maxlinelen=70, header_name="List-Id").encode()
        identity = f"{phrase}\n {identity}".replace("\n", "\r\n")
    post = f"<mailto:{quote(local)}@{domain}>"
    return f"List-Id: {identity}\r\nList-Post: {post}\r\n".encode()


class Inboxes:
    """Puts one message into the INBOX of each local recipient, once for each account and group.

    ``copies`` is what groups hand on, by the id of the group.
    """

    def __init__(
        self,
        txn: Txn,
        content: Content,
        poster: Poster,
        separator: str,
        copies: Mapping[int, Content],
    ) -> None:
        self._txn = txn
        self._poster = poster
        self._separator = separator
        self._content = content
        self._copies = copies
        self._now = datetime.now().astimezone()
        self._groups: dict[int, Forwarding] = {}
        self._outcomes: dict[int, StorageError | None] = {}
        self.remote = 0

    def put(self, addresses: Sequence[str]) -> list[StorageError | None]:
        """Store the message for all addresses; for each, the error when that cannot be.

        Raises ``MissingCopies``.
        """
        targets = [self._target(address) for address in addresses]
        inboxes = {target for target in targets if isinstance(target, int)}
        missing = [each for each in self._groups.values() if each.group_id not in self._copies]
        if missing:
            raise MissingCopies(missing)
        # In the order of their ids, as all transactions lock mailboxes: two messages to the same
        # people in another order cannot wait for each other. Two addresses of one person in one
        # message make one copy.
        if self._groups:
            handed = {inbox for each in self._groups.values() for inbox in each.inboxes}
            self._txn.hold_collections(inboxes | handed)
        for inbox in sorted(inboxes):
            group = self._groups.get(inbox)
            self._append(inbox, self._content if group is None else self._copies[group.group_id])
        for inbox, group in sorted(self._groups.items()):
            if self._outcomes[inbox] is None:
                self._hand_on(group)
        return [self._outcomes[target] if isinstance(target, int) else target for target in targets]

    def _hand_on(self, group: Forwarding) -> None:
        """Give members their copies. Who has no room misses one: it is in the group's INBOX."""
        for inbox in group.inboxes:
            if inbox not in self._outcomes:
                self._append(inbox, self._copies[group.group_id])

    def _append(self, inbox: int, content: Content) -> None:
        message = NewMessage(content, FlagSet(), self._now)
        outcome = self._txn.attempt(AppendMessages(inbox, (message,), Right.POST))
        self._outcomes[inbox] = outcome if isinstance(outcome, StorageError) else None

    def _target(self, address: str) -> int | StorageError:
        """The INBOX of an address, or why there is none."""
        found, inbox = self._txn.view(DeliveryTarget(address, self._separator, self._poster))
        if found.standing is Standing.REMOTE:
            self.remote += 1
            return NotFound("This server does not receive mail for that domain.")
        if found.standing is Standing.REFUSED:
            return PermissionDenied("The group takes mail only from members who may write to it.")
        if found.standing not in _ANSWERABLE or not inbox:
            return NotFound("No such user here.")
        self._look_up(found, inbox)
        return inbox

    def _look_up(self, found: Resolved, inbox: int) -> None:
        if found.group_id and inbox not in self._groups:
            view = ForwardingOf(found.group_id, self._poster, self._separator)
            forwarding = self._txn.view(view)
            if forwarding.inboxes:
                self._groups[inbox] = forwarding
