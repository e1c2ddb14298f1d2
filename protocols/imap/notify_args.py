"""Arguments of NOTIFY (RFC 5465 section 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.fetch_items import FetchItem, parse_fetch_items
from folkmoot.sharing.mail_places import is_personal

MAX_GROUPS: Final = 100
MAX_NAMES: Final = 1000  # mailboxes that one group may name

NEW: Final = "MESSAGENEW"
EXPUNGE: Final = "MESSAGEEXPUNGE"
FLAGS: Final = "FLAGCHANGE"
NAME: Final = "MAILBOXNAME"
SUBSCRIPTION: Final = "SUBSCRIPTIONCHANGE"
METADATA: Final = "MAILBOXMETADATACHANGE"
SERVER_METADATA: Final = "SERVERMETADATACHANGE"

#: Events by upper-case name, in the spelling of the RFC.
EVENTS: Final[dict[str, str]] = {
    NEW: "MessageNew",
    EXPUNGE: "MessageExpunge",
    FLAGS: "FlagChange",
    NAME: "MailboxName",
    SUBSCRIPTION: "SubscriptionChange",  # rfc5465#5.5
    METADATA: "MailboxMetadataChange",  # rfc5465#5.6
    SERVER_METADATA: "ServerMetadataChange",  # rfc5465#5.7
}
MESSAGE_EVENTS: Final = frozenset({NEW, EXPUNGE, FLAGS})


@dataclass(frozen=True, slots=True)
class Group:
    """Which mailboxes, and which events of them.

    ``kind`` is SELECTED, SELECTED-DELAYED, INBOXES, PERSONAL, SUBSCRIBED, SUBTREE or MAILBOXES;
    the last two have ``names``. ``items`` are to be fetched of new messages.
    """

    kind: str
    names: tuple[str, ...]
    events: frozenset[str]
    items: tuple[FetchItem, ...]

    @property
    def selected(self) -> bool:
        """Whether it is about the selected mailbox."""
        return self.kind in ("SELECTED", "SELECTED-DELAYED")

    def matches(self, name: str, subscribed: bool) -> bool:
        """Whether it is about this mailbox, which is not the selected one."""
        match self.kind:
            case "PERSONAL":  # rfc5465#6.2
                return is_personal(name)
            case "INBOXES":
                return name == "INBOX"  # deliveries go nowhere else # rfc5465#6.3
            case "SUBSCRIBED":  # rfc5465#6.4
                return subscribed
            case "MAILBOXES":  # rfc5465#6.6
                return name in self.names
            case "SUBTREE":  # rfc5465#6.5
                return name in self.names or any(name.startswith(f"{top}/") for top in self.names)
        return False


@dataclass(frozen=True, slots=True)
class NotifyArgs:
    """What NOTIFY is given; no groups for NONE."""

    status: bool
    groups: tuple[Group, ...]


def parse_notify(cursor: Cursor) -> NotifyArgs:
    """Read all arguments of NOTIFY. NO [BADEVENT …] for events that are not known."""
    cursor.space()
    if cursor.accept_keyword("NONE"):
        cursor.end()
        return NotifyArgs(False, ())
    if not cursor.accept_keyword("SET"):
        raise BadSyntax("Expected SET or NONE")
    cursor.space()
    status = cursor.accept_keyword("STATUS")
    if status:
        cursor.space()
    groups = [_group(cursor)]
    while cursor.more():
        if len(groups) >= MAX_GROUPS:
            raise BadSyntax("Too many groups of events")
        groups.append(_group(cursor))
    cursor.end()
    if sum(group.selected for group in groups) > 1:  # rfc5465#6.1
        raise BadSyntax("The selected mailbox is named twice")
    return NotifyArgs(status, tuple(groups))


def _group(cursor: Cursor) -> Group:
    cursor.expect(b"(")
    kind = cursor.keyword()
    names: tuple[str, ...] = ()
    if kind in ("SUBTREE", "MAILBOXES"):
        cursor.space()
        if cursor.peek() == b"(":
            names = tuple(cursor.list_of(cursor.mailbox, limit=MAX_NAMES))
        else:
            names = (cursor.mailbox(),)
    elif kind not in ("SELECTED", "SELECTED-DELAYED", "INBOXES", "PERSONAL", "SUBSCRIBED"):
        raise BadSyntax("Unknown kind of mailboxes")
    cursor.space()
    events: frozenset[str] = frozenset()
    items: tuple[FetchItem, ...] = ()
    if not cursor.accept_keyword("NONE"):
        events, items = _events(cursor)
    cursor.expect(b")")
    group = Group(kind, names, events, items)
    _check(group)
    return group


def _events(cursor: Cursor) -> tuple[frozenset[str], tuple[FetchItem, ...]]:
    items: list[tuple[FetchItem, ...]] = []

    def event() -> str:
        name = cursor.keyword()
        if name not in EVENTS:
            known = " ".join(EVENTS.values())  # rfc5465#3.1
            raise BadSyntax("Unknown event", status="NO", code=f"BADEVENT ({known})")
        if name == NEW:
            cursor.skip_space()
            if cursor.peek() == b"(":
                items.append(parse_fetch_items(cursor))
        return name

    events = frozenset(_spaced(cursor, event))
    return events, items[0] if items else ()


def _spaced(cursor: Cursor, event: Callable[[], str]) -> list[str]:
    cursor.expect(b"(")
    names = [event()]
    while not cursor.accept(b")"):
        cursor.skip_space()  # MessageNew has looked behind itself
        if cursor.accept(b")"):
            break
        if len(names) >= len(EVENTS) * 2:
            raise BadSyntax("Too many events")
        names.append(event())
    return names


def _check(group: Group) -> None:
    """The rules of RFC 5465 section 5 and 6.1."""
    events = group.events
    if (NEW in events) != (EXPUNGE in events):
        raise BadSyntax("MessageNew and MessageExpunge go together")
    if FLAGS in events and NEW not in events:
        raise BadSyntax("FlagChange needs MessageNew and MessageExpunge")
    if group.selected and events - MESSAGE_EVENTS:
        raise BadSyntax("Only message events are of the selected mailbox")
    if group.items and not group.selected:
        raise BadSyntax("Only new messages of the selected mailbox can be fetched")
