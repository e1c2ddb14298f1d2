"""The commands that carry no message: greetings, STARTTLS, NOOP, RSET, VRFY, HELP, QUIT."""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.auth import auth, offered_mechanisms
from folkmoot.protocols.smtp.mail import mail, rcpt
from folkmoot.protocols.smtp.receive import data
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.protocols.smtp.session import Command, Hangup, Session

_HELP = Reply(214, "2.0.0", "See RFC 5321, RFC 2033 and RFC 6409")


async def greet(session: Session, argument: str) -> Reply:
    """EHLO and LHLO: reset the transaction, list the extensions (RFC 5321 section 4.1.1.1)."""
    if not argument:
        return replies.BAD_PARAMETER.with_text("A host name is needed")
    session.idle_command()
    session.helo = argument[:255]
    session.extended = True
    session.mail = None
    lines = [session.service.hostname, *_extensions(session)]
    # rfc2034#3: no enhanced code in the answer to EHLO
    return Reply(250, "", "\n".join(lines))


def _extensions(session: Session) -> list[str]:
    lines = [
        "PIPELINING",
        f"SIZE {session.limits.message_size}",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "DSN",
    ]
    if session.service.tls is not None and not session.secure:
        lines.append("STARTTLS")
    mechanisms = offered_mechanisms(session)
    if mechanisms:
        lines.append("AUTH " + " ".join(mechanisms))
    return lines


async def hello(session: Session, argument: str) -> Reply:
    """HELO of the old protocol."""
    if not argument:
        return replies.BAD_PARAMETER.with_text("A host name is needed")
    session.idle_command()
    session.helo = argument[:255]
    session.extended = False
    session.mail = None
    return Reply(250, "", session.service.hostname)


async def starttls(session: Session, argument: str) -> Reply | None:
    """rfc3207#4."""
    if argument:
        return replies.NO_ARGUMENT
    if session.service.tls is None or session.secure:
        return replies.BAD_SEQUENCE.with_text("TLS is not available here or already active")
    await session.start_tls()
    return None


async def noop(session: Session, argument: str) -> Reply:
    """Do nothing (RFC 5321 section 4.1.1.9)."""
    session.idle_command()
    return replies.OK


async def rset(session: Session, argument: str) -> Reply:
    """Forget the transaction (RFC 5321 section 4.1.1.5)."""
    if argument:
        return replies.NO_ARGUMENT
    session.idle_command()
    session.mail = None
    return replies.FLUSHED


async def vrfy(session: Session, argument: str) -> Reply:
    """Tell nothing about who exists (RFC 5321 section 7.3)."""
    session.idle_command()
    if not argument:
        return replies.BAD_PARAMETER.with_text("An address is needed")
    return replies.CANNOT_VERIFY


async def expn(session: Session, argument: str) -> Reply:
    """Mailing lists are nobody's business."""
    return replies.NOT_IMPLEMENTED


async def help_(session: Session, argument: str) -> Reply:
    """Point to the standards."""
    session.idle_command()
    return _HELP


async def quit_(session: Session, argument: str) -> Reply:
    """Say goodbye (RFC 5321 section 4.1.1.10)."""
    if argument:
        return replies.NO_ARGUMENT
    raise Hangup(replies.BYE)


_COMMON: Mapping[str, Command] = {
    "STARTTLS": starttls,
    "AUTH": auth,
    "MAIL": mail,
    "RCPT": rcpt,
    "DATA": data,
    "RSET": rset,
    "NOOP": noop,
    "VRFY": vrfy,
    "EXPN": expn,
    "HELP": help_,
    "QUIT": quit_,
}

SUBMISSION: Mapping[str, Command] = {**_COMMON, "EHLO": greet, "HELO": hello}
# rfc2033#4.1: LHLO instead of HELO and EHLO
LMTP: Mapping[str, Command] = {**_COMMON, "LHLO": greet}
