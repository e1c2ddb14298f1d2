"""ACL (RFC 4314) and LIST-MYRIGHTS (RFC 8440), over the rights of the gate.

A mailbox belongs to one account or group; its owner, or the group's administrator, has all rights
and gives others to groups and fellow members, whose addresses are the identifiers. They hold for
all mailboxes below too, unless something else is given there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.quota import parse_mailbox
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.list_args import LIST_RETURNS
from folkmoot.protocols.imap.listing import list_data
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.sharing.rights import GIVEN, from_letters, to_letters
from folkmoot.storage.types import ALL_RIGHTS, AclChange, MailboxInfo, Right

capability("ACL", signed_in)  # rfc4314#2
capability("RIGHTS", signed_in, lambda session: "kxte")  # rfc4314#2.2
capability("LIST-MYRIGHTS", signed_in)  # rfc8440#3

MAX_IDENTIFIER: Final = 320  # octets
#: Identifiers that RFC 4314 section 2 knows beside names.
_EVERYBODY: Final = frozenset({"anyone", "anonymous", "authuser", "owner"})
_CHANGES: Final = {"+": AclChange.ADD, "-": AclChange.REMOVE}


@dataclass(frozen=True, slots=True)
class AclArgs:
    """A mailbox, whose rights (an address, ``anyone`` …), and for SETACL which."""

    mailbox: str
    identifier: str
    rights: Right = Right.NONE
    change: AclChange = AclChange.REPLACE


def _parser(*, rights: bool) -> Callable[[Cursor], AclArgs]:
    def parse(cursor: Cursor) -> AclArgs:
        cursor.space()
        mailbox = cursor.mailbox()
        cursor.space()
        identifier = _text(cursor, "identifier")
        if not identifier or len(identifier) > MAX_IDENTIFIER:
            raise BadSyntax("Invalid identifier")
        given, change = Right.NONE, AclChange.REPLACE
        if rights:
            cursor.space()
            letters = _text(cursor, "rights")
            change = _CHANGES.get(letters[:1], AclChange.REPLACE)
            if change is not AclChange.REPLACE:
                letters = letters[1:]
            try:
                given = from_letters(letters)
            except ValueError:
                raise BadSyntax("There is no such right") from None  # rfc4314#3.1
        cursor.end()
        return AclArgs(mailbox, identifier, given, change)

    return parse


def _text(cursor: Cursor, what: str) -> str:
    try:
        return cursor.astring().decode("utf-8")
    except ValueError:
        raise BadSyntax(f"Expected {what}") from None


@command("MYRIGHTS", State.SIGNED_IN, parse_mailbox, example=b"MYRIGHTS INBOX", extension="ACL")
async def my_rights(session: Session, name: str) -> Reply:
    """RFC 4314 section 3.5."""
    info = await session.workspace.mailbox(name)
    session.wire.send(_my_rights(info, utf8=session.utf8))
    return OK


def _my_rights(info: MailboxInfo, *, utf8: bool) -> bytes:
    name = encoder.mailbox_name(info.name, utf8)
    return encoder.data(b"MYRIGHTS", name, to_letters(info.rights).encode())


@command("GETACL", State.SIGNED_IN, parse_mailbox, example=b"GETACL INBOX", extension="ACL")
async def get_acl(session: Session, name: str) -> Reply:
    """RFC 4314 section 3.3."""
    info, entries = await session.workspace.acl(name)
    words = [b"ACL", encoder.mailbox_name(info.name, session.utf8)]
    for entry in entries:
        words += [_identifier(entry.identifier, session), to_letters(entry.rights).encode()]
    session.wire.send(encoder.data(*words))
    return OK


@command(
    "LISTRIGHTS",
    State.SIGNED_IN,
    _parser(rights=False),
    example=b"LISTRIGHTS INBOX a@example.test",
    extension="ACL",
)
async def list_rights(session: Session, arguments: AclArgs) -> Reply:
    """RFC 4314 section 3.4: the owner always has everything, members what the group gives them."""
    refused = _refused(arguments)
    if refused is not None:
        return refused
    info, entry = await session.workspace.acl_entry(arguments.mailbox, arguments.identifier)
    always = to_letters(entry.always)
    free = [] if entry.always == ALL_RIGHTS else [each for each in GIVEN if each not in always]
    session.wire.send(
        encoder.data(
            b"LISTRIGHTS",
            encoder.mailbox_name(info.name, session.utf8),
            _identifier(arguments.identifier, session),
            encoder.astring(always.encode()),
            *(letter.encode() for letter in free),
        )
    )
    return OK


@command(
    "SETACL",
    State.SIGNED_IN,
    _parser(rights=True),
    example=b"SETACL INBOX a@example.test +lr",
    extension="ACL",
)
async def set_acl(session: Session, arguments: AclArgs) -> Reply:
    """RFC 4314 section 3.1."""
    refused = _refused(arguments)
    if refused is None:
        await session.workspace.set_acl(
            arguments.mailbox, arguments.identifier, arguments.change, arguments.rights
        )
    return refused or OK


@command(
    "DELETEACL",
    State.SIGNED_IN,
    _parser(rights=False),
    example=b"DELETEACL INBOX a@example.test",
    extension="ACL",
)
async def delete_acl(session: Session, arguments: AclArgs) -> Reply:
    """RFC 4314 section 3.2."""
    refused = _refused(arguments)
    if refused is None:
        await session.workspace.delete_acl(arguments.mailbox, arguments.identifier)
    return refused or OK


def _refused(arguments: AclArgs) -> Reply | None:
    """Rights for everybody, and negative ones, are not there. # rfc4314#2"""
    name = arguments.identifier
    if name.startswith("-") or name.lower() in _EVERYBODY:
        text = "Rights are given to groups and to people in them, by address, and never negative"
        return Reply(text, "CANNOT", "NO")
    return None


def _identifier(identifier: str, session: Session) -> bytes:
    return encoder.astring(identifier.encode(), utf8=session.utf8)


# --- LIST … RETURN (MYRIGHTS) ----------------------------------------------------------------

LIST_RETURNS.add("MYRIGHTS")


@list_data("MYRIGHTS")  # rfc8440#3
def _listed(info: MailboxInfo, value: object, utf8: bool) -> list[bytes]:
    return [_my_rights(info, utf8=utf8)]
