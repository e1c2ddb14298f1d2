"""What LIST and LSUB choose among the mailboxes, and how names are printed.

RFC 9051 section 6.3.9, RFC 5258, RFC 6154, RFC 3501 section 6.3.9. Works on plain lists, in any
thread.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.list_args import ListArgs, ListPattern
from folkmoot.sharing.mail_places import is_personal
from folkmoot.storage.types import MailboxInfo


@dataclass(frozen=True, slots=True)
class Listed:
    """A name of an answer.

    ``info`` is None for names that do not exist, of which ``level`` says that there are mailboxes
    below. ``selected`` says that the name itself meets the selection criteria, ``children`` that a
    name below it does.
    """

    name: str
    info: MailboxInfo | None
    level: bool
    subscribed: bool
    selected: bool
    children: bool


def order(name: str) -> tuple[bool, str]:
    """INBOX first, then by name."""
    return name != "INBOX", name


def choose(
    arguments: ListArgs, mailboxes: Sequence[MailboxInfo], subscriptions: Iterable[str]
) -> Iterator[Listed]:
    """The names that a LIST asks for, in order.

    ``RECURSIVEMATCH`` adds parents that do not meet the criteria themselves, where a name below
    them does that the patterns leave out. # rfc9051#6.3.9.3
    """
    existing = {info.name: info for info in mailboxes}
    levels = missing_levels(existing)
    subscribed = set(subscriptions)
    selected = _selected(arguments, existing, levels, subscribed)
    matches = _Patterns(arguments)
    above, left_out = _parents(selected, matches) if _recursive(arguments) else (set(), set())
    matching = {name for name in selected if matches(name)}
    matching.update(name for name in left_out if matches(name))
    for name in sorted(matching, key=order):
        yield Listed(
            name,
            existing.get(name),
            name in levels,
            name in subscribed,
            name in selected,
            name in above,
        )


def missing_levels(existing: Iterable[str]) -> set[str]:
    """The names above mailboxes that are none themselves: ``Groups``, ``Groups/NAME`` …"""
    names = set(existing)
    missing: set[str] = set()
    for name in names:
        above = name.rpartition("/")[0]
        while above and above not in names and above not in missing:
            missing.add(above)
            above = above.rpartition("/")[0]
    return missing


def choose_subscribed(arguments: ListArgs, subscriptions: Iterable[str]) -> list[tuple[str, bool]]:
    """The names that LSUB answers with, and whether each is subscribed itself.

    With ``%``, levels above what is subscribed are named, though not subscribed themselves.
    # rfc3501#6.3.9
    """
    subscribed = set(subscriptions)
    matches = _Patterns(arguments)
    found = {name: True for name in subscribed if matches(name)}
    if any("%" in pattern for pattern in arguments.patterns):
        _, left_out = _parents(subscribed, matches)
        found.update((name, False) for name in left_out - subscribed if matches(name))
    return sorted(found.items(), key=lambda item: order(item[0]))


def _selected(
    arguments: ListArgs,
    existing: dict[str, MailboxInfo],
    levels: set[str],
    subscribed: set[str],
) -> set[str]:
    """The names that meet the selection criteria, whatever the patterns say."""
    # rfc9051#6.3.9.1: subscribed names rather than existing mailboxes.
    names = subscribed if "SUBSCRIBED" in arguments.selections else existing.keys() | levels
    if "SPECIAL-USE" in arguments.selections:  # rfc6154#2
        names = {
            name for name in names if name in existing and special_use(existing[name], arguments)
        }
    return names


def _recursive(arguments: ListArgs) -> bool:
    return "RECURSIVEMATCH" in arguments.selections


class _Patterns:
    def __init__(self, arguments: ListArgs) -> None:
        # rfc9051#6.3.9: in the extended syntax, empty patterns are ignored.
        self._patterns = [
            ListPattern(unicodedata.normalize("NFC", arguments.reference + pattern))
            for pattern in arguments.patterns
            if pattern
        ]

    def __call__(self, name: str) -> bool:
        return any(pattern.matches(name) for pattern in self._patterns)


def _parents(names: Iterable[str], matches: _Patterns) -> tuple[set[str], set[str]]:
    """The names above ``names``: all of them, and those above a name that does not match."""
    above: set[str] = set()
    left_out: set[str] = set()
    for name in names:
        reached = above if matches(name) else left_out
        end = name.rfind("/")
        # What is there already has brought what lies above it.
        while end > 0 and name[:end] not in reached:
            reached.add(name[:end])
            end = name.rfind("/", 0, end)
    return above | left_out, left_out


# --- more lines for a mailbox ----------------------------------------------------------------

ListData = Callable[[MailboxInfo, object, bool], list[bytes]]
_LIST_DATA: dict[str, ListData] = {}


def list_data(option: str) -> Callable[[ListData], ListData]:
    """Decorate the function that prints what a return option of LIST asks for.

    It is called with a mailbox, the option's value and whether the session speaks UTF-8, and
    gives whole lines, which follow the LIST response.
    """

    def keep(printer: ListData) -> ListData:
        if option in _LIST_DATA:
            raise ValueError(f"LIST return option {option} is printed already")
        _LIST_DATA[option] = printer
        return printer

    return keep


def data_lines(info: MailboxInfo, arguments: ListArgs, *, utf8: bool) -> list[bytes]:
    """The lines that return options of extensions ask for."""
    return [
        line
        for option, value in arguments.returns.items()
        if option in _LIST_DATA
        for line in _LIST_DATA[option](info, value, utf8)
    ]


# --- printing --------------------------------------------------------------------------------


def attributes(info: MailboxInfo | None, *, level: bool = False) -> list[bytes]:
    """The attributes that every answer carries; ``info`` None stands for a missing mailbox.

    ``level`` says that there are mailboxes below it.
    """
    if info is None:
        # \\Noselect too, for clients that do not know \\NonExistent.
        missing = [b"\\NonExistent", b"\\Noselect"]
        return [*missing, b"\\HasChildren"] if level else [missing[0], b"\\HasNoChildren"]
    words = [b"\\HasChildren" if info.has_children else b"\\HasNoChildren"]
    # rfc3348#3, rfc9051#6.3.9.5
    use = special_use(info)
    if use:
        # Without being asked too: some clients know special mailboxes only from plain LIST.
        words.append(use)
    return words


def special_use(info: MailboxInfo, arguments: ListArgs | None = None) -> bytes:
    """The special use of a mailbox as an attribute, or nothing.

    Clients take whatever mailbox has \\Sent for the one of the person, so those of groups and of
    others have it only where a LIST asks for special uses under names of theirs. # rfc6154#2
    """
    if not info.special_use.startswith("\\"):  # ours, and nothing that clients know
        return b""
    if info.personal or (arguments is not None and _asks_for_uses_there(arguments)):
        return info.special_use.encode()
    return b""


def _asks_for_uses_there(arguments: ListArgs) -> bool:
    asked = "SPECIAL-USE" in arguments.selections or "SPECIAL-USE" in arguments.returns
    patterns = [arguments.reference + pattern for pattern in arguments.patterns if pattern]
    return asked and all(not is_personal(pattern) for pattern in patterns)


def list_line(
    name: str, words: Iterable[bytes], *, utf8: bool, extended: bytes = b"", kind: bytes = b"LIST"
) -> bytes:
    """``* LIST (words) "/" name (extended)``. # rfc9051#7.3.1"""
    pieces = [kind, b"(%b)" % b" ".join(words), b'"/"', encoder.mailbox_name(name, utf8)]
    if extended:
        pieces.append(b"(%b)" % extended)
    return encoder.data(*pieces)


def renamed_line(name: str, words: Iterable[bytes], old: str, *, utf8: bool) -> bytes:
    """``* LIST (words) "/" name ("OLDNAME" (old))`` (RFC 9051 section 6.3.9.7)."""
    extended = b'"OLDNAME" (%b)' % encoder.mailbox_name(old, utf8)
    return list_line(name, words, utf8=utf8, extended=extended)


def listed_line(entry: Listed, arguments: ListArgs, *, utf8: bool) -> bytes:
    """The LIST response for a chosen name."""
    words = attributes(entry.info, level=entry.level)
    if entry.info is not None and not entry.info.personal:
        use = special_use(entry.info, arguments)
        words += [use] if use else []
    asked = "SUBSCRIBED" in arguments.returns or "SUBSCRIBED" in arguments.selections
    if entry.subscribed and asked:
        words.append(b"\\Subscribed")
    extended = b""
    if entry.children:  # rfc9051#6.3.9.6
        criteria = sorted(arguments.selections.keys() - {"RECURSIVEMATCH", "REMOTE"})
        extended = b'"CHILDINFO" (%b)' % b" ".join(b'"%b"' % word.encode() for word in criteria)
    return list_line(entry.name, words, utf8=utf8, extended=extended)
