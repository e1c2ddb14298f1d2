"""QUOTA (RFC 9208): what an account's mail takes and may take.

All mailboxes of an account have one quota root, whose name is empty; those of a group have one
that is called ``Groups/NAME`` and may be read by its members. Limits are those of a plan; who owns
a root, or leads the group, may set smaller ones for it by SETQUOTA.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.status import status_item
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import MailboxInfo, MailUsage, OwnLimit

capability("QUOTA", signed_in)  # rfc9208#4.1
capability("QUOTASET", signed_in)  # rfc9208#4.1.3
for _resource in ("STORAGE", "MESSAGE", "MAILBOX"):
    capability(f"QUOTA=RES-{_resource}", signed_in)

NO_ROOT: Final = "There is no such quota root"
UNIT: Final = 1024  # octets that STORAGE counts in # rfc9208#5.1
MAX_RESOURCES: Final = 20  # of one SETQUOTA
MAX_LIMIT: Final = (1 << 63) - 1  # octets; larger ones limit nothing


@status_item("DELETED-STORAGE")  # rfc9208#4.1.4
def _deleted_storage(info: MailboxInfo) -> bytes:
    return b"%d" % info.deleted_size


def parse_root(cursor: Cursor) -> bytes:
    """Read the name of a quota root and nothing else."""
    cursor.space()
    root = cursor.astring()
    cursor.end()
    return root


def parse_mailbox(cursor: Cursor) -> str:
    """Read a mailbox name and nothing else."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    return name


@dataclass(frozen=True, slots=True)
class SetQuota:
    """The limits that a quota root is to have, by the resource in upper case."""

    root: bytes
    limits: dict[str, int]


def parse_set_quota(cursor: Cursor) -> SetQuota:
    """Read a quota root and limits, each for another resource."""
    cursor.space()
    root = cursor.astring()
    cursor.space()
    limits: dict[str, int] = {}

    def limit() -> None:
        resource = cursor.keyword()
        if resource in limits:
            raise BadSyntax("A resource is named twice")
        cursor.space()
        limits[resource] = cursor.number64()

    cursor.list_of(limit, empty=True, limit=MAX_RESOURCES)
    cursor.end()
    return SetQuota(root, limits)


@command("GETQUOTA", State.SIGNED_IN, parse_root, example=b'GETQUOTA ""', extension="QUOTA")
async def get_quota(session: Session, root: bytes) -> Reply:
    """RFC 9208 section 4.1.1."""
    place = _place(root)
    session.wire.send(_quota(place, await session.workspace.usage(place), session.utf8))
    return OK


def _place(root: bytes) -> str:
    """The place that a root is the name of. Raises ``NotFound``."""
    try:
        return root.decode("utf-8")
    except ValueError:
        raise NotFound(NO_ROOT) from None


@command(
    "GETQUOTAROOT", State.SIGNED_IN, parse_mailbox, example=b"GETQUOTAROOT INBOX", extension="QUOTA"
)
async def get_quota_root(session: Session, name: str) -> Reply:
    """RFC 9208 section 4.1.2; the mailbox need not exist."""
    found = await session.workspace.usage_of(name)
    words = [b"QUOTAROOT", encoder.mailbox_name(name, session.utf8)]
    if found is None:  # rfc9208#4.2.2: none that the person may read
        session.wire.send(encoder.data(*words))
        return OK
    place, usage = found
    session.wire.send(encoder.data(*words, _root(place, session.utf8)))
    session.wire.send(_quota(place, usage, session.utf8))
    return OK


@command(
    "SETQUOTA",
    State.SIGNED_IN,
    parse_set_quota,
    example=b'SETQUOTA "" (STORAGE 512 MESSAGE 10)',
    extension="QUOTASET",
)
async def set_quota(session: Session, wanted: SetQuota) -> Reply:
    """RFC 9208 section 4.1.3: own limits. Where one is not below the plan's, that one counts."""
    place = _place(wanted.root)
    limits = dict(wanted.limits)
    # What is not named has no limit of its own any more. # rfc9208#4.1.3
    storage, messages = limits.pop("STORAGE", None), limits.pop("MESSAGE", None)
    if limits:
        await session.workspace.usage(place)  # a root that is not there has no limits at all
        return Reply("STORAGE and MESSAGE are what can be limited", "CANNOT", "NO")
    octets = None if storage is None or storage > MAX_LIMIT // UNIT else storage * UNIT
    usage = await session.workspace.limit_mail(place, OwnLimit(octets, messages), UNIT)
    session.wire.send(_quota(place, usage, session.utf8))
    return OK


def _root(place: str, utf8: bool) -> bytes:
    return encoder.astring(place.encode(), utf8=utf8)


def _quota(place: str, usage: MailUsage, utf8: bool) -> bytes:
    """``* QUOTA "" (STORAGE used limit …)``; what is not limited is left out. # rfc9208#4.2.1"""
    mail = usage.usage
    resources = []
    if mail.bytes_limit is not None:
        used, limit = -(-mail.bytes_used // UNIT), mail.bytes_limit // UNIT
        resources.append(b"STORAGE %d %d" % (used, limit))
    if mail.items_limit is not None:
        # rfc9208#5.2
        resources.append(b"MESSAGE %d %d" % (mail.items_used, mail.items_limit))
    # rfc9208#5.3
    resources.append(b"MAILBOX %d %d" % (usage.mailboxes, usage.mailboxes_limit))
    return encoder.data(b"QUOTA", _root(place, utf8), b"(%b)" % b" ".join(resources))
