"""Whether a card matches a filter (RFC 6352 section 10.5).

Conditions are about one property: that one EMAIL has a text and another EMAIL has not is a match
for "has an EMAIL without this text" (where SabreDAV and Radicale turn the whole answer round).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby

from folkmoot.storage.content.sortkeys import collation_key
from folkmoot.storage.content.vcard.facts import INNER_LINE_END, NAME_END
from folkmoot.storage.content.vcard.filters import (
    Collation,
    Filter,
    MatchType,
    ParamFilter,
    PropFilter,
    Test,
    TextMatch,
)
from folkmoot.storage.content.vcard.intake import Card
from folkmoot.storage.content.vcard.reading import Property, properties_of


def matches(card: Card | bytes, wanted: Filter) -> bool:
    """Return whether a card, or the octets of one that passed the intake, matches a filter.

    Values that are data (photos and the like) count as empty text.
    """
    if not wanted.props:
        return True
    names = frozenset([_name(each)[1] for each in wanted.props])
    if isinstance(card, Card):
        found = [each for each in card.properties if each.name in names]
    else:
        found = list(properties_of(card, only=names))
    results = (_prop_matches(found, each) for each in wanted.props)
    return any(results) if wanted.test is Test.ANYOF else all(results)


def decide(text: str, wanted: Filter) -> bool | None:
    """Return whether the card with this `CardFacts.text` matches; None if only the card can tell.

    Groups, parameters and collations other than i;unicode-casemap are not in the text.
    """
    if not wanted.props:
        return True
    lines = "\n" + text
    results = [_text_decides(lines, each) for each in wanted.props]
    decisive = wanted.test is Test.ANYOF
    if decisive in results:
        return decisive
    return None if None in results else not decisive


def needle(wanted: Filter) -> str | None:
    """Return a text that is in `CardFacts.text` of every card that matches, or None.

    The longest one is chosen. It may have U+001F, U+001E and LF, and what LIKE takes for a
    wildcard.
    """
    if not wanted.props:
        return None
    found = _combined([_prop_clues(each) for each in wanted.props], wanted.test)
    if not found:
        return None
    return max(found, key=lambda each: (found[each], len(each), each))


# --- properties ------------------------------------------------------------------------------


def _name(wanted: PropFilter) -> tuple[str, str]:
    """Return group and name; without a group it is any. # rfc6352#10.5.1"""
    group, _, name = wanted.name.upper().rpartition(".")
    return group, name


def _prop_matches(found: Iterable[Property], wanted: PropFilter) -> bool:
    # rfc6352#10.5.1
    group, name = _name(wanted)
    there = [
        each for each in found if each.name == name and (not group or each.group.upper() == group)
    ]
    if wanted.is_not_defined:
        return not there
    return any(_one_matches(each, wanted) for each in there)


def _one_matches(found: Property, wanted: PropFilter) -> bool:
    if not wanted.text_matches and not wanted.param_filters:
        return True
    every = wanted.test is Test.ALLOF
    for text in wanted.text_matches:
        if _text_matches((found.text(),), text) is not every:
            return not every
    for param in wanted.param_filters:
        if _param_matches(found, param) is not every:
            return not every
    return every


def _param_matches(found: Property, wanted: ParamFilter) -> bool:
    # rfc6352#10.5.2
    name = wanted.name.upper()
    there = any(each == name for each, _ in found.params)
    if wanted.is_not_defined:
        return not there
    if not there or wanted.text_match is None:
        return there
    return _text_matches(found.param(name), wanted.text_match)


# --- texts -----------------------------------------------------------------------------------

_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _text_matches(values: Sequence[str], wanted: TextMatch) -> bool:
    """Return whether one of the values has the text; or, of a negated condition, none."""
    # rfc6352#10.5.4
    text = _folded(wanted.text, wanted.collation)
    has = any(_has(_folded(each, wanted.collation), text, wanted.match_type) for each in values)
    return has is not wanted.negate


def _folded(text: str, collation: Collation) -> str:
    if collation is Collation.UNICODE:
        return collation_key(text)
    if collation is Collation.ASCII:
        return text.lower() if text.isascii() else text.translate(_TO_LOWER)
    return text


def _has(value: str, text: str, match_type: MatchType) -> bool:
    if match_type is MatchType.CONTAINS:
        return text in value
    if match_type is MatchType.EQUALS:
        return text == value
    if match_type is MatchType.STARTS_WITH:
        return value.startswith(text)
    return value.endswith(text)


# --- the text of the facts -------------------------------------------------------------------


def _in_facts(text: str) -> str:
    return collation_key(text).replace("\n", INNER_LINE_END)


def _text_decides(lines: str, wanted: PropFilter) -> bool | None:
    group, name = _name(wanted)
    if group:
        return None
    label = "\n" + collation_key(name) + NAME_END
    if wanted.is_not_defined:
        return label not in lines
    values = [each.partition("\n")[0] for each in _behind(lines, label)]
    if not values:
        return False
    if wanted.param_filters or any(
        each.collation is not Collation.UNICODE for each in wanted.text_matches
    ):
        return None
    if not wanted.text_matches:
        return True
    conditions = [
        (_in_facts(each.text), each.match_type, each.negate) for each in wanted.text_matches
    ]
    test = any if wanted.test is Test.ANYOF else all
    return any(
        test(_has(value, text, kind) is not negate for text, kind, negate in conditions)
        for value in values
    )


def _behind(lines: str, label: str) -> Iterable[str]:
    """Return the rest of each line that begins with the label, and what follows it."""
    return lines.split(label)[1:]


# --- needles ---------------------------------------------------------------------------------

# A text that must be there, and how many characters of it are from the query: names of properties
# alone narrow little.
_Clues = dict[str, int]


def _prop_clues(wanted: PropFilter) -> _Clues:
    if wanted.is_not_defined:
        return {}
    label = collation_key(_name(wanted)[1]) + NAME_END
    conditions = [{} if each.negate else _text_clues(label, each) for each in wanted.text_matches]
    # Parameters are not in the text.
    conditions += [{} for _ in wanted.param_filters]
    clues = _combined(conditions, wanted.test) if conditions else {}
    return {label: 0, **clues}


def _text_clues(label: str, wanted: TextMatch) -> _Clues:
    folded = _in_facts(wanted.text)
    # What follows in the value may order the marks on the last letter anew, so they are left out.
    # This also makes the clue right for the collations that distinguish more.
    runs = ["".join(run) for marks, run in groupby(folded, unicodedata.combining) if not marks]
    if not runs:
        return {}
    run = max(runs, key=len)
    clues = {run: len(run)}
    bounded = run
    if wanted.match_type in (MatchType.EQUALS, MatchType.STARTS_WITH) and folded.startswith(run):
        bounded = label + bounded
    if wanted.match_type in (MatchType.EQUALS, MatchType.ENDS_WITH) and folded.endswith(run):
        bounded += "\n"
    clues[bounded] = len(run)
    return clues


def _combined(conditions: Sequence[_Clues], test: Test) -> _Clues:
    """Return what must be there if all conditions hold, or one of them."""
    together: _Clues = {}
    for each in conditions:
        together.update(each)
    if test is Test.ALLOF:
        return together
    return {
        clue: weight
        for clue, weight in together.items()
        if all(any(clue in other for other in each) for each in conditions)
    }
