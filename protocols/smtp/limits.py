"""Bounds on what a client of the mail services may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """Sizes are octets, times are seconds. Defaults suit a small installation."""

    message_size: int = 64 * 1024 * 1024
    header_size: int = 1024 * 1024
    recipients: int = 10_000
    received_fields: int = 50
    # rfc5321#4.5.3.1.4 asks for 512; SIZE, DSN and SMTPUTF8 parameters and long AUTH lines more.
    command_line: int = 4096
    # rfc4954#4: an initial response or an answer may have 12288 octets.
    auth_line: int = 12_288
    # rfc5321#4.5.3.1.6, without the CRLF; for submission only.
    data_line: int = 998
    errors: int = 20
    idle_commands: int = 200
    messages: int = 1000
    connections_per_address: int = 20
    # rfc5321#4.5.3.2.7
    idle_seconds: float = 300.0
    data_seconds: float = 180.0
    login_seconds: float = 120.0
    # for the answer to who has too many connections
    refused_seconds: float = 2.0
