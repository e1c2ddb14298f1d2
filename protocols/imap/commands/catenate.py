"""CATENATE (RFC 4469): APPEND and REPLACE read it, ``incoming`` joins the parts."""

from __future__ import annotations

from folkmoot.protocols.imap.registry import capability, signed_in

capability("CATENATE", signed_in)  # rfc4469#2
