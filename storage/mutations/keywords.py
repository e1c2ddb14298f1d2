"""The keywords that a mailbox knows: one spelling of each, and not too many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached
from folkmoot.storage.txn import ReadContext, WriteContext

MAX_KEYWORDS = 256  # different ones in one mailbox

_KEYWORDS = Statement("SELECT keywords FROM collections WHERE id = :id")
_SET_KEYWORDS = Statement("UPDATE collections SET keywords = :keywords WHERE id = :id")


def spelling(context: ReadContext, mailbox_id: int, keywords: Iterable[str]) -> dict[str, str]:
    """Keywords in the spelling that the mailbox has for them: case does not tell them apart.

    New ones keep their own, or that of the first of them. # rfc9051#2.3.2
    """
    words = sorted(set(keywords))
    if not words:
        return {}
    known = {word.lower(): word for word in context.db.value(_KEYWORDS, id=mailbox_id).split()}
    return {word: known.setdefault(word.lower(), word) for word in words}


def learn_keywords(context: WriteContext, mailbox_id: int, keywords: Iterable[str]) -> None:
    """Remember keywords in the mailbox's list. Raises ``LimitReached`` when there are too many."""
    new = set(keywords)
    if not new:
        return
    known = context.db.value(_KEYWORDS, id=mailbox_id).split()
    new -= set(known)
    if not new:
        return
    if len(known) + len(new) > MAX_KEYWORDS:
        raise LimitReached("There are too many different keywords in this mailbox.")
    context.db.run(_SET_KEYWORDS, keywords=" ".join([*known, *sorted(new)]), id=mailbox_id)


def spelled_row(spelled: Mapping[str, str], keywords: Iterable[str]) -> str:
    """Keywords as a message's row keeps them; ``spelled`` is what ``spelling`` returned."""
    return " ".join(sorted({spelled[word] for word in keywords}))
