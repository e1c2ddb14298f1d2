"""MULTISEARCH (RFC 7377): the ESEARCH command looks into several mailboxes at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.search import highest, run_search
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.results import Found, send_esearch
from folkmoot.protocols.imap.search_keys import SearchArgs, search_args
from folkmoot.protocols.imap.search_plan import Planner
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import MailboxInfo, Right

capability("MULTISEARCH", signed_in)  # rfc7377#2

MAX_SOURCES = 100
MAX_NAMES = 1000  # mailboxes that one source may name

_PLAIN = frozenset({"SELECTED", "INBOXES", "PERSONAL", "SUBSCRIBED"})
_NAMING = frozenset({"SUBTREE", "SUBTREE-ONE", "MAILBOXES"})
# These are about one mailbox that stays selected.
_OF_SELECTED = frozenset({"SAVE", "CONTEXT", "UPDATE"})


@dataclass(frozen=True, slots=True)
class Source:
    """Mailboxes to search: ``names`` are those behind SUBTREE, SUBTREE-ONE and MAILBOXES."""

    kind: str
    names: tuple[str, ...] = ()

    def has(self, mailbox: MailboxInfo, selected: int) -> bool:
        """Whether a mailbox is among them; ``selected`` is the id of the selected one, or 0."""
        name = mailbox.name
        match self.kind:
            case "SELECTED":
                return mailbox.id == selected
            case "INBOXES":
                return name == "INBOX"  # deliveries go nowhere else
            case "PERSONAL":
                return mailbox.personal
            case "SUBSCRIBED":
                return mailbox.subscribed
            case "MAILBOXES":
                return name in self.names
            case "SUBTREE-ONE":
                return name in self.names or name.rpartition("/")[0] in self.names
        return name in self.names or any(name.startswith(f"{top}/") for top in self.names)


_SELECTED = (Source("SELECTED"),)


@dataclass(frozen=True, slots=True)
class MultiArgs:
    """What ESEARCH is given."""

    sources: tuple[Source, ...]
    search: SearchArgs


def parse_esearch(cursor: Cursor) -> MultiArgs:
    """Read the arguments of ESEARCH (RFC 7377 section 4)."""
    cursor.space()
    sources: tuple[Source, ...] = _SELECTED
    if cursor.accept_keyword("IN"):
        cursor.space()
        cursor.expect(b"(")
        sources = tuple(_sources(cursor))
        cursor.space()
    return MultiArgs(sources, search_args(cursor))


def _sources(cursor: Cursor) -> Iterator[Source]:
    for _ in range(MAX_SOURCES):
        if cursor.peek() == b"(":  # there are no scope options that we could know
            raise BadSyntax("Unknown scope option")
        yield _source(cursor)
        cursor.skip_space()
        if cursor.accept(b")"):
            return
    raise BadSyntax("Too many sources")


def _source(cursor: Cursor) -> Source:
    kind = cursor.keyword()
    if kind in _PLAIN:
        return Source(kind)
    if kind not in _NAMING:
        raise BadSyntax("Unknown source of mailboxes")
    cursor.space()
    if cursor.peek() == b"(":
        return Source(kind, tuple(cursor.list_of(cursor.mailbox, limit=MAX_NAMES)))
    return Source(kind, (cursor.mailbox(),))


@command(
    "ESEARCH",
    State.SIGNED_IN,
    parse_esearch,
    example=b'ESEARCH IN (mailboxes INBOX subtree ("Lists" "Old")) RETURN (COUNT ALL) UNSEEN',
    extension="MULTISEARCH",
)
async def esearch(session: Session, arguments: MultiArgs) -> Reply:
    """RFC 7377 section 2."""
    sources, search = arguments.sources, arguments.search
    if search.returns is None:
        search = replace(search, returns={"ALL": True})
    view = session.view
    if view is None and any(source.kind == "SELECTED" for source in sources):
        raise BadSyntax("There is no selected mailbox")
    mailboxes = await session.workspace.mailboxes()
    selected = view.mailbox_id if view is not None else 0
    found = [
        one
        for one in mailboxes
        if Right.READ in one.rights and any(source.has(one, selected) for source in sources)
    ]
    if all(source.kind == "SELECTED" for source in sources):
        if not found:
            raise NotFound
        told = _correlator(session, found[0])
        return await run_search(session, search, uid=True, correlator=told)
    if _OF_SELECTED & (search.returns or {}).keys():  # rfc7377#2.2
        raise BadSyntax("This result option is for the selected mailbox only")
    return await _search_all(session, search, found)


async def _search_all(
    session: Session, arguments: SearchArgs, mailboxes: Sequence[MailboxInfo]
) -> Reply:
    """Nothing is told of mailboxes where nothing was found. # rfc7377#2.1"""
    planner = Planner(None)
    key = planner.plan(arguments.key)
    returns = arguments.returns or {}
    for mailbox in mailboxes:
        try:
            rows = await session.workspace.search(mailbox.id, key)
        except NotFound:  # gone since the list was made
            continue
        if rows:
            uids = [row[0] for row in rows]
            found = Found(
                mailbox_id=mailbox.id,
                key=key,
                uids=uids,
                told=uids,
                uid=True,
                highest=highest([row[1] for row in rows], returns) if planner.uses_modseq else 0,
                returns=returns,
            )
            await send_esearch(session, found, _correlator(session, mailbox))
            await session.wire.drain()
    return OK


def _correlator(session: Session, mailbox: MailboxInfo) -> bytes:
    name = encoder.mailbox_name(mailbox.name, session.utf8)
    return b" MAILBOX %b UIDVALIDITY %d" % (name, mailbox.uidvalidity)
