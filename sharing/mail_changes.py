"""What a session missed of a mailbox: read with the mailbox's state, so that the two agree."""

from __future__ import annotations

from typing import Final

from folkmoot.storage.txn import ReadTxn
from folkmoot.storage.types import (
    MailboxChanges,
    MailboxState,
    MessageColumn,
    MessageRow,
    UidSet,
)
from folkmoot.storage.views.mailboxes import ChangesSince
from folkmoot.storage.views.messages import FetchRows, ReadState

FLAGS: Final = (MessageColumn.FLAGS, MessageColumn.MODSEQ)

Changed = tuple[MailboxChanges, list[MessageRow]]
"""Changes, and (uid, flags, keywords, modseq) of what changed."""


def changed(txn: ReadTxn, view: ChangesSince) -> Changed:
    """What changed, without rows of what whoever asks has changed alone."""
    changes = txn.view(view)
    wanted = changes.changed.difference(changes.known)
    rows = txn.view(FetchRows(view.mailbox_id, wanted, FLAGS)) if wanted else []
    return changes, rows


def opened(
    txn: ReadTxn, view: ReadState, known: tuple[int, int] | None
) -> tuple[MailboxState, Changed | None]:
    """The state of a mailbox, and what changed since the UIDVALIDITY and modseq that are known.

    Without these, or when the former is another one now, there are no changes. When the log does
    not reach back so far, the rows are those of all messages.
    """
    state = txn.view(view)
    if known is None or known[0] != state.uidvalidity:
        return state, None
    changes, rows = changed(txn, ChangesSince(view.mailbox_id, known[1]))
    if not changes.complete:
        everything = UidSet.from_iterable(state.uids)
        rows = txn.view(FetchRows(view.mailbox_id, everything, FLAGS))
    return state, (changes, rows)
