"""Threading algorithms over keys of messages: pure functions (RFC 5256 section 3).

A message is known here by its place in the list that is given, which is in the order of UIDs.
Numbers behind the end of the list stand for messages that others refer to and that are not there
("dummies"). Nothing recurses: a hostile chain of references may be as long as the mailbox.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from folkmoot.storage.types_search import Threads

NONE = -1
_DUMMIES = 1_000  # that are asked for at a time


class ThreadMember(NamedTuple):
    """What threading needs of a message; see ``SortKeys`` for what the fields mean."""

    uid: int
    sent: int
    subject: str
    reply: int
    message_id: int | None
    references: bytes


def by_subject(members: Sequence[ThreadMember]) -> Threads:
    """ORDEREDSUBJECT: all of a subject, the first being parent of the others. # rfc5256#3"""
    ordered = sorted(members, key=lambda one: (one.subject, one.sent, one.uid))
    threads = [list(group) for _, group in groupby(ordered, key=lambda one: one.subject)]
    threads.sort(key=lambda thread: (thread[0].sent, thread[0].uid))
    return Threads(
        tuple([thread[0].uid for thread in threads]),
        {thread[0].uid: [one.uid for one in thread[1:]] for thread in threads if len(thread) > 1},
    )


def by_references(
    members: Sequence[ThreadMember],
    *,
    subjects: bool,
    take: Callable[[int], object] = lambda _: None,
) -> Threads:
    """REFERENCES, or REFS, which leaves subjects alone and has the latest thread last.

    ``take`` is called with numbers of dummies before there are more of them, and may raise.
    """
    # rfc5256#3
    forest = _Forest(members, take)
    if subjects:
        forest.sort_children()
        forest.sort_roots()
        forest.join_subjects()
    forest.sort_children()
    if subjects:
        forest.sort_roots()
    else:
        forest.sort_roots_by_latest()
    return forest.threads()


class _Forest:
    """Trees of messages and dummies, linked and pruned."""

    def __init__(self, members: Sequence[ThreadMember], take: Callable[[int], object]) -> None:
        self._members = members
        self._dates = [(one.sent, place) for place, one in enumerate(members)]
        self.children: dict[int, list[int]] = {}
        parents = _Links(members, take).parents
        self._next = len(parents)
        self.roots: list[int] = []
        for node, parent in enumerate(parents):
            if parent == NONE:
                self.roots.append(node)
            else:
                self.children.setdefault(parent, []).append(node)
        self._prune()

    def _dummy(self, node: int) -> bool:
        return node >= len(self._members)

    def _top_down(self, roots: Iterable[int]) -> Iterator[int]:
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(self.children.get(node, ()))

    def _prune(self) -> None:
        """Take dummies out: children move up, but at the root only a single one. # step 3"""
        count, children = len(self._members), self.children
        stand_in: dict[int, list[int]] = {}
        for node in reversed(list(self._top_down(self.roots))):
            below = children.pop(node, None)
            kept = [one for child in below for one in stand_in.pop(child)] if below else []
            if node >= count:
                stand_in[node] = kept
            else:
                stand_in[node] = [node]
                if kept:
                    children[node] = kept
        roots, self.roots = self.roots, []
        for node in roots:
            kept = stand_in[node]
            if len(kept) > 1:
                children[node] = kept
                self.roots.append(node)
            else:
                self.roots += kept

    # --- order --------------------------------------------------------------------------------

    def _first(self, node: int) -> int:
        """A message itself, or the first that a dummy holds."""
        return self.children[node][0] if self._dummy(node) else node

    def sort_children(self) -> None:
        """Siblings below the root by date; there are no dummies among them."""
        for siblings in self.children.values():
            if len(siblings) > 1:
                siblings.sort(key=self._dates.__getitem__)

    def sort_roots(self) -> None:
        """Threads by the date of what begins them. # step 4, step 6"""
        self.roots.sort(key=lambda root: self._dates[self._first(root)])

    def sort_roots_by_latest(self) -> None:
        """Threads by the date of the latest message in them; where that ties, by their first."""
        count, dates = len(self._members), self._dates
        latest = {
            root: max([dates[node][0] for node in self._top_down((root,)) if node < count])
            for root in self.roots
        }
        self.roots.sort(key=lambda root: (latest[root], self._first(root)))

    # --- subjects, step 5 ---------------------------------------------------------------------

    def _subject(self, node: int) -> str:
        return self._members[self._first(node)].subject

    def _reply(self, node: int) -> bool:
        return not self._dummy(node) and bool(self._members[node].reply)

    def join_subjects(self) -> None:
        """Make one thread of those whose base subjects are equal."""
        table = self._subject_table()
        gone: set[int] = set()
        replaced: dict[int, int] = {}
        for node in self.roots:
            subject = self._subject(node)
            if not subject or table[subject] == node:
                continue
            other = table[subject]
            gone.add(node)
            if self._dummy(node) and self._dummy(other):
                self.children[other] += self.children.pop(node)
            elif self._dummy(other) or (self._reply(node) and not self._reply(other)):
                self.children.setdefault(other, []).append(node)
            else:
                joined = self._next
                self._next += 1
                self.children[joined] = [other, node]
                table[subject] = replaced[other] = joined
        self.roots = [replaced.get(node, node) for node in self.roots if node not in gone]

    def _subject_table(self) -> dict[str, int]:
        table: dict[str, int] = {}
        for node in self.roots:
            subject = self._subject(node)
            if not subject:
                continue
            other = table.get(subject)
            if other is None or (
                not self._dummy(other)
                and (self._dummy(node) or (self._reply(other) and not self._reply(node)))
            ):
                table[subject] = node
        return table

    def threads(self) -> Threads:
        """What the forest is, by UIDs."""
        names = [one.uid for one in self._members]
        names += [-node for node in range(len(names), self._next)]
        return Threads(
            tuple([names[node] for node in self.roots]),
            {names[node]: [names[one] for one in below] for node, below in self.children.items()},
        )


class _Links:
    """Who answers whom: ``parents`` of all nodes, ``NONE`` without. # step 1"""

    def __init__(self, members: Sequence[ThreadMember], take: Callable[[int], object]) -> None:
        self.parents = [NONE] * len(members)
        self._take = take
        self._room = 0  # for dummies
        self._has_children: set[int] = set()
        self._nodes: dict[int, int] = {}
        for node, one in enumerate(members):
            # Of several with one message id, only the first is meant by those who refer to it.
            if one.message_id is not None:
                self._nodes.setdefault(one.message_id, node)
        for node, one in enumerate(members):
            count = len(one.references) // 8
            last = NONE
            for reference in struct.unpack(f">{count}q", one.references):
                named = self._node(reference)
                if last != NONE and self.parents[named] == NONE:
                    self._link(last, named)
                last = named
            # What was guessed of this message from others' references gives way to its own.
            self.parents[node] = NONE
            if last != NONE:
                self._link(last, node)

    def _node(self, message_id: int) -> int:
        node = self._nodes.get(message_id)
        if node is None:
            if not self._room:
                self._take(_DUMMIES)
                self._room = _DUMMIES
            self._room -= 1
            node = self._nodes[message_id] = len(self.parents)
            self.parents.append(NONE)
        return node

    def _link(self, parent: int, child: int) -> None:
        """Make one the parent of the other, unless that would close a ring."""
        if parent == child:
            return
        if child in self._has_children:
            above = parent
            while above != NONE:
                if above == child:
                    return
                above = self.parents[above]
        self.parents[child] = parent
        self._has_children.add(parent)
