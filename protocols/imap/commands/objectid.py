"""OBJECTID (RFC 8474): names of mailboxes and messages that outlive renames and moves.

A MAILBOXID is made of the collection's number, an EMAILID of the number of the content, which
copies share. The store gives neither number twice. A THREADID is made of the first message id that
a message refers to, or of its own: that is in the message, so it never changes. Replies that name
only the message they answer begin a thread of their own where that one was an answer too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.imap.commands.status import status_item
from folkmoot.protocols.imap.cursor import Cursor
from folkmoot.protocols.imap.fetch_items import Attribute, register_attribute
from folkmoot.protocols.imap.fetch_plan import RowItem, row_item
from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.search_keys import SearchKey, SearchParser, search_key
from folkmoot.protocols.imap.search_plan import NOTHING, translates
from folkmoot.storage import types_search as find
from folkmoot.storage.content.sortkeys import thread_root
from folkmoot.storage.types import MailboxInfo, MessageColumn

capability("OBJECTID", signed_in)  # rfc8474#3

EMAILID: Final = Attribute(b"EMAILID")
THREADID: Final = Attribute(b"THREADID")

# rfc8474#7: 1 to 255 letters, digits, "_" and "-". They begin with a letter, so that nobody takes
# one for a message number.
_OBJECT_ID: Final = re.compile(rb"[A-Za-z0-9_\-]{1,255}+")
_THREAD_ID: Final = re.compile(rb"T([0-9a-f]{16})")
_MASK: Final = 2**64 - 1
_EMAIL_ID: Final = re.compile(rb"M([1-9][0-9]{0,17})")


def mailbox_id(collection_id: int) -> str:
    """The MAILBOXID of a mailbox (RFC 8474 section 4)."""
    return f"F{collection_id}"


@status_item("MAILBOXID")  # rfc8474#4.3
def _status(info: MailboxInfo) -> bytes:
    return b"(%b)" % mailbox_id(info.id).encode()


def _print_thread(references: bytes | None, message_id: int | None) -> bytes:
    """``(T…)``; NIL for a message that refers to nothing and cannot be referred to."""
    root = thread_root(references or b"", message_id)
    return b"NIL" if root is None else b"(T%016x)" % (root & _MASK)


# rfc8474#5.1, rfc8474#5.2
register_attribute(EMAILID)
register_attribute(THREADID)
row_item(EMAILID, RowItem(MessageColumn.BLOB, b"(M%d)"))
row_item(THREADID, RowItem(MessageColumn.THREAD, b"%b", _print_thread))


@dataclass(frozen=True, slots=True)
class EmailId(SearchKey):
    """Messages with this EMAILID."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ThreadId(SearchKey):
    """Messages with this THREADID."""

    value: bytes


@search_key("EMAILID")  # rfc8474#6
def _email_id(parser: SearchParser) -> SearchKey:
    return EmailId(_object_id(parser.cursor))


@search_key("THREADID")
def _thread_id(parser: SearchParser) -> SearchKey:
    return ThreadId(_object_id(parser.cursor))


def _object_id(cursor: Cursor) -> bytes:
    cursor.space()
    return cursor.match(_OBJECT_ID, "object identifier")[0]


@translates(EmailId)
def _by_email_id(key: EmailId) -> find.SearchKey:
    match = _EMAIL_ID.fullmatch(key.value)
    return find.BlobIs(int(match[1])) if match else NOTHING


@translates(ThreadId)
def _by_thread_id(key: ThreadId) -> find.SearchKey:
    match = _THREAD_ID.fullmatch(key.value)
    if match is None:
        return NOTHING
    return find.ThreadIs(int.from_bytes(bytes.fromhex(match[1].decode()), "big", signed=True))
