"""Statements and the connection that runs them, the same on SQLite and PostgreSQL.

Statements are SQL text with ``:name`` parameters, written once as module constants. They go
straight to the driver: SQLAlchemy's execution path costs about 50 microseconds a statement, ten
times what SQLite needs for the work, and an APPEND runs ten of them. The schema and its
migrations are SQLAlchemy's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")

Row = tuple[Any, ...]


class Statement:
    """One SQL statement in the parameter style of both drivers.

    ``text`` uses ``:name``; percent signs need no doubling.
    """

    __slots__ = ("_postgres", "sqlite")

    def __init__(self, text: str) -> None:
        self.sqlite = text
        self._postgres = ""

    @property
    def postgres(self) -> str:
        """What psycopg takes. Made when it is asked for: texts with long lists are used once."""
        if not self._postgres:
            self._postgres = _PARAMETER.sub(r"%(\1)s", self.sqlite.replace("%", "%%"))
        return self._postgres


@lru_cache(maxsize=128)
def statement(text: str) -> Statement:
    """The statement of a text that is put together at run time from few parts."""
    return Statement(text)


class Db:
    """A connection inside a transaction, as views and mutations see it. One thread only.

    ``cursor`` is a DBAPI cursor of sqlite3 or psycopg.
    """

    __slots__ = ("_cursor", "is_sqlite", "statements")

    def __init__(self, cursor: Any, *, is_sqlite: bool) -> None:
        self._cursor = cursor
        self.is_sqlite = is_sqlite
        self.statements = 0

    def _execute(self, statement: Statement, parameters: Mapping[str, Any]) -> Any:
        self.statements += 1
        cursor = self._cursor
        cursor.execute(statement.sqlite if self.is_sqlite else statement.postgres, parameters)
        return cursor

    def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """All rows of a query."""
        rows: list[Row] = self._execute(statement, parameters).fetchall()
        return rows

    def portions(self, statement: Statement, number: int, **parameters: Any) -> Iterator[list[Row]]:
        """All rows of a query, so many at a time. No other statement may run in between."""
        cursor = self._execute(statement, parameters)
        while rows := cursor.fetchmany(number):
            yield rows

    def one(self, statement: Statement, **parameters: Any) -> Row | None:
        """The first row, or None. Also for INSERT/UPDATE … RETURNING of one row."""
        rows = self._execute(statement, parameters).fetchall()
        return rows[0] if rows else None

    def value(self, statement: Statement, **parameters: Any) -> Any:
        """The first column of the one row that must be there."""
        row = self.one(statement, **parameters)
        assert row is not None, "the statement must return a row"
        return row[0]

    def run(self, statement: Statement, **parameters: Any) -> int:
        """Run a statement that returns nothing; the number of rows it touched."""
        count: int = self._execute(statement, parameters).rowcount
        return count

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement once for each set of parameters."""
        self.statements += 1
        self._cursor.executemany(
            statement.sqlite if self.is_sqlite else statement.postgres, list(rows)
        )

    def text(self, sql: str) -> None:
        """Run transaction control (BEGIN, SAVEPOINT …)."""
        self._cursor.execute(sql)


def number_list(numbers: Iterable[int]) -> str:
    """Numbers as SQL has them between brackets."""
    return ", ".join(str(int(number)) for number in numbers)
