"""BINARY (RFC 3516): the items are FETCH's, the literals APPEND's; this says that they exist."""

from __future__ import annotations

from folkmoot.protocols.imap.registry import capability, signed_in

capability("BINARY", signed_in)  # rfc3516#4.2
