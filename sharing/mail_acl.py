"""Access control lists (RFC 4314) of mailboxes: what the gate knows, as identifiers with rights.

An identifier is the address of an account or a group. What members of a group may do there anyway
cannot be taken from one of them: it is what LISTRIGHTS calls required.
"""

from __future__ import annotations

from folkmoot.sharing.policy import MEMBER, NEVER_GRANTED
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.errors import InvalidName, NotFound, Unchangeable
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import ALL_RIGHTS, AclChange, AclEntry, Right
from folkmoot.storage.types_sharing import AccessFacts, Party
from folkmoot.storage.views.acl import ReadAcl
from folkmoot.storage.views.places import SpaceOf

OWNER = "The owner of a mailbox, and the administrator of a group, have all rights."
UNKNOWN = "There is no group or fellow member with this address."


def entries(facts: AccessFacts) -> list[AclEntry]:
    """The list of a collection: first who owns it, then the group, then by address.

    Of grants for the same grantee the nearest counts, on the mailbox or above it.
    """
    found = [AclEntry(facts.owner.address, ALL_RIGHTS, ALL_RIGHTS, facts.owner.space_id)]
    nearest: dict[int, AclEntry] = {}
    for grant in facts.grants:
        to = grant.to
        if to.space_id not in nearest:
            here = grant.distance == 0
            nearest[to.space_id] = AclEntry(
                to.address, to.rights, Right.NONE, to.space_id, to.rights, here
            )
    if facts.group is not None:
        group = facts.group
        of_all = nearest.pop(group.space_id, None) or AclEntry(
            group.address, MEMBER, Right.NONE, group.space_id
        )
        found.append(of_all)
        for member in facts.members:
            _add_member(nearest, of_all, member)
    found += sorted(nearest.values(), key=lambda entry: entry.identifier)
    return found


def _add_member(nearest: dict[int, AclEntry], of_all: AclEntry, member: Party) -> None:
    """Somebody's own rights count where nothing is granted to all members, and add to grants."""
    own = member.rights if of_all.granted is None else Right.NONE
    always = (of_all.rights | own) & ~NEVER_GRANTED
    entry = nearest.get(member.space_id)
    if entry is not None or always != of_all.rights:
        granted = entry.granted if entry is not None else None
        nearest[member.space_id] = AclEntry(
            member.address,
            always | (granted or Right.NONE),
            always,
            member.space_id,
            granted,
            entry is not None and entry.here,
        )


def read_acl(txn: ReadTxn, mailbox_id: int) -> list[AclEntry]:
    """Who may do what with a mailbox. Raises ``PermissionDenied``."""
    return entries(txn.view(ReadAcl(mailbox_id)))


def entry_of(txn: ReadTxn, mailbox_id: int, identifier: str) -> AclEntry:
    """The entry of an identifier; without rights where it has none of its own.

    Raises ``NotFound`` for what is no group or fellow member, ``PermissionDenied``.
    """
    facts = txn.view(ReadAcl(mailbox_id))
    try:
        space = txn.view(SpaceOf(normalize_address(identifier)))
    except (NotFound, InvalidName):
        raise NotFound(UNKNOWN) from None
    for entry in entries(facts):
        if entry.space_id == space:
            return entry
    always = Right.NONE
    if any(member.space_id == space for member in facts.members):
        always = entries(facts)[1].rights
    return AclEntry(identifier, always, always, space)


def set_acl(txn: Txn, mailbox_id: int, identifier: str, change: AclChange, rights: Right) -> None:
    """SETACL. Raises ``Unchangeable`` for what cannot be given or taken."""
    entry = entry_of(txn, mailbox_id, identifier)
    if entry.always == ALL_RIGHTS:
        raise Unchangeable(OWNER)
    before = entry.rights if entry.always == Right.NONE else entry.granted or Right.NONE
    if change is AclChange.REMOVE:
        if rights & entry.always:
            raise Unchangeable("Members of the group have this right in any case.")
        wanted = before & ~rights
    else:
        if rights & NEVER_GRANTED:
            raise Unchangeable("Only owners, and administrators of groups, may give rights.")
        wanted = before | rights if change is AclChange.ADD else rights
    group = txn.view(ReadAcl(mailbox_id)).group
    if wanted or (group is not None and entry.space_id == group.space_id):
        txn.apply(Share(mailbox_id, entry.space_id, wanted))
    else:  # rfc4314#3.1: as DELETEACL
        _end(txn, mailbox_id, entry)


def delete_acl(txn: Txn, mailbox_id: int, identifier: str) -> None:
    """DELETEACL: what was given ends, also what was given above and counts here."""
    entry = entry_of(txn, mailbox_id, identifier)
    if entry.always == ALL_RIGHTS:
        raise Unchangeable(OWNER)
    _end(txn, mailbox_id, entry)


def _end(txn: Txn, mailbox_id: int, entry: AclEntry) -> None:
    if entry.granted is None:
        if entry.rights:
            raise Unchangeable("What members of the group may do is set with the group.")
        return
    if entry.here:
        txn.apply(Unshare(mailbox_id, entry.space_id))
    above = [g for g in txn.view(ReadAcl(mailbox_id)).grants if g.to.space_id == entry.space_id]
    if above:
        txn.apply(Share(mailbox_id, entry.space_id, Right.NONE))
