"""NOTIFY (RFC 5465): the client is told of events all the time, also between commands."""

from __future__ import annotations

from folkmoot.protocols.imap.fetch_items import FetchItem
from folkmoot.protocols.imap.fetch_send import Answer
from folkmoot.protocols.imap.metadata_watch import MetadataWatch
from folkmoot.protocols.imap.notify_args import (
    FLAGS,
    METADATA,
    NEW,
    SERVER_METADATA,
    Group,
    NotifyArgs,
    parse_notify,
)
from folkmoot.protocols.imap.notify_watch import NotifyWatch, TooMany
from folkmoot.protocols.imap.pusher import Pusher
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import SelectedEvents, Session

capability("NOTIFY", signed_in)  # rfc5465#3


class Notification:
    """All that one NOTIFY SET has set going."""

    def __init__(self, session: Session, arguments: NotifyArgs) -> None:
        self._session = session
        self.watch = NotifyWatch(session, arguments.groups)
        self._groups = arguments.groups
        self._pusher = Pusher(session, show_expunges=self._show_expunges, between_commands=True)

    def _show_expunges(self) -> bool:
        events = self._session.events
        return events is None or not events.delayed

    async def start(self) -> None:
        """Begin to listen. Raises ``TooMany``."""
        session = self._session
        await self.watch.start()
        metadata = MetadataWatch.of(session)
        if any(group.events & {METADATA, SERVER_METADATA} for group in self._groups):
            await metadata.start("NOTIFY", self._wants_metadata)
        else:
            metadata.stop("NOTIFY")
        session.reporters.append(self.watch)
        selected = [group for group in self._groups if group.selected]
        session.events = _selected_events(session, selected[0]) if selected else SelectedEvents()
        session.on_rest = self._pusher.wake

    def _wants_metadata(self, name: str) -> bool:
        if not name:
            return any(SERVER_METADATA in group.events for group in self._groups)
        return METADATA in self.watch.events(name)

    def replaced(self) -> None:
        """Another NOTIFY SET has taken over."""
        self.watch.stop()
        self._pusher.halt()

    def end(self) -> None:
        """Tell nothing any more, as after NOTIFY NONE."""
        session = self._session
        self.replaced()
        MetadataWatch.of(session).stop("NOTIFY")
        session.events = SelectedEvents()
        session.on_rest = None
        session.notes.pop("NOTIFY", None)


def _selected_events(session: Session, group: Group) -> SelectedEvents:
    items: list[FetchItem] = list(group.items)

    async def announce(uids: list[int]) -> None:
        await Answer(session, items).send(uids)

    return SelectedEvents(
        messages=NEW in group.events,
        flags=FLAGS in group.events,
        delayed=group.kind == "SELECTED-DELAYED",
        announce=announce if items else None,
    )


@command(
    "NOTIFY",
    State.SIGNED_IN,
    parse_notify,
    example=b"NOTIFY SET STATUS (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange))"
    b" (SUBTREE (Lists Work) (MessageNew MessageExpunge)) (PERSONAL (MailboxName))",
    extension="NOTIFY",
)
async def notify(session: Session, arguments: NotifyArgs) -> Reply:
    """RFC 5465 section 3.1."""
    # All that has gathered is told first, as NOOP would. # rfc5465#3.1
    await session.refresh(show_expunges=True, force=True)
    current = session.notes.get("NOTIFY")
    if not arguments.groups:
        if isinstance(current, Notification):
            current.end()
        session.events = SelectedEvents()
        return OK
    wanted = Notification(session, arguments)
    try:
        await wanted.start()
    except TooMany:
        return Reply("Too many mailboxes to watch", "NOTIFICATIONOVERFLOW", "NO")
    if isinstance(current, Notification):
        current.replaced()
    session.notes["NOTIFY"] = wanted
    if arguments.status:
        for info in wanted.watch.watched():
            session.wire.send(wanted.watch.status(info))
    return OK


def caused(session: Session, *names: str) -> None:
    """Note that the command that runs changed these names: its own session is not told."""
    current = session.notes.get("NOTIFY")
    if isinstance(current, Notification):
        current.watch.caused(names)
