"""STATUS (RFC 9051 section 6.3.11), with STATUS=SIZE (RFC 8438) and APPENDLIMIT (RFC 7889)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.list_args import StatusArgs, parse_status, register_status_item
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import MailboxInfo

capability("STATUS=SIZE", signed_in)
# rfc7889#2: one limit for all mailboxes.
capability("APPENDLIMIT", signed_in, lambda session: session.wire.limits.append)

StatusItem = Callable[[MailboxInfo], bytes]

_ITEMS: Final[dict[str, StatusItem]] = {
    "MESSAGES": lambda info: b"%d" % info.messages,
    "RECENT": lambda info: b"0",  # rfc9051#appendix-E: servers may always say so
    "UIDNEXT": lambda info: b"%d" % info.uidnext,
    "UIDVALIDITY": lambda info: b"%d" % info.uidvalidity,
    "UNSEEN": lambda info: b"%d" % info.unseen,
    "DELETED": lambda info: b"%d" % info.deleted,
    "SIZE": lambda info: b"%d" % info.size,
    "HIGHESTMODSEQ": lambda info: b"%d" % info.modseq,  # rfc7162#3.1.7
}


def status_item(name: str) -> Callable[[StatusItem], StatusItem]:
    """Decorate the function that prints a status item of an extension (upper case)."""

    def keep(item: StatusItem) -> StatusItem:
        if name in _ITEMS:
            raise ValueError(f"status item {name} is registered already")
        register_status_item(name)
        _ITEMS[name] = item
        return item

    return keep


@command(
    "STATUS",
    State.SIGNED_IN,
    parse_status,
    example=b"STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ)",
)
async def status(session: Session, arguments: StatusArgs) -> Reply:
    """Counters that the store keeps; the selected mailbox is no exception."""
    info = await session.workspace.mailbox(
        arguments.mailbox, deleted_size="DELETED-STORAGE" in arguments.items
    )
    wants_modseq(session, arguments.items)
    limit = session.wire.limits.append
    session.wire.send(status_data(info, arguments.items, utf8=session.utf8, append_limit=limit))
    return OK


def status_data(info: MailboxInfo, items: Iterable[str], *, utf8: bool, append_limit: int) -> bytes:
    """``* STATUS name (ITEM value …)``; items are upper case and known to the grammar."""
    # rfc9051#7.3.3
    values = []
    for item in items:
        value = b"%d" % append_limit if item == "APPENDLIMIT" else _ITEMS[item](info)
        values.append(b"%b %b" % (item.encode(), value))
    name = encoder.mailbox_name(info.name, utf8)
    return encoder.data(b"STATUS", name, b"(%b)" % b" ".join(values))


def wants_modseq(session: Session, items: Iterable[str]) -> None:
    """Note that the client knows CONDSTORE if it asks for it (RFC 7162 section 3.1)."""
    if "HIGHESTMODSEQ" in items:
        session.enabled.add("CONDSTORE")
