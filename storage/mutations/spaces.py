"""What accounts and groups have in common: a space, with its roots, first folders and limits."""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.limits import set_plan_limit
from folkmoot.storage.mutations.first_folders import insert_first_folders
from folkmoot.storage.mutations.links import grants_removed
from folkmoot.storage.mutations.mailboxes import INBOX, insert_mailbox
from folkmoot.storage.txn import WriteContext
from folkmoot.storage.types import Limit, Tool, Topic

# rfc6154#2; these names are what clients show translated or as they are.
FOLDERS = (
    (INBOX, ""),
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
)

_INSERT_SPACE = Statement("INSERT INTO spaces (owner_account_id) VALUES (0) RETURNING id")
_INSERT_ROOT = Statement(
    "INSERT INTO collections (space_id, tool, parent_id, name, modseq, uidvalidity, uidnext,"
    " created, modified) VALUES (:space, :tool, NULL, '', 1, 0, 1, :now, :now) RETURNING id"
)
_LOCK_SPACE = Statement("SELECT id FROM spaces WHERE id = :space FOR UPDATE")
_LOCK_COLLECTIONS = Statement(
    "SELECT id FROM collections WHERE space_id = :space ORDER BY id FOR UPDATE"
)
_COLLECTIONS = Statement("SELECT id, modseq FROM collections WHERE space_id = :space")
_DESTROY_SPACE = (
    Statement(
        "DELETE FROM messages WHERE mailbox_id IN"
        " (SELECT id FROM collections WHERE space_id = :space)"
    ),
    Statement(
        "DELETE FROM changes WHERE collection_id IN"
        " (SELECT id FROM collections WHERE space_id = :space)"
    ),
    Statement("DELETE FROM annotations WHERE space_id = :space"),
    Statement("DELETE FROM locks WHERE space_id = :space"),
    Statement("DELETE FROM schedule_messages WHERE space_id = :space"),
    *(
        Statement(
            f"DELETE FROM {table} WHERE folder_id IN"  # noqa: S608
            " (SELECT id FROM collections WHERE space_id = :space)"
        )
        for table in ("items", "properties", "tombstones")
    ),
    Statement("DELETE FROM collections WHERE space_id = :space"),
    Statement("DELETE FROM usage WHERE space_id = :space"),
)
_DELETE_SPACE = Statement("DELETE FROM spaces WHERE id = :space")


def insert_space(context: WriteContext, limits: Mapping[Tool, Limit]) -> int:
    """Make a space that nobody owns yet, with its roots and first folders; returns its id."""
    space: int = context.db.value(_INSERT_SPACE)
    for tool in Tool:
        set_plan_limit(context.db, space, tool, limits.get(tool, Limit(None, None)))
    roots = {
        tool: context.db.value(_INSERT_ROOT, space=space, tool=tool.value, now=context.now)
        for tool in Tool
    }
    for name, special_use in FOLDERS:
        insert_mailbox(context, space, roots[Tool.MAIL], name, special_use)
    insert_first_folders(context, space, roots)
    return space


def lock_space(context: WriteContext, space_id: int) -> None:
    """Let deliveries, new mailboxes and folders wait: they then find nothing to be put into.

    They too hold a collection before a new row of theirs holds the space.
    """
    if not context.db.is_sqlite:
        context.db.all(_LOCK_COLLECTIONS, space=space_id)
        context.db.one(_LOCK_SPACE, space=space_id)


def empty_space(context: WriteContext, space_id: int) -> None:
    """Destroy all that a space holds; octets go with the next sweep of unreferenced blobs."""
    announce(context, space_id)
    grants_removed(context, "n.space_id = :space", space=space_id)
    grants_removed(context, "n.grantee = :space", space=space_id)
    for statement in _DESTROY_SPACE:
        context.db.run(statement, space=space_id)


def delete_space(context: WriteContext, space_id: int) -> None:
    """Destroy an empty space that nobody owns any more."""
    context.db.run(_DELETE_SPACE, space=space_id)


def announce(context: WriteContext, space_id: int) -> None:
    """Let all who look at a space look again: what they may do there has changed."""
    for collection_id, modseq in context.db.all(_COLLECTIONS, space=space_id):
        context.hint(Topic.COLLECTION, collection_id, modseq + 1)
    context.hint(Topic.SPACE, space_id)
