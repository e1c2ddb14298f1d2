"""One form for the names of mailboxes, so that they can be compared as plain strings."""

from __future__ import annotations

import unicodedata

DELIMITER = "/"
INBOX = "INBOX"


def mailbox_levels(name: str) -> tuple[str, ...]:
    """The levels of a mailbox name in the form that the store keeps.

    They are in NFC (Net-Unicode, RFC 5198 section 2); a first level INBOX is in upper case
    however it was written; one delimiter at the end says nothing (RFC 9051 section 6.3.4).
    Levels may still be impossible (empty, too long): ``check_component`` finds that.
    """
    levels = unicodedata.normalize("NFC", name).removesuffix(DELIMITER).split(DELIMITER)
    if levels[0].upper() == INBOX:  # rfc9051#5.1
        levels[0] = INBOX
    return tuple(levels)


def mailbox_name(name: str) -> str:
    """The whole name in the form that the store keeps."""
    return DELIMITER.join(mailbox_levels(name))
