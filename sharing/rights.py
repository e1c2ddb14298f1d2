"""The rights of the gate as the letters of RFC 4314 and as words, and back.

``BUSY``, ``EDIT`` and ``SEND_AS`` mean nothing for a mailbox and have no letter.
"""

from __future__ import annotations

from typing import Final

from folkmoot.sharing.policy import MEMBER, NEVER_GRANTED
from folkmoot.storage.types import Right

#: In the order in which they are printed. # rfc4314#2.1
LETTERS: Final[dict[str, Right]] = {
    "l": Right.LOOKUP,
    "r": Right.READ,
    "s": Right.SEEN,
    "w": Right.FLAGS,
    "i": Right.INSERT,
    "p": Right.POST,
    "k": Right.CREATE,
    "x": Right.REMOVE,
    "t": Right.DELETE,
    "e": Right.EXPUNGE,
    "a": Right.SHARE,
}
#: Letters of the older RFC 2086, each for several of today's. # rfc4314#2.1.1
OLD_LETTERS: Final[dict[str, Right]] = {
    "c": Right.CREATE | Right.REMOVE,
    "d": Right.DELETE | Right.EXPUNGE,
}

#: Letters of the rights that can be given to others, the older ones last.
GIVEN: Final = tuple(
    letter for letter, right in (LETTERS | OLD_LETTERS).items() if not right & NEVER_GRANTED
)

#: Named sets of rights. Reading is what every member of a group may do.
READ: Final = MEMBER
WRITE: Final = (
    READ
    | Right.FLAGS
    | Right.INSERT
    | Right.POST
    | Right.EDIT
    | Right.DELETE
    | Right.EXPUNGE
    | Right.CREATE
    | Right.REMOVE
)
LEVELS: Final[dict[str, Right]] = {
    "none": Right.NONE,
    "busy": Right.LOOKUP | Right.BUSY,
    "read": READ,
    "write": WRITE,
}
SEND_AS: Final = "send-as"


def to_letters(rights: Right) -> str:
    """``lrswipkxtea`` for rights, with the older letters behind them.

    An older letter is there when any right that it stands for is: clients of RFC 2086 would
    otherwise not try what they may do.
    """
    letters = [letter for letter, right in LETTERS.items() if right & rights]
    letters += [letter for letter, tied in OLD_LETTERS.items() if tied & rights]
    return "".join(letters)


def from_letters(letters: str) -> Right:
    """The rights that letters name. Raises ``ValueError`` for a letter without meaning."""
    rights = Right.NONE
    for letter in letters:
        right = LETTERS.get(letter) or OLD_LETTERS.get(letter)
        if right is None:
            raise ValueError("There is no such right")
        rights |= right
    return rights


def rights_named(text: str) -> Right:
    """Rights from words and letters joined by ``+``: ``write+send-as``, ``read``, ``lrsi``.

    ``w`` changes events, contacts and files too, and whoever reads (``r``) sees busy times.
    Raises ``ValueError``.
    """
    rights = Right.NONE
    for part in text.split("+"):
        if part == SEND_AS:
            rights |= Right.SEND_AS
        elif part in LEVELS:
            rights |= LEVELS[part]
        elif part:
            rights |= _of_letters(part)
        else:
            raise ValueError("There is no such right")
    if rights & NEVER_GRANTED:
        raise ValueError("Only owners, and administrators of groups, may give rights")
    return rights


def member_rights_named(text: str) -> Right:
    """What a member gets beside reading, named like that. Raises ``ValueError``."""
    rights = rights_named(text)
    if rights in (Right.NONE, LEVELS["busy"]):
        raise ValueError("Every member reads what the group has")
    return rights & ~MEMBER


def granted_rights_named(text: str) -> Right:
    """What is given on a collection, named like that. Raises ``ValueError``."""
    rights = rights_named(text)
    if Right.SEND_AS in rights:
        raise ValueError("To send in the name of a group is given to its members")
    return rights


def _of_letters(letters: str) -> Right:
    rights = from_letters(letters)
    if Right.FLAGS in rights:
        rights |= Right.EDIT
    if Right.READ in rights:
        rights |= Right.BUSY
    return rights


def rights_text(rights: Right) -> str:
    """The words for rights, or their letters: what ``rights_named`` reads."""
    plain = rights & ~Right.SEND_AS
    if Right.READ in plain:  # whoever reads, sees busy times
        plain |= Right.BUSY
    words = [name for name, level in LEVELS.items() if plain == level and level]
    if not words and plain:
        editing = Right.FLAGS if Right.EDIT in plain else Right.NONE
        words = ["".join(letter for letter, right in LETTERS.items() if right & (plain | editing))]
    if Right.SEND_AS in rights:
        words.append(SEND_AS)
    return "+".join(word for word in words if word) or "none"
