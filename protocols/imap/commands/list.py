"""LIST with its extensions, and LSUB.

RFC 9051 section 6.3.9, RFC 5258 (LIST-EXTENDED), RFC 5819 (LIST-STATUS), RFC 3348 (CHILDREN);
LSUB is of RFC 3501 section 6.3.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from folkmoot.protocols.imap.commands.status import status_data, wants_modseq
from folkmoot.protocols.imap.list_args import ListArgs, parse_list, parse_lsub
from folkmoot.protocols.imap.listing import (
    choose,
    choose_subscribed,
    data_lines,
    list_line,
    listed_line,
)
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import AnnotationQuery, MailboxInfo

capability("CHILDREN", signed_in)  # rfc3348#3
capability("LIST-EXTENDED", signed_in)  # rfc5258#3
capability("LIST-STATUS", signed_in)  # rfc5819#2

BETWEEN_DRAINS = 500  # lines


@command(
    "LIST",
    State.SIGNED_IN,
    parse_list,
    example=b'LIST (SUBSCRIBED) "" ("%" "Work/*") RETURN (CHILDREN STATUS (MESSAGES))',
)
async def list_(session: Session, arguments: ListArgs) -> Reply:
    """One snapshot of all mailboxes, whatever is asked of them."""
    utf8 = session.utf8
    if arguments.patterns == ("",) and not arguments.extended:
        # rfc9051#6.3.9: asks for the delimiter; names here have no root.
        session.wire.send(list_line("", [b"\\Noselect"], utf8=utf8))
        return OK
    items, limit = arguments.status_items, session.wire.limits.append
    wants_modseq(session, items)

    def render(mailboxes: list[MailboxInfo], subscriptions: list[str]) -> list[bytes]:
        lines = []
        for entry in choose(arguments, mailboxes, subscriptions):
            lines.append(listed_line(entry, arguments, utf8=utf8))
            # rfc9051#6.3.9.8 example 11: none for parents that are only named for their children.
            if entry.info is None or not entry.selected:
                continue
            lines += data_lines(entry.info, arguments, utf8=utf8)
            if items:
                lines.append(status_data(entry.info, items, utf8=utf8, append_limit=limit))
        return lines

    listed = session.workspace.listed(
        render,
        deleted_size="DELETED-STORAGE" in items,
        annotations=cast(AnnotationQuery | None, arguments.returns.get("METADATA")),
    )
    await send_lines(session, await listed)
    return OK


@command("LSUB", State.SIGNED_IN, parse_lsub, example=b'LSUB "" "%"')
async def lsub(session: Session, arguments: ListArgs) -> Reply:
    """What is subscribed, whether it exists or not."""
    utf8 = session.utf8
    if arguments.patterns == ("",):
        session.wire.send(list_line("", [b"\\Noselect"], utf8=utf8, kind=b"LSUB"))
        return OK

    def render(mailboxes: list[MailboxInfo], subscriptions: list[str]) -> list[bytes]:
        return [
            list_line(name, [] if subscribed else [b"\\Noselect"], utf8=utf8, kind=b"LSUB")
            for name, subscribed in choose_subscribed(arguments, subscriptions)
        ]

    await send_lines(session, await session.workspace.listed(render))
    return OK


async def send_lines(session: Session, lines: Sequence[bytes]) -> None:
    """Send lines at the pace of the client."""
    for start in range(0, len(lines), BETWEEN_DRAINS):
        session.wire.send(b"".join(lines[start : start + BETWEEN_DRAINS]))
        await session.wire.drain()
