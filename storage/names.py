"""One form for names that are compared as plain strings: of mailboxes, of capabilities."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from folkmoot.storage.errors import InvalidName

DELIMITER = "/"
INBOX = "INBOX"
#: The first levels of mailbox names under which a person finds the mail of groups, and what others
#: share. Of one's own, no new ones are made there.
GROUPS = "Groups"
SHARED = "Shared"
#: Before the name of such a mailbox among subscriptions: the person does not want it.
UNWANTED = DELIMITER

# Small letters and digits that (or whose capitals) look like Latin ones, and those.
_ALIKE: Final = str.maketrans(
    "авекмнорстухіјѕһԁԛԝαβεζηικμνορτυχ01l|",
    "abekmhopctyxijshdqwabezhikmnoptyxoiii",
)
# rfc9051#9: an atom
_CAPABILITY: Final = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]{1,64}")


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


def is_place(levels: Sequence[str]) -> bool:
    """Whether a mailbox name leads to what groups have or others share."""
    return levels[0] in (GROUPS, SHARED)


def capability_name(name: str) -> str:
    """An IMAP capability in upper case. Raises ``InvalidName``, also for the one that all need."""
    if not _CAPABILITY.fullmatch(name):
        raise InvalidName(f"{name!r} is no IMAP capability.")
    if name.upper() == "IMAP4REV1":
        raise InvalidName("No client can do without IMAP4rev1.")
    return name.upper()


def looks(name: str) -> str:
    """A form that is the same for names that people may take for each other: capitals, accents in
    another order, wide letters, letters of other scripts, and what cannot be seen."""
    seen = "".join(c for c in name if unicodedata.category(c) != "Cf")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return " ".join(folded.translate(_ALIKE).split())
