"""Tables of options in parentheses, to which each extension adds its own from its own module.

Fetch modifiers, LIST selection and return options, search result options and SELECT parameters
all have this shape (RFC 4466): ``(NAME NAME argument NAME (argument …))``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor

Parser = Callable[[Cursor], object]
P = TypeVar("P", bound=Parser)


class OptionTable:
    """The options that one place of the grammar knows, by upper-case name.

    `what` names the place in messages to the client, for example ``fetch modifier``.
    `repeatable` says that an option given twice counts once (RFC 9051 section 6.3.9 has LIST so);
    elsewhere that is an error.
    """

    def __init__(self, what: str, *, repeatable: bool = False) -> None:
        self._what = what
        self._repeatable = repeatable
        self._parsers: dict[str, Parser] = {}

    def add(self, *names: str) -> None:
        """Register options without an argument; their value is True."""
        for name in names:
            self.register(name)(_no_argument)

    def register(self, name: str) -> Callable[[P], P]:
        """Decorate the function that reads the argument of option `name`.

        It is called with the cursor right behind the name, so it reads the space first.
        """

        def keep(parser: P) -> P:
            if name in self._parsers:
                raise ValueError(f"{self._what} {name} is registered already")
            self._parsers[name] = parser
            return parser

        return keep

    def parse(self, cursor: Cursor, *, empty: bool = False) -> dict[str, object]:
        """Read a list of options in parentheses: name to value, in the client's order.

        BadSyntax for options that are unknown, or repeated where they may not be.
        """
        found: dict[str, object] = {}

        def member() -> None:
            name = cursor.keyword()
            parser = self._parsers.get(name)
            if parser is None:
                raise BadSyntax(f"Unknown {self._what}")
            if name in found and not self._repeatable:
                raise BadSyntax(f"Repeated {self._what}")
            found[name] = parser(cursor)

        limit = len(self._parsers) * (2 if self._repeatable else 1)
        cursor.list_of(member, empty=empty, limit=limit)
        return found


def _no_argument(cursor: Cursor) -> bool:
    return True
