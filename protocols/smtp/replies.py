"""SMTP replies: a code, an enhanced status code (RFC 3463) and a text."""

from __future__ import annotations

import re
from dataclasses import dataclass

# rfc5321#4.5.3.1.5: a reply line has at most 512 octets with its code and CRLF.
LINE_LIMIT = 480

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. ``status`` is the enhanced code (``5.1.1``), or "" where RFC 2034 forbids one.

    ``text`` may have several lines, parted by LF.
    """

    code: int
    status: str
    text: str

    def wire(self) -> bytes:
        """Return the octets to send, with every line carrying code and status."""
        # rfc2034#3: each line of a multiline reply repeats the enhanced code.
        prefix = f"{self.status} " if self.status else ""
        lines = [
            (prefix + _UNPRINTABLE.sub("?", line)).encode("utf-8", "replace")[:LINE_LIMIT]
            for line in self.text.split("\n")
        ]
        last = len(lines) - 1
        return b"".join(
            b"%d%s%s\r\n" % (self.code, b" " if at == last else b"-", line)
            for at, line in enumerate(lines)
        )

    def with_text(self, text: str) -> Reply:
        """Return the same reply with another text."""
        return Reply(self.code, self.status, text)

    def line(self) -> str:
        """Return the reply as one line, as reports quote it."""
        status = f"{self.status} " if self.status else ""
        return f"{self.code} {status}{self.text}".replace("\n", " ")


OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
FLUSHED = Reply(250, "2.0.0", "Flushed")
GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
CANNOT_VERIFY = Reply(252, "2.1.5", "Cannot verify the user, but will accept mail")
BYE = Reply(221, "2.0.0", "Bye")
AUTHENTICATED = Reply(235, "2.7.0", "Authentication succeeded")

TIMEOUT = Reply(421, "4.4.2", "Timeout, closing the connection")
SHUTTING_DOWN = Reply(421, "4.3.2", "The server is shutting down")
TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections from your address")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors, closing the connection")
TOO_MANY_COMMANDS = Reply(421, "4.7.0", "Too many commands without a message")
TOO_MANY_MESSAGES = Reply(421, "4.7.0", "Too many messages in one connection, please reconnect")

UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognised")
LINE_TOO_LONG = Reply(500, "5.5.2", "Command line too long")
BARE_NEWLINE = Reply(500, "5.5.2", "Command lines must end in CRLF")
BAD_CHARACTERS = Reply(500, "5.5.2", "Command has characters that are not allowed")
NO_ARGUMENT = Reply(501, "5.5.4", "This command takes no argument")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
BAD_SEQUENCE = Reply(503, "5.5.1", "Bad sequence of commands")
BAD_PARAMETER = Reply(501, "5.5.4", "Parameter with a wrong value")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised")
BAD_ADDRESS_SYNTAX = Reply(501, "5.1.3", "The address is not valid")
BAD_SENDER_SYNTAX = Reply(501, "5.1.7", "The sender address is not valid")
UTF8_SENDER = Reply(550, "5.6.7", "A non-ASCII sender address needs SMTPUTF8")
UTF8_RECIPIENT = Reply(553, "5.6.7", "A non-ASCII recipient address needs SMTPUTF8")

NEEDS_AUTH = Reply(530, "5.7.0", "Authentication required")
NEEDS_TLS = Reply(530, "5.7.0", "Must issue a STARTTLS command first")
AUTH_NEEDS_TLS = Reply(538, "5.7.11", "Encryption required for this authentication mechanism")
AUTH_NO_MECHANISM = Reply(501, "5.5.4", "Syntax: AUTH mechanism")
AUTH_UNKNOWN = Reply(504, "5.5.4", "Unrecognised authentication mechanism")
AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")
AUTH_LINE_TOO_LONG = Reply(500, "5.5.6", "Authentication exchange line is too long")
AUTH_BASE64 = Reply(501, "5.5.2", "Cannot decode base64")

NO_SUCH_USER = Reply(550, "5.1.1", "No such user here")
NOT_OURS = Reply(550, "5.1.2", "This server does not receive mail for that domain")
USER_DISABLED = Reply(550, "5.2.1", "The mailbox is disabled")
NOT_A_WRITER = Reply(550, "5.7.1", "This group takes mail only from members who may write to it")
ADDRESS_LITERAL = Reply(550, "5.1.2", "Addresses with an IP literal are not accepted")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients")
NOT_YOUR_ADDRESS = Reply(550, "5.7.1", "You may not send mail from this address")
MESSAGE_TOO_LARGE = Reply(552, "5.3.4", "The message is larger than allowed")
HEADER_TOO_LARGE = Reply(552, "5.3.4", "The header of the message is larger than allowed")
MAIL_LOOP = Reply(554, "5.4.6", "Too many Received fields: the message is in a mail loop")
BARE_LF_IN_DATA = Reply(550, "5.6.0", "The message has bare CR or LF characters")
NUL_IN_DATA = Reply(550, "5.6.0", "The message has NUL characters")
LONG_LINE_IN_DATA = Reply(550, "5.6.0", "The message has lines longer than allowed")
DISK_FULL = Reply(452, "4.3.1", "The server has no room now, try again later")
