"""Translates the parsed keys of SEARCH into what the store searches for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from folkmoot.protocols.imap import search_keys as keys
from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.flags import SYSTEM
from folkmoot.protocols.imap.view import View
from folkmoot.storage import types_search as find
from folkmoot.storage.types import UidSet

NOTHING = find.Or(())
_FIELDS = {"BCC": "bcc", "CC": "cc", "FROM": "from", "SUBJECT": "subject", "TO": "to"}

Translator = Callable[[Any], find.SearchKey]
_TRANSLATORS: dict[type[keys.SearchKey], Translator] = {}


def translates(kind: type[keys.SearchKey]) -> Callable[[Translator], Translator]:
    """Decorate the function that gives the store's form of an extension's key."""

    def keep(translator: Translator) -> Translator:
        if kind in _TRANSLATORS:
            raise ValueError(f"search key {kind.__name__} is translated already")
        _TRANSLATORS[kind] = translator
        return translator

    return keep


@dataclass(frozen=True, slots=True)
class Wrapping(keys.SearchKey):
    """An extension's key around another; one of its own class has ``@wraps``."""

    key: keys.SearchKey


Wrapper = Callable[[find.SearchKey], find.SearchKey]
_WRAPPERS: dict[type[keys.SearchKey], Wrapper] = {}


def wraps(kind: type[Wrapping]) -> Callable[[Wrapper], Wrapper]:
    """Decorate the function that gives the store's form of a key around another's."""

    def keep(wrapper: Wrapper) -> Wrapper:
        if kind in _WRAPPERS:
            raise ValueError(f"search key {kind.__name__} is translated already")
        _WRAPPERS[kind] = wrapper
        return wrapper

    return keep


class Planner:
    """Translates keys for one command.

    ``view`` is None where the keys are about several mailboxes. ``uses_modseq`` tells afterwards
    whether MODSEQ was among the keys (RFC 7162 3.1.5).
    """

    def __init__(self, view: View | None) -> None:
        self._view = view
        self.uses_modseq = False

    def plan(self, key: keys.SearchKey) -> find.SearchKey:
        """The store's form of a key. Raises ``BadSyntax`` for message numbers that do not exist."""
        match key:
            case keys.And(parts):
                return find.And(tuple(map(self.plan, parts)))
            case keys.Or(parts):
                return find.Or(tuple(map(self.plan, parts)))
            case keys.Not(part):
                return find.Not(self.plan(part))
            case keys.All():
                return find.And(())
            case keys.Recent():
                return NOTHING
            case keys.Messages():
                return find.UidIn(self._uids(key))
            case keys.ModSeq(minimum):
                self.uses_modseq = True
                return find.ModseqAtLeast(minimum)
            case Wrapping(part):
                return _WRAPPERS[type(key)](self.plan(part))
            case _:
                return _simple(key)

    def _uids(self, key: keys.Messages) -> UidSet:
        if self._view is None:
            return _anywhere(key)
        if self._view.uid_only and not (key.uid or key.numbers.saved):  # rfc9586#3.5
            raise BadSyntax("Messages have no numbers: use UID", code="UIDREQUIRED")
        try:
            return UidSet.from_iterable(self._view.select(key.numbers, uid=key.uid))
        except IndexError:
            raise BadSyntax("There is no message with this number") from None


def _anywhere(key: keys.Messages) -> UidSet:
    """UIDs that mean something in every mailbox. # rfc7377#2.1"""
    if not key.uid or key.numbers.saved or key.numbers.uses_star:
        raise BadSyntax("This key is about the selected mailbox only")
    return UidSet.from_ranges(key.numbers.parts)


def _simple(key: keys.SearchKey) -> find.SearchKey:
    match key:
        case keys.Flag(flag):
            bit = SYSTEM.get(flag)
            return find.HasKeyword(flag) if bit is None else find.HasFlags(int(bit))
        case keys.Text("BODY", value):
            return find.BodyContains(value)
        case keys.Text("TEXT", value):
            return find.TextContains(value)
        case keys.Text(where, value):
            return find.HeaderContains(_FIELDS[where], value)
        case keys.Header(name, value):
            return find.HeaderContains(name.lower(), value)
        case keys.Larger(octets):
            return find.Larger(octets)
        case keys.Smaller(octets):
            return find.Smaller(octets)
        case keys.Day():
            kind = find.SentDate if key.sent else find.InternalDate
            return by_day(kind, key.when, key.day)
    translator = _TRANSLATORS.get(type(key))
    if translator is not None:
        return translator(key)
    raise BadSyntax("This search key is not known here")


DayKey = Callable[[date | None, date | None], find.SearchKey]


def by_day(kind: DayKey, when: keys.When, day: date) -> find.SearchKey:
    """``kind`` (since, before) for BEFORE, ON or SINCE a day."""
    match when:
        case "BEFORE":
            return kind(None, day)
        case "SINCE":
            return kind(day, None)
        case "ON":
            try:
                return kind(day, day + timedelta(days=1))
            except OverflowError:  # the last day that there is
                return kind(day, None)
