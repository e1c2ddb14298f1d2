"""Filters of addressbook-query (RFC 6352 section 10.5).

`matching.py` uses them: a filter is first asked what text every match must have (`needle`, for
SQL), then decided from the facts alone (`decide`), and only where these do not suffice from the
card (`matches`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

CONDITION_LIMIT = 200
"""Conditions in a filter. Programs that search for words as they are typed use about ten."""

TEXT_LIMIT = 2000
"""Characters of a text that is searched for."""


class Collation(Enum):
    """How texts are compared; the server property is supported-collation-set. # rfc6352#8.3"""

    UNICODE = "i;unicode-casemap"
    ASCII = "i;ascii-casemap"
    OCTET = "i;octet"


class MatchType(Enum):
    """Where in the value the text must be. # rfc6352#10.5.4"""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS_WITH = "starts-with"
    ENDS_WITH = "ends-with"


class Test(Enum):
    """Whether one condition or all must hold."""

    __test__ = False  # pytest: not a test class

    ANYOF = "anyof"
    ALLOF = "allof"


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A text that a value must have, or not. Raises ValueError beyond `TEXT_LIMIT`."""

    text: str
    collation: Collation = Collation.UNICODE
    match_type: MatchType = MatchType.CONTAINS
    negate: bool = False

    def __post_init__(self) -> None:
        if len(self.text) > TEXT_LIMIT:
            raise ValueError("The text to search for is too long.")


@dataclass(frozen=True, slots=True)
class ParamFilter:
    """A condition on a parameter: that it is there, is not there, or has a text."""

    # rfc6352#10.5.2

    name: str
    is_not_defined: bool = False
    text_match: TextMatch | None = None


@dataclass(frozen=True, slots=True)
class PropFilter:
    """A condition on properties of a name, which may begin with a group (`item1.EMAIL`).

    With `is_not_defined` there must be none, otherwise one for which the conditions hold.
    """

    # rfc6352#10.5.1

    name: str
    is_not_defined: bool = False
    test: Test = Test.ANYOF
    text_matches: tuple[TextMatch, ...] = ()
    param_filters: tuple[ParamFilter, ...] = ()


#: What programs look for to find a card again; it says nothing of what is in it.
_NO_CONTENT = frozenset({"UID"})


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter; one without conditions lets everything pass, as KDE's queries need.

    Raises ValueError beyond `CONDITION_LIMIT`.
    """

    props: tuple[PropFilter, ...] = ()
    test: Test = Test.ANYOF

    def __post_init__(self) -> None:
        conditions = sum(
            [1 + len(each.text_matches) + len(each.param_filters) for each in self.props]
        )
        if conditions > CONDITION_LIMIT:
            raise ValueError("The filter has too many conditions.")

    @property
    def searches_content(self) -> bool:
        """Whether it asks for words in what people have written."""
        return any(
            prop.text_matches or any(param.text_match for param in prop.param_filters)
            for prop in self.props
            if prop.name.upper() not in _NO_CONTENT
        )
