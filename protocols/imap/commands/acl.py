"""ACL (RFC 4314) and LIST-MYRIGHTS (RFC 8440), over the rights of the gate.

A mailbox belongs to one account, which has all rights; rights cannot be given to others, or taken
from the owner, by these commands.
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
from folkmoot.sharing.rights import from_letters, to_letters
from folkmoot.storage.types import AclEntry, MailboxInfo

capability("ACL", signed_in)
capability("RIGHTS", signed_in, lambda session: "kxte")  # rfc4314#2.2
capability("LIST-MYRIGHTS", signed_in)

MAX_IDENTIFIER: Final = 320  # octets


@dataclass(frozen=True, slots=True)
class AclArgs:
    """A mailbox, whose rights (an address, ``anyone`` …), and for SETACL which."""

    mailbox: str
    identifier: str
    rights: str = ""


def _parser(*, rights: bool) -> Callable[[Cursor], AclArgs]:
    def parse(cursor: Cursor) -> AclArgs:
        cursor.space()
        mailbox = cursor.mailbox()
        cursor.space()
        identifier = _text(cursor, "identifier")
        if not identifier or len(identifier) > MAX_IDENTIFIER:
            raise BadSyntax("Invalid identifier")
        given = ""
        if rights:
            cursor.space()
            given = _text(cursor, "rights").lstrip("+-")
            try:
                from_letters(given)
            except ValueError:
                raise BadSyntax("There is no such right") from None  # rfc4314#3.1
        cursor.end()
        return AclArgs(mailbox, identifier, given)

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
    """RFC 4314 section 3.4: the owner always has everything, others can be given nothing."""
    info, entries = await session.workspace.acl(arguments.mailbox)
    owner = _find(entries, arguments.identifier)
    always = to_letters(owner.rights) if owner else ""
    session.wire.send(
        encoder.data(
            b"LISTRIGHTS",
            encoder.mailbox_name(info.name, session.utf8),
            _identifier(arguments.identifier, session),
            encoder.astring(always.encode()),
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
    """RFC 4314 section 3.1. Rights are not given by IMAP."""
    return await _refuse(session, arguments)


@command(
    "DELETEACL",
    State.SIGNED_IN,
    _parser(rights=False),
    example=b"DELETEACL INBOX a@example.test",
    extension="ACL",
)
async def delete_acl(session: Session, arguments: AclArgs) -> Reply:
    """RFC 4314 section 3.2."""
    return await _refuse(session, arguments)


async def _refuse(session: Session, arguments: AclArgs) -> Reply:
    _, entries = await session.workspace.acl(arguments.mailbox)
    if _find(entries, arguments.identifier):
        return Reply("The owner of a mailbox has all rights", "CANNOT", "NO")
    return Reply("Mailboxes are not shared by this command", "NOPERM", "NO")


def _find(entries: list[AclEntry], identifier: str) -> AclEntry | None:
    wanted = identifier.lower()
    return next((entry for entry in entries if entry.identifier.lower() == wanted), None)


def _identifier(identifier: str, session: Session) -> bytes:
    return encoder.astring(identifier.encode(), utf8=session.utf8)


# --- LIST … RETURN (MYRIGHTS) ----------------------------------------------------------------

LIST_RETURNS.add("MYRIGHTS")


@list_data("MYRIGHTS")  # rfc8440#3
def _listed(info: MailboxInfo, value: object, utf8: bool) -> list[bytes]:
    return [_my_rights(info, utf8=utf8)]
