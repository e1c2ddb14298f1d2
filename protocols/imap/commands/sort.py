"""SORT (RFC 5256), SORT=DISPLAY (RFC 5957) and ESORT (RFC 5267): found messages in an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from folkmoot.protocols.imap.commands.fuzzy import require_fuzzy
from folkmoot.protocols.imap.commands.search import highest, save, send_old
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.message_limit import refuse_wide
from folkmoot.protocols.imap.registry import (
    OK,
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.results import Found, numbered_order, send_esearch
from folkmoot.protocols.imap.search_keys import (
    SearchKey,
    parse_charset,
    parse_program,
    parse_returns,
)
from folkmoot.protocols.imap.search_plan import Planner
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import UidSet
from folkmoot.storage.types_search import SortCriterion, SortField

capability("SORT", signed_in)  # rfc5256#1
capability("SORT=DISPLAY", signed_in)  # rfc5957#3
capability("ESORT", signed_in)  # rfc5267#3.1
capability("I18NLEVEL=1", signed_in)  # rfc5255#4.2

MAX_CRITERIA = 20  # more than there are: a field that stands twice decides nothing more


@dataclass(frozen=True, slots=True)
class SortArgs:
    """What SORT and UID SORT are given; ``returns`` is as in ``SearchArgs``."""

    returns: Mapping[str, object] | None
    criteria: tuple[SortCriterion, ...]
    key: SearchKey


def parse_sort(cursor: Cursor) -> SortArgs:
    """Read the arguments of SORT (RFC 5256 section 5, RFC 5267 section 5)."""
    cursor.space()
    returns: dict[str, object] | None = None
    if cursor.accept_keyword("RETURN"):
        cursor.space()
        returns = parse_returns(cursor)
        cursor.space()
    criteria = cursor.list_of(lambda: _criterion(cursor), limit=MAX_CRITERIA)
    cursor.space()
    codec = parse_charset(cursor)
    cursor.space()
    return SortArgs(returns, tuple(criteria), parse_program(cursor, codec))


def _criterion(cursor: Cursor) -> SortCriterion:
    name = cursor.keyword()
    reverse = name == "REVERSE"
    if reverse:
        cursor.space()
        name = cursor.keyword()
    try:
        return SortCriterion(SortField[name], reverse)
    except KeyError:
        raise BadSyntax("Unknown sort criterion") from None


@command(
    "SORT",
    State.SELECTED,
    parse_sort,
    expunges=Expunges.HELD_BACK,
    example=b"SORT (REVERSE DATE SUBJECT) UTF-8 SINCE 1-Feb-2024",
    extension="SORT",
)
async def sort(session: Session, arguments: SortArgs) -> Reply:
    """RFC 5256 section 3."""
    return await _sort(session, arguments, uid=False)


@command(
    "UID SORT",
    State.SELECTED,
    parse_sort,
    example=b"UID SORT RETURN (COUNT MIN) (DISPLAYFROM) US-ASCII ALL",
    extension="SORT",
)
async def uid_sort(session: Session, arguments: SortArgs) -> Reply:
    """RFC 5256 section 3."""
    return await _sort(session, arguments, uid=True)


async def _sort(session: Session, arguments: SortArgs, *, uid: bool) -> Reply:
    view = session.selected
    returns = arguments.returns if arguments.returns is not None else {}
    saving = "SAVE" in returns
    planner = Planner(view)
    try:
        key = planner.plan(arguments.key)
        refuse_wide(session, key)
        if any(one.field is SortField.RELEVANCY for one in arguments.criteria):
            require_fuzzy(key)
        if planner.uses_modseq:
            session.enabled.add("CONDSTORE")
        order = await session.workspace.sort(
            view.mailbox_id, key, arguments.criteria, modseqs=planner.uses_modseq
        )
    except BaseException:
        if saving:  # rfc5182#2.1
            view.saved = UidSet()
        raise
    numbers, order = numbered_order(view, order)
    found = Found(
        mailbox_id=view.mailbox_id,
        key=key,
        uids=order.uids,
        told=order.uids if uid else numbers,
        uid=uid,
        criteria=arguments.criteria,
        highest=highest(order.modseqs, returns) if planner.uses_modseq else 0,
        returns=returns,
    )
    if saving:
        save(session, returns, order.uids)
    if arguments.returns is None:
        send_old(session, b"SORT", found)
    else:
        await send_esearch(session, found)
    return OK
