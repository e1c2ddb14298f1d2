"""Commands of any state: CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.grammar import parse_enable, parse_id
from folkmoot.protocols.imap.registry import (
    OK,
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.session import Session

capability("IMAP4rev1")
capability("IMAP4rev2")
capability("LITERAL+")  # rfc7888#5: LITERAL+ says more than LITERAL-, which is not named beside it
capability("ID")  # rfc2971#3.1
capability("ENABLE")  # rfc5161#3.1
capability("UNSELECT", signed_in)  # rfc3691#2

#: What ENABLE may switch on, by upper-case name; extensions add theirs.
ENABLEABLE: dict[str, str] = {"IMAP4REV2": "IMAP4rev2"}
#: What an extension does when it is switched on.
ENABLE_HOOKS: dict[str, Callable[[Session], Awaitable[None]]] = {}


@command("CAPABILITY", State.ANY, expunges=Expunges.HELD_BACK)
async def capability_(session: Session, _: None) -> Reply:
    """RFC 9051 section 6.1.1."""
    session.wire.send(encoder.data(b"CAPABILITY", session.capabilities().encode()))  # rfc9051#7.2.2
    return OK


@command("NOOP", State.ANY)
async def noop(session: Session, _: None) -> Reply:
    """RFC 9051 section 6.1.2: looks at the log itself, whatever hints came."""
    await _tell_news(session)
    return OK


@command("CHECK", State.SELECTED)
async def check(session: Session, _: None) -> Reply:
    """RFC 3501 section 6.4.1; everything acknowledged is durable already."""
    await _tell_news(session)
    return OK


async def _tell_news(session: Session) -> None:
    await session.refresh(show_expunges=True, force=True)
    if session.view is not None:
        session.view.listened = session.view.last_uid


@command("LOGOUT", State.ANY, expunges=Expunges.UNCHECKED)
async def logout(session: Session, _: None) -> Reply:
    """RFC 9051 section 6.1.3."""
    session.wire.send(encoder.untagged("BYE", "Logging out"))
    session.logged_out = True
    return OK


@command(
    "ID",
    State.ANY,
    parse_id,
    expunges=Expunges.HELD_BACK,
    example=b'ID ("name" "test")',
    extension="ID",
)
async def id_(session: Session, fields: dict[bytes, bytes | None] | None) -> Reply:
    """RFC 2971. The version is not told: it helps attackers more than clients."""
    session.client_id = fields
    session.wire.send(b'* ID ("name" "Folkmoot" "vendor" "Folkmoot")\r\n')
    return OK


@command(
    "ENABLE",
    State.SIGNED_IN,
    parse_enable,
    expunges=Expunges.HELD_BACK,
    example=b"ENABLE IMAP4rev2",
    extension="ENABLE",
)
async def enable(session: Session, names: tuple[str, ...]) -> Reply:
    """RFC 9051 section 6.3.1: unknown names are ignored; only what is new is listed."""
    fresh = []
    for name in names:
        if name in ENABLEABLE and name not in session.enabled and not session.hides(name):
            session.enabled.add(name)
            fresh.append(ENABLEABLE[name].encode())
            if name in ENABLE_HOOKS:
                await ENABLE_HOOKS[name](session)
    session.wire.send(encoder.data(b"ENABLED", *fresh))  # rfc9051#7.2.1
    return OK
