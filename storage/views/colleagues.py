"""The address book of colleagues: a card for each fellow member of the actor's groups.

It is a folder of one's own contacts that nobody writes but the server: whenever its owner looks at
it, what has changed about the others is written first (``mutations.colleagues``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Need, OnSpace
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types_sharing import COLLEAGUES
from folkmoot.storage.views.base import View

#: What the folder is called, where nothing else is called so.
NAME = "Colleagues"

_FELLOWS = Statement(
    "SELECT DISTINCT a.id, a.space_id, a.name, a.address, p.about, p.etag FROM members mine"
    " JOIN members m ON m.group_id = mine.group_id JOIN accounts a ON a.id = m.account_id"
    " LEFT JOIN profiles p ON p.account_id = a.id"
    " WHERE mine.account_id = :account AND m.account_id <> :account ORDER BY a.id"
)
_ADDRESSES = Statement(
    "SELECT DISTINCT d.account_id, d.address FROM members mine"
    " JOIN members m ON m.group_id = mine.group_id JOIN addresses d ON d.account_id = m.account_id"
    " WHERE mine.account_id = :account ORDER BY d.account_id, d.address"
)
_BOOK = Statement(
    "SELECT id FROM collections WHERE space_id = :space AND tool = 'contacts'"
    " AND special_use = :use"
)
_CARDS = Statement("SELECT name, etag FROM items WHERE folder_id = :book")
_SOURCE = Statement("SELECT source FROM profiles WHERE account_id = :account")


@dataclass(frozen=True, slots=True)
class Colleague:
    """A fellow member. ``etag`` is that of the finished card, "" where it has to be made anew."""

    account_id: int
    space_id: int
    name: str
    addresses: tuple[str, ...]
    about: str
    etag: str

    @property
    def resource(self) -> str:
        """The name of the card."""
        return f"{self.space_id}.vcf"


def colleagues(context: ReadContext) -> list[Colleague]:
    """The fellow members of the actor, by number."""
    account = context.actor.account_id
    addresses: dict[int, list[str]] = {}
    for id_, address in context.db.all(_ADDRESSES, account=account):
        addresses.setdefault(id_, []).append(address)
    found = []
    for id_, space, name, primary, about, etag in context.db.all(_FELLOWS, account=account):
        others = [each for each in addresses.get(id_, ()) if each != primary]
        now = hashlib.blake2b("\n".join([name, primary, *others]).encode(), digest_size=12)
        digest = now.hexdigest()
        fresh = etag if about == digest else ""
        found.append(Colleague(id_, space, name, (primary, *others), digest, fresh or ""))
    return found


def book_of(context: ReadContext, space_id: int) -> int | None:
    """The folder of the cards in a space; None where there is none yet."""
    row = context.db.one(_BOOK, space=space_id, use=COLLEAGUES)
    return row[0] if row is not None else None


def cards_in(context: ReadContext, book_id: int) -> dict[str, str]:
    """The cards that are there: tags by name."""
    return dict(context.db.all(_CARDS, book=book_id))


@dataclass(frozen=True, slots=True)
class AreColleaguesStale(View[bool]):
    """Whether something about the fellow members changed since the book was last written."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id, look=True)]

    def read(self, context: ReadContext) -> bool:
        if context.actor.support is not None:  # support writes nothing there
            return False
        book = book_of(context, self.space_id)
        now = {each.resource: each.etag for each in colleagues(context)}
        if book is None:
            return bool(now)
        return "" in now.values() or now != cards_in(context, book)


@dataclass(frozen=True, slots=True)
class ProfileSource(View[int]):
    """The item that is the card that the owner of a space keeps of himself; 0 for none."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id, look=True)]

    def read(self, context: ReadContext) -> int:
        row = context.db.one(_SOURCE, account=context.actor.account_id)
        return row[0] if row is not None else 0
