"""XLIST, Gmail's LIST from before SPECIAL-USE: some Outlooks and phones know no other way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from folkmoot.protocols.imap.commands.list import send_lines
from folkmoot.protocols.imap.list_args import ListArgs, parse_lsub
from folkmoot.protocols.imap.listing import Listed, attributes, choose, list_line
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import MailboxInfo

capability("XLIST", signed_in)

#: Attributes that were called otherwise than RFC 6154 has them.
_OLD_NAMES: Final[Mapping[bytes, bytes]] = {
    b"\\All": b"\\AllMail",
    b"\\Flagged": b"\\Starred",
    b"\\Junk": b"\\Spam",
}


@command("XLIST", State.SIGNED_IN, parse_lsub, example=b'XLIST "" "*"', extension="XLIST")
async def xlist(session: Session, arguments: ListArgs) -> Reply:
    """LIST without options, and with the names of special uses that Gmail gave them."""
    utf8 = session.utf8
    if arguments.patterns == ("",):
        session.wire.send(list_line("", [b"\\Noselect"], utf8=utf8, kind=b"XLIST"))
        return OK

    def render(mailboxes: list[MailboxInfo], subscriptions: list[str]) -> list[bytes]:
        return [
            list_line(entry.name, _attributes(entry), utf8=utf8, kind=b"XLIST")
            for entry in choose(arguments, mailboxes, subscriptions)
        ]

    await send_lines(session, await session.workspace.listed(render))
    return OK


def _attributes(entry: Listed) -> list[bytes]:
    words = attributes(entry.info, level=entry.level)
    words = [_OLD_NAMES.get(word, word) for word in words]
    if entry.name == "INBOX":
        words.append(b"\\Inbox")
    return words
