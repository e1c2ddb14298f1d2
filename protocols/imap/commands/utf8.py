"""UTF8=ACCEPT (RFC 9755, before it RFC 6855): names and strings in UTF-8 once it is enabled.

The cursor and the encoder ask the session; ``APPEND … UTF8 (~{n})`` is read by APPEND's grammar.
Headers in UTF-8 are taken from every client: senders have sent them for decades.
"""

from __future__ import annotations

from folkmoot.protocols.imap.commands.basic import ENABLEABLE
from folkmoot.protocols.imap.registry import capability, signed_in

capability("UTF8=ACCEPT", signed_in)  # rfc6855#3
ENABLEABLE["UTF8=ACCEPT"] = "UTF8=ACCEPT"
