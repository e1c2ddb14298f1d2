"""The rights of the gate as the letters of RFC 4314, and back.

``BUSY``, ``EDIT`` and ``SEND_AS`` mean nothing for a mailbox and have no letter.
"""

from __future__ import annotations

from typing import Final

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
