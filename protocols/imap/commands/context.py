"""CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267): results that are kept up to date.

A search with UPDATE leaves a context at the selected mailbox. What then joins or leaves its result
is told whenever changes of the mailbox are, until CANCELUPDATE or the next SELECT.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.results import Found, result_item, sequence
from folkmoot.protocols.imap.search_keys import SEARCH_RETURNS
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.view import View
from folkmoot.storage.types import UidSet
from folkmoot.storage.types_search import And, UidIn

capability("CONTEXT=SEARCH", signed_in)  # rfc5267#4.1
capability("CONTEXT=SORT", signed_in)  # rfc5267#4.1

# CONTEXT says that the client will ask for more of this result: nothing that we do depends on it.
SEARCH_RETURNS.add("CONTEXT", "UPDATE")

MAX_CONTEXTS = 8  # of a selected mailbox; each costs a search when messages change
MAX_TAG = 64


class Context:
    """One result that is kept up to date. Implements ``view.Watcher``."""

    def __init__(self, session: Session, view: View, found: Found) -> None:
        self.tag = session.tag
        self._session = session
        self._view = view
        self._found = found
        self._results = array("I", found.uids)
        # Messages of which a look failed: they are looked at again with the next.
        self._waiting = UidSet()

    def leaving(self, uids: UidSet) -> None:
        """Messages are about to be told as expunged; their numbers still mean them."""
        # rfc5267#4.3.4
        self._waiting = self._waiting.difference(uids)
        gone = [uid for uid in self._results if uid in uids]
        if gone:
            self._tell(self._remove(gone))

    async def changed(self, uids: UidSet) -> None:
        """Messages came or changed. # rfc5267#4.3.3"""
        found = self._found
        self._waiting = looked_at = self._waiting.union(uids)
        if not looked_at:
            return
        workspace = self._session.workspace
        key = And((UidIn(looked_at), found.key))
        rows = await workspace.search(found.mailbox_id, key)
        matching = {row[0] for row in rows if self._view.number(row[0])}
        added = matching.difference(self._results)
        order: Sequence[int] = sorted(added)
        if added and found.criteria:
            # What a message sorts by never changes: only what is new needs a place.
            sorted_ = await workspace.sort(found.mailbox_id, found.key, found.criteria)
            order = sorted_.uids
        self._waiting = UidSet()
        gone = [uid for uid in self._results if uid in looked_at and uid not in matching]
        self._tell(self._remove(gone) + self._add(added, order))

    def _remove(self, gone: Sequence[int]) -> list[bytes]:
        if not gone:
            return []
        if not self._found.criteria:
            removed = set(gone)
            self._results = array("I", [uid for uid in self._results if uid not in removed])
            return [b"REMOVEFROM (0 %b)" % self._named(gone)]
        places = []
        for uid in gone:
            place = self._results.index(uid)
            del self._results[place]
            places.append(b"%d %b" % (place + 1, self._named([uid])))
        return [b"REMOVEFROM (%b)" % b" ".join(places)]

    def _add(self, added: set[int], order: Sequence[int]) -> list[bytes]:
        if not added:
            return []
        if not self._found.criteria:
            self._results = array("I", sorted([*self._results, *added]))
            return [b"ADDTO (0 %b)" % self._named(order)]
        wanted = added.union(self._results)
        self._results = array("I", [uid for uid in order if uid in wanted])
        # Each is put where it stays, from the first on, as the client does it.
        places = [
            b"%d %b" % (place, self._named([uid]))
            for place, uid in enumerate(self._results, 1)
            if uid in added
        ]
        return [b"ADDTO (%b)" % b" ".join(places)]

    def _named(self, uids: Sequence[int]) -> bytes:
        return sequence(uids if self._found.uid else self._view.numbers(uids))

    def _tell(self, items: Sequence[bytes]) -> None:
        """RFC 5267 section 4.3."""
        words = [b"ESEARCH (TAG %b)" % encoder.quoted_or_literal(self.tag)]
        if self._found.uid:
            words.append(b"UID")
        if items:
            self._session.wire.send(encoder.data(*words, *items))


@result_item("UPDATE")
async def _update(session: Session, found: Found, _: object) -> bytes | None:
    """Leave a context behind; the item itself says nothing. # rfc5267#4.3"""
    view = session.selected
    contexts = _contexts(view)
    tag = encoder.quoted_or_literal(session.tag)
    if any(context.tag == session.tag for context in contexts):
        raise BadSyntax("There is an updated result with this tag")
    if len(contexts) >= MAX_CONTEXTS:
        code = f"NOUPDATE {tag.decode()}"  # rfc5267#4.3.1
        session.wire.send(encoder.untagged("NO", "Too many results are kept up to date", code))
    else:
        view.watchers.append(Context(session, view, found))
    return None


def _contexts(view: View) -> list[Context]:
    return [watcher for watcher in view.watchers if isinstance(watcher, Context)]


def parse_cancel(cursor: Cursor) -> tuple[bytes, ...]:
    """Read the tags of CANCELUPDATE. # rfc5267#4.3.5"""
    tags: list[bytes] = []
    while cursor.more():
        if len(tags) >= MAX_CONTEXTS:
            raise BadSyntax("Too many tags")
        tags.append(cursor.astring()[:MAX_TAG])
    if not tags:
        raise BadSyntax("Expected tag")
    cursor.end()
    return tuple(tags)


@command(
    "CANCELUPDATE",
    State.SELECTED,
    parse_cancel,
    example=b'CANCELUPDATE "A1" "A2"',
    extension="CONTEXT",
)
async def cancel_update(session: Session, tags: tuple[bytes, ...]) -> Reply:
    """RFC 5267 section 4.3.5: all of them, or none."""
    view = session.selected
    known = {context.tag: context for context in _contexts(view)}
    if not known.keys() >= set(tags):
        raise BadSyntax("There is no updated result with this tag")
    for tag in set(tags):
        view.watchers.remove(known[tag])
    return OK
