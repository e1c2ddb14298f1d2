"""Tells a session which annotations others changed: for ENABLE METADATA and for NOTIFY."""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import Topic

MAX_CAUSED = 1000  # changes of its own that a session remembers until they are looked at

# Whether changes on a mailbox (by name, "" for the account) are to be told.
Wanted = Callable[[str], bool]


class MetadataWatch:
    """The one watch of a session; ``of`` finds or makes it."""

    def __init__(self, session: Session) -> None:
        self.dirty = False
        self._session = session
        self._since = 0
        self._caused: set[int] = set()
        self._wanted: dict[str, Wanted] = {}

    @classmethod
    def of(cls, session: Session) -> MetadataWatch:
        """The session's watch."""
        watch = session.notes.get("METADATA")
        if not isinstance(watch, MetadataWatch):
            watch = session.notes["METADATA"] = cls(session)
        return watch

    def caused(self, modseq: int) -> None:
        """The session made this change itself and is not told of it."""
        if self._wanted and len(self._caused) < MAX_CAUSED:
            self._caused.add(modseq)

    async def start(self, reason: str, wanted: Wanted) -> None:
        """Tell from now on what ``wanted`` says, besides what other reasons ask for."""
        if not self._wanted:
            self._since, _ = await self._session.workspace.annotations_since(2**62)
        first = not self._wanted
        self._wanted[reason] = wanted
        if first and self not in self._session.reporters:
            space = self._session.workspace.actor.space_id
            self._session.watch(Topic.SPACE, space, self._hinted)
            self._session.reporters.append(self)

    def stop(self, reason: str) -> None:
        """End what was asked for with this reason."""
        self._wanted.pop(reason, None)

    def _hinted(self) -> None:
        self.dirty = bool(self._wanted)

    async def report(self) -> None:
        """Send the names of entries that others changed. # rfc5464#4.4.2"""
        self.dirty = False
        since = self._since
        self._since, changed = await self._session.workspace.annotations_since(since)
        utf8 = self._session.utf8
        for info, changes in changed:
            name = info.name if info is not None else ""
            if not any(wanted(name) for wanted in self._wanted.values()):
                continue
            entries = [
                encoder.astring(annotation.entry.encode())
                for annotation in changes
                if annotation.modseq not in self._caused
            ]
            if entries:
                words = [b"METADATA", encoder.mailbox_name(name, utf8), *entries]
                self._session.wire.send(encoder.data(*words))
        self._caused.clear()
