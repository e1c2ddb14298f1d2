"""Sharing messages by copying them to where a group finds what is shared with it."""

from __future__ import annotations

from typing import Final

from folkmoot.sharing.rights import READ
from folkmoot.storage.errors import LimitReached, Unchangeable
from folkmoot.storage.mutations.item_grants import ShareItem
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Copied, MailboxInfo, MessageColumn, UidSet
from folkmoot.storage.views.messages import FetchRows

AT_ONCE: Final = 200  # messages: each is shown to everybody by itself


def share_messages(txn: Txn, mailbox_id: int, uids: UidSet, shared: MailboxInfo) -> Copied:
    """Share messages with the group that has the mailbox ``shared``; where it finds them.

    They are the same messages, not copies: when their owner removes them, they are gone there too.
    Raises ``LimitReached``, ``Unchangeable`` for what the group has itself, ``PermissionDenied``
    for what is not the actor's to share.
    """
    there = [row[0] for row in txn.view(FetchRows(mailbox_id, uids, (MessageColumn.FLAGS,)))]
    if len(there) > AT_ONCE:
        raise LimitReached(f"At most {AT_ONCE} messages can be shared at once.")
    links = [txn.apply(ShareItem(mailbox_id, uid, shared.space_id, READ)) for uid in sorted(there)]
    if 0 in links:
        raise Unchangeable("The group has this message already.")
    return Copied(shared.uidvalidity, tuple(sorted(there)), tuple(links))
