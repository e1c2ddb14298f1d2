"""Which card a person keeps of himself, and what of it fellow members see.

It is the one that a program has said (``me-card`` on the home, which Apple's Contacts sets), else
the one in the first address book that has an address of the account.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final
from urllib.parse import unquote

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.sortkeys import collation_key
from folkmoot.storage.content.vcard.colleague import shown_of
from folkmoot.storage.content.vcard.facts import NAME_END
from folkmoot.storage.content.vcard.filters import Filter, MatchType, PropFilter, TextMatch
from folkmoot.storage.content.vcard.intake import CardError
from folkmoot.storage.mutations.colleagues import ShowProfile
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import DEFAULT, CardRow, Folder, Item, ItemContent, TreePath
from folkmoot.storage.views.colleagues import ProfileSource
from folkmoot.storage.views.objects import FindCards, ReadNumbered
from folkmoot.storage.views.principals import ReadPrincipal
from folkmoot.storage.views.tree import FindPath, ListMembers

ME_CARD: Final = "{http://calendarserver.org/ns/}me-card"
_HREF = re.compile(r"<(?:[\w.-]+:)?href\b[^>]*>([^<>]*)<")
_BUDGET: Final = 1 << 20


def concerns(txn: Txn, space_id: int, item: Item | None, content: ItemContent | None) -> bool:
    """Whether a change of an item can change what is shown: ``content`` is what it becomes."""
    if content is not None and isinstance(content.facts, CardRow):
        wanted = collation_key(f"EMAIL{NAME_END}{txn.actor.name}")
        if wanted in content.facts.text:
            return True
    return item is not None and item.id == txn.view(ProfileSource(space_id))


def renew(txn: Txn, blobs: FileBlobs, space_id: int) -> None:
    """Look again which card it is, and show what is in it."""
    item = _named(txn, space_id) or _addressed(txn, blobs, space_id)
    shown = b""
    if item is not None:
        [entry] = txn.view(ReadNumbered(item.folder_id, (item.id,), blobs, _BUDGET, False))
        try:
            shown = shown_of(entry.data or b"")
        except CardError:
            item = None
    txn.apply(ShowProfile(space_id, item.id if item is not None else 0, shown))


def _named(txn: Txn, space_id: int) -> Item | None:
    """The card that a program has said, where it is there."""
    home = txn.view(FindPath(TreePath(space_id, Tool.CONTACTS))).entry
    match = _HREF.search(home.properties.get(ME_CARD, "")) if home is not None else None
    if match is None:
        return None
    names = tuple(unquote(each) for each in unescape(match[1]).strip().split("/")[-2:])
    if len(names) != 2 or not all(names):
        return None
    found = txn.view(FindPath(TreePath(space_id, Tool.CONTACTS, names), properties=False)).entry
    return found.node if found is not None and isinstance(found.node, Item) else None


def _addressed(txn: Txn, blobs: FileBlobs, space_id: int) -> Item | None:
    """The first card in the first book that has an address of the account."""
    home = txn.view(FindPath(TreePath(space_id, Tool.CONTACTS), properties=False)).entry
    assert home is not None
    members = txn.view(ListMembers(home.node.id, properties=False))
    books = [each.node for each in members if isinstance(each.node, Folder)]
    book = next((each for each in books if each.special_use == DEFAULT), None)
    if book is None:
        return None
    for address in txn.view(ReadPrincipal(space_id)).addresses:
        text = TextMatch(address, match_type=MatchType.EQUALS)
        asked = Filter((PropFilter("EMAIL", text_matches=(text,)),))
        for id_ in txn.view(FindCards(book.id, asked, blobs)):
            [entry] = txn.view(ReadNumbered(book.id, (id_,), properties=False))
            return entry.node if isinstance(entry.node, Item) else None
    return None
