"""Mutations of the address book of colleagues, and of what one shows of oneself there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import digest
from folkmoot.storage.content.vcard.colleague import colleague_card, read_colleague
from folkmoot.storage.content.vcard.facts import facts_of
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Need, OnSpace
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.bodies import insert_body
from folkmoot.storage.mutations.first_folders import displayname
from folkmoot.storage.mutations.naming import bury
from folkmoot.storage.mutations.tree_folders import insert_folder, insert_properties
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Tool, Topic
from folkmoot.storage.types_sharing import COLLEAGUES
from folkmoot.storage.types_tree import ItemContent
from folkmoot.storage.views.colleagues import NAME, Colleague, book_of, cards_in, colleagues
from folkmoot.storage.views.sight import compared
from folkmoot.storage.views.tree import root_of

_MEDIA_TYPE = "text/vcard; charset=utf-8"
_PROFILE = Statement("SELECT shown, blob_id FROM profiles WHERE account_id = :account")
_FINISH = Statement(
    "INSERT INTO profiles (account_id, source, shown, about, etag, blob_id)"
    " VALUES (:account, 0, :shown, :about, :etag, :blob)"
    " ON CONFLICT (account_id) DO UPDATE SET about = excluded.about, etag = excluded.etag,"
    " blob_id = excluded.blob_id"
)
_SHOW = Statement(
    "INSERT INTO profiles (account_id, source, shown, about, etag) VALUES (:account, :source,"
    " :shown, '', '') ON CONFLICT (account_id) DO UPDATE SET source = excluded.source,"
    " shown = excluded.shown, about = ''"
)
_OCTETS = Statement("SELECT data FROM blobs WHERE id = :id")
_NAMED = Statement("SELECT 1 FROM collections WHERE parent_id = :parent AND name = :name")
_BOOKS_WITH = Statement(
    "SELECT c.id FROM collections c JOIN items i ON i.folder_id = c.id AND i.name = :name"
    " WHERE c.special_use = 'colleagues' ORDER BY c.id"
)
_ITEM = Statement("SELECT id, size FROM items WHERE folder_id = :book AND name = :name")
_INSERT = Statement(
    "INSERT INTO items (folder_id, name, shown, modseq, created, modified, size, etag, media_type,"
    " blob_id, component, schedule_tag) VALUES (:folder, :name, :name, :modseq, :now, :now, :size,"
    " :etag, :media_type, :blob, 'individual', '') RETURNING id"
)
_REPLACE = Statement(
    "UPDATE items SET modseq = :modseq, modified = :now, size = :size, etag = :etag,"
    " blob_id = :blob WHERE id = :id"
)
_INSERT_FACTS = Statement(
    "INSERT INTO contact_cards (item_id, folder_id, uid, text)"
    " VALUES (:item, :folder, :uid, :text)"
    " ON CONFLICT (item_id) DO UPDATE SET text = excluded.text"
)
_DELETE = Statement("DELETE FROM items WHERE id = :id")


@dataclass(frozen=True, slots=True)
class RenewColleagues(Mutation[None]):
    """Write what has changed about the fellow members of an account into its book of colleagues.

    What is not charged: the cards are not the account's.
    """

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        context.lock([root_of(context, self.space_id, Tool.CONTACTS).id])
        book = book_of(context, self.space_id) or self._make(context)
        present = cards_in(context, book)
        now = {each.resource: each for each in colleagues(context)}
        for name in present:
            if name not in now:
                _remove(context, book, name)
        for name, colleague in now.items():
            octets, etag, blob = _finished(context, colleague)
            if present.get(name) != etag:
                _put(context, book, name, octets, etag, blob)

    def _make(self, context: WriteContext) -> int:
        root = root_of(context, self.space_id, Tool.CONTACTS)
        name, number = NAME, 1
        while context.db.one(_NAMED, parent=root.id, name=compared(name)) is not None:
            number += 1
            name = f"{NAME} ({number})"
        numbered = context.number(root.id)
        made = insert_folder(
            context,
            self.space_id,
            Tool.CONTACTS,
            root.id,
            name,
            numbered,
            special_use=COLLEAGUES,
        )
        insert_properties(context, made, displayname(NAME))
        context.hint(Topic.SPACE, self.space_id)
        return made


def _finished(context: WriteContext, colleague: Colleague) -> tuple[bytes | None, str, int]:
    """The card of a fellow member, made if need be: octets where they are at hand, tag, body."""
    row = context.db.one(_PROFILE, account=colleague.account_id)
    if row is not None and colleague.etag and row[1] is not None:
        return None, colleague.etag, row[1]
    shown = bytes(row[0]) if row is not None else b""
    uid = f"urn:x-folkmoot:account:{colleague.space_id}"
    octets = colleague_card(shown, uid, colleague.name, colleague.addresses)
    content = ItemContent(octets, None, len(octets), digest(octets), _MEDIA_TYPE)
    blob = insert_body(context, content)
    context.db.run(
        _FINISH,
        account=colleague.account_id,
        shown=shown,
        about=colleague.about,
        etag=content.etag,
        blob=blob,
    )
    return octets, content.etag, blob


def _put(
    context: WriteContext, book: int, name: str, octets: bytes | None, etag: str, blob: int
) -> None:
    if octets is None:
        octets = bytes(context.db.value(_OCTETS, id=blob))
    old = context.db.one(_ITEM, book=book, name=name)
    values = {"now": context.now, "size": len(octets), "etag": etag, "blob": blob}
    if old is None:
        number = context.number(book, items=1, size=len(octets))
        item = context.db.value(
            _INSERT, folder=book, name=name, modseq=number, media_type=_MEDIA_TYPE, **values
        )
    else:
        item, size = old
        number = context.number(book, size=len(octets) - size)
        context.db.run(_REPLACE, id=item, modseq=number, **values)
    facts = facts_of(read_colleague(octets))
    context.db.run(_INSERT_FACTS, item=item, folder=book, uid=facts.uid, text=facts.text)


def _remove(context: WriteContext, book: int, name: str) -> None:
    row = context.db.one(_ITEM, book=book, name=name)
    assert row is not None
    context.db.run(_DELETE, id=row[0])
    bury(context, book, context.number(book, items=-1, size=-row[1]), name)


def forget_person(context: WriteContext, space_id: int) -> None:
    """Take the card of somebody who goes away out of all books."""
    name = f"{space_id}.vcf"
    for (book,) in context.db.all(_BOOKS_WITH, name=name):
        _remove(context, book, name)


@dataclass(frozen=True, slots=True)
class ShowProfile(Mutation[None]):
    """Show fellow members what is in ``shown`` (a vCard, b"" for nothing) of oneself.

    ``source`` is the item that it is taken from, 0 for none.
    """

    space_id: int
    source: int
    shown: bytes

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        account = context.actor.account_id
        context.db.run(_SHOW, account=account, source=self.source, shown=self.shown)
