"""Tells a session what happens in mailboxes that are not selected (RFC 5465).

Hints say that something happened; then one snapshot of the list of mailboxes is compared with the
one that the client was told last. However much happened, a mailbox costs a line or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.status import status_data
from folkmoot.protocols.imap.listing import (
    attributes,
    list_line,
    missing_levels,
    order,
    renamed_line,
)
from folkmoot.protocols.imap.notify_args import (
    FLAGS,
    MESSAGE_EVENTS,
    NAME,
    NEW,
    SUBSCRIPTION,
    Group,
)
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import MailboxInfo, Topic

MAX_WATCHED = 1000  # mailboxes of one session
MAX_CAUSED = 1000  # names that the session itself changed


class TooMany(Exception):
    """More mailboxes are to be watched than a session may."""


class NotifyWatch:
    """What one NOTIFY SET asks for beside the selected mailbox."""

    def __init__(self, session: Session, groups: Iterable[Group]) -> None:
        self.dirty = False
        self._session = session
        self._groups = [group for group in groups if not group.selected]
        self._known: dict[int, MailboxInfo] = {}
        self._subscribed: frozenset[str] = frozenset()
        self._hints: dict[int, Callable[[], None]] = {}
        # Own space, and those of groups and others in which mailboxes are seen.
        self._spaces: dict[int, Callable[[], None]] = {}
        self._caused: set[str] = set()

    # --- begin and end ------------------------------------------------------------------------

    async def start(self) -> None:
        """Subscribe, then look once. Raises ``TooMany``."""
        self._watch_spaces({self._session.workspace.actor.space_id})
        try:
            await self._look()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Hear of nothing any more."""
        for end in (*self._spaces.values(), *self._hints.values()):
            end()
        self._spaces.clear()
        self._hints.clear()
        if self in self._session.reporters:
            self._session.reporters.remove(self)

    def _hinted(self) -> None:
        self.dirty = True

    def _watch_spaces(self, spaces: set[int]) -> bool:
        """Listen to these spaces and to no others; whether there are new ones among them."""
        for gone in self._spaces.keys() - spaces:
            self._spaces.pop(gone)()
        fresh = spaces - self._spaces.keys()
        for space in fresh:
            self._spaces[space] = self._session.watch(Topic.SPACE, space, self._hinted)
        return bool(fresh)

    def caused(self, names: Iterable[str]) -> None:
        """The session's own command changed these names and the levels above them."""
        for name in names:
            levels = name.split("/")
            above = ["/".join(levels[:depth]) for depth in range(1, len(levels) + 1)]
            if len(self._caused) + len(above) <= MAX_CAUSED:
                self._caused.update(above)

    # --- what is asked for --------------------------------------------------------------------

    def events(self, name: str, subscribed: bool | None = None) -> frozenset[str]:
        """What the client wants to know of a mailbox."""
        if subscribed is None:
            subscribed = name in self._subscribed
        found: frozenset[str] = frozenset()
        for group in self._groups:
            if group.matches(name, subscribed):
                found |= group.events
        return found

    # --- looking ------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Take over what is there now, and listen to the mailboxes that count."""
        mailboxes, subscriptions = await self._session.workspace.listed(
            lambda infos, names: (infos, frozenset(names))
        )
        self._known = {info.id: info for info in mailboxes}
        self._subscribed = subscriptions
        wanted = {info.id for info in mailboxes if self.events(info.name) & MESSAGE_EVENTS}
        if len(wanted) > MAX_WATCHED:
            raise TooMany
        for gone in self._hints.keys() - wanted:
            self._hints.pop(gone)()
        own = self._session.workspace.actor.space_id
        late = self._watch_spaces({own, *(info.space_id for info in mailboxes)})
        fresh = wanted - self._hints.keys()
        for id_ in fresh:
            self._hints[id_] = self._session.watch(Topic.COLLECTION, id_, self._hinted)
        # What was committed between the snapshot and the watch raised no hint; one that came since
        # the snapshot stays.
        self.dirty = self.dirty or bool(fresh) or late

    async def report(self) -> None:
        """Send what changed since the last look."""
        before, subscribed_before = self._known, self._subscribed
        self.dirty = False
        try:
            await self._look()
        except TooMany:
            self._overflow()
            return
        except BaseException:
            self.dirty = True
            raise
        caused, self._caused = self._caused, set()
        for line in self._names(before, subscribed_before, caused):
            self._session.wire.send(line)
        for line in self._counters(before):
            self._session.wire.send(line)
        if self.dirty:
            self._session.changed()

    def _overflow(self) -> None:
        """rfc5465#5.8: as if NOTIFY NONE had been given."""
        code = "NOTIFICATIONOVERFLOW"
        self._session.wire.send(encoder.untagged("OK", "Too many mailboxes to watch", code))
        self._session.notes["NOTIFY"].end()

    # --- names and subscriptions --------------------------------------------------------------

    def _names(
        self, before: dict[int, MailboxInfo], subscribed: frozenset[str], caused: set[str]
    ) -> list[bytes]:
        """LIST responses for what was created, deleted, renamed, subscribed or not any more."""
        now = self._known
        renamed = {
            info.name: before[id_].name
            for id_, info in now.items()
            if id_ in before and before[id_].name != info.name and not self._moved(before, info)
        }
        created = {info.name for id_, info in now.items() if id_ not in before}
        deleted = {info.name for id_, info in before.items() if id_ not in now}
        affected = created | deleted
        affected |= {name.rpartition("/")[0] for name in affected}  # rfc5465#5.4: the parent too
        toggled = self._subscribed ^ subscribed
        by_name = {info.name: info for info in now.values()}
        levels = missing_levels(by_name)
        lines = []
        for name in sorted(affected | set(renamed) | toggled, key=order):
            was_subscribed = name in subscribed or name in self._subscribed
            wanted = self.events(name, was_subscribed)
            if name in renamed:
                wanted |= self.events(renamed[name])
            told = (name in affected or name in renamed) and NAME in wanted
            told = told or (name in toggled and SUBSCRIPTION in wanted)
            if told and name and name not in caused:
                level = name in levels
                lines.append(self._line(name, by_name.get(name), renamed.get(name), level=level))
        return lines

    def _moved(self, before: dict[int, MailboxInfo], info: MailboxInfo) -> bool:
        """Whether a mailbox has its new name only because the one above it was renamed."""
        old_parent, _, old_leaf = before[info.id].name.rpartition("/")
        parent, _, leaf = info.name.rpartition("/")
        if leaf != old_leaf or parent == old_parent:
            return False
        return any(
            known.name == parent and id_ in before and before[id_].name == old_parent
            for id_, known in self._known.items()
        )

    def _line(self, name: str, info: MailboxInfo | None, old: str | None, *, level: bool) -> bytes:
        words = attributes(info, level=level)
        if name in self._subscribed:
            words.append(b"\\Subscribed")
        if old is not None:
            return renamed_line(name, words, old, utf8=self._session.utf8)
        return list_line(name, words, utf8=self._session.utf8)

    # --- counters -----------------------------------------------------------------------------

    def _counters(self, before: dict[int, MailboxInfo]) -> list[bytes]:
        """STATUS responses for mailboxes in which messages or flags changed. # rfc5465#5.2"""
        selected = self._session.view.mailbox_id if self._session.view is not None else 0
        same_name = {info.name: info for info in before.values()}
        lines = []
        for id_, info in self._known.items():
            events = self.events(info.name) & MESSAGE_EVENTS
            if id_ == selected or not events:
                continue
            old = before.get(id_) or same_name.get(info.name)
            if old is None:
                if info.messages:
                    lines.append(self.status(info))
                continue
            items = self._changed_items(old, info, events)
            if items:
                lines.append(self._status(info, items))
        return lines

    def _changed_items(
        self, old: MailboxInfo, new: MailboxInfo, events: frozenset[str]
    ) -> dict[str, None]:
        """The status items that say what changed, empty when nothing is to be told."""
        items: dict[str, None] = {}
        condstore = self._session.condstore
        arrived = (old.messages, old.uidnext) != (new.messages, new.uidnext)
        if old.uidvalidity != new.uidvalidity or (NEW in events and arrived):
            # rfc5465#5.2, rfc5465#5.3
            items |= dict.fromkeys(["MESSAGES", "UIDNEXT", "UIDVALIDITY"])
        elif FLAGS in events and condstore and old.modseq != new.modseq:
            items |= dict.fromkeys(["UIDVALIDITY"])  # rfc5465#5.1
        if FLAGS in events and old.unseen != new.unseen:
            items |= dict.fromkeys(["UIDVALIDITY", "UNSEEN"])
        if items and condstore:
            items["HIGHESTMODSEQ"] = None
        return items

    def status(self, info: MailboxInfo) -> bytes:
        """What a client has to know of a mailbox to follow it. # rfc5465#3.1"""
        items = dict.fromkeys(["MESSAGES", "UIDNEXT", "UIDVALIDITY"])
        if FLAGS in self.events(info.name):
            items |= dict.fromkeys(["UNSEEN", "HIGHESTMODSEQ"])
        elif self._session.condstore:
            items["HIGHESTMODSEQ"] = None
        return self._status(info, items)

    def watched(self) -> list[MailboxInfo]:
        """The mailboxes whose messages are watched, by name, without the selected one."""
        selected = self._session.view.mailbox_id if self._session.view is not None else 0
        found = [self._known[id_] for id_ in self._hints if id_ != selected and id_ in self._known]
        return sorted(found, key=lambda info: order(info.name))

    def _status(self, info: MailboxInfo, items: Iterable[str]) -> bytes:
        limit = self._session.wire.limits.append
        return status_data(info, items, utf8=self._session.utf8, append_limit=limit)
