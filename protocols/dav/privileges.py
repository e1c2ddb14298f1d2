"""Rights as the privileges of RFC 3744 and RFC 4791, each an element."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from folkmoot.protocols.dav.names import CALDAV, dav, element
from folkmoot.storage.types import ALL_RIGHTS, Right, Tool

READ_FREE_BUSY: Final = f"{{{CALDAV}}}read-free-busy"
#: What each privilege that is no sum of others needs; any one of the bits is enough.
# rfc3744#3.1-3.12, rfc4791#6.1.1
ATOMIC: Final[dict[str, Right]] = {
    dav("read"): Right.READ,
    READ_FREE_BUSY: Right.READ | Right.BUSY,
    dav("write-properties"): Right.EDIT,
    dav("write-content"): Right.EDIT,
    dav("bind"): Right.INSERT | Right.CREATE,
    dav("unbind"): Right.DELETE | Right.EXPUNGE,
    dav("unlock"): Right.EDIT,
    dav("read-acl"): Right.SHARE,
    dav("write-acl"): Right.SHARE,
    dav("read-current-user-privilege-set"): Right.LOOKUP,
}
#: What every member of a group may do with what the group has, and what reading is.
MEMBER: Final = Right.LOOKUP | Right.READ | Right.BUSY | Right.SEEN
#: What each privilege gives when it is granted: more than one bit where clients know one thing.
GIVES: Final[dict[str, Right]] = {
    dav("read"): MEMBER,
    READ_FREE_BUSY: Right.LOOKUP | Right.BUSY,
    dav("write-properties"): Right.EDIT | Right.FLAGS,
    dav("write-content"): Right.EDIT | Right.FLAGS,
    dav("bind"): Right.INSERT | Right.CREATE | Right.POST,
    dav("unbind"): Right.DELETE | Right.EXPUNGE | Right.REMOVE,
    dav("unlock"): Right.EDIT,
    dav("read-current-user-privilege-set"): Right.LOOKUP,
}
#: What decides whether only busy times are seen in a calendar.
_DECIDES: Final = Right.READ | Right.BUSY | Right.INSERT
WRITE: Final = (dav("write-properties"), dav("write-content"), dav("bind"), dav("unbind"))


@lru_cache(maxsize=256)
def current_user_privilege_set(rights: Right) -> str:
    """The ``DAV:privilege`` elements for rights, sums of others first."""
    names = [name for name, needed in ATOMIC.items() if rights & needed]
    sums = []
    if rights == ALL_RIGHTS:
        sums.append(dav("all"))
    if all(name in names for name in WRITE):
        sums.append(dav("write"))
    return "".join(_privilege(name) for name in (*sums, *names))


def sees_busy_times(rights: Right, tool: Tool | None) -> bool:
    """Whether somebody with these rights on a calendar finds outlines there, and nothing else."""
    return tool is Tool.CALENDAR and rights & _DECIDES == Right.BUSY


def rights_to_read(rights: Right, tool: Tool | None) -> Right:
    """Rights as programs are told them: outlines are there to be read, too, and without DAV:read
    programs would not ask for them."""
    return rights | Right.READ if sees_busy_times(rights, tool) else rights


def rights_given(names: Collection[str]) -> Right:
    """The rights that privileges give. Raises ``KeyError`` for those that nobody can give."""
    rights = Right.NONE
    for name in names:
        for each in WRITE if name == dav("write") else (name,):
            rights |= GIVES[each]
    return rights


def privileges_of(rights: Right) -> frozenset[str]:
    """The names of the privileges that rights amount to, but for sums of others."""
    return frozenset(name for name, needed in ATOMIC.items() if rights & needed)


def supported_privilege_set() -> str:
    """The tree of privileges. # rfc3744#5.3"""
    read = _supported(dav("read"), "Read", _supported(READ_FREE_BUSY, "See busy times"))
    write = _supported(
        dav("write"),
        "Write",
        _supported(dav("write-properties"), "Change properties")
        + _supported(dav("write-content"), "Change what is there")
        + _supported(dav("bind"), "Add")
        + _supported(dav("unbind"), "Remove"),
    )
    others = (
        _supported(dav("unlock"), "Remove locks")
        + _supported(dav("read-acl"), "See who may do what")
        + _supported(dav("write-acl"), "Change who may do what")
        + _supported(dav("read-current-user-privilege-set"), "See what one may do oneself")
    )
    return _supported(dav("all"), "Everything", read + write + others)


def _supported(name: str, text: str, below: str = "") -> str:
    return (
        f"<D:supported-privilege>{_privilege(name)}"
        f'<D:description xml:lang="en">{text}</D:description>{below}</D:supported-privilege>'
    )


def _privilege(name: str) -> str:
    return f"<D:privilege>{element(name)}</D:privilege>"
