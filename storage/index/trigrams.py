"""Trigrams of the indexed texts: SQLite's FTS5, PostgreSQL's pg_trgm.

They narrow a search down to messages that may match. Neither is part of the schema's migrations:
both can be dropped and made again at any time, and a database without them is searched by reading
the texts.
"""

from __future__ import annotations

import logging

from folkmoot.storage.engine.db import Db, Statement

log = logging.getLogger("folkmoot.storage")

SIZE = 3  # characters of a trigram: shorter texts are not narrowed
MAX_USED = 10  # trigrams of a text that are looked up; more hardly narrow it further

# Whether a word stands in header or body is not kept, nor where: that takes a fraction of the
# space, and what is found is looked at anyway.
_CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5(header, body,"
    " content='search_texts', content_rowid='blob_id',"
    " tokenize='trigram case_sensitive 1', detail=none)"
)
_PRESENT_SQLITE = Statement("SELECT 1 FROM sqlite_master WHERE name = 'search_index'")
_PRESENT_POSTGRES = Statement("SELECT 1 FROM pg_class WHERE relname = 'ix_search_texts_trigrams'")
_CREATE_POSTGRES = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX IF NOT EXISTS ix_search_texts_trigrams ON search_texts"
    " USING gin (header gin_trgm_ops, body gin_trgm_ops)",
)
_INSERT = Statement(
    "INSERT INTO search_index (rowid, header, body)"
    " SELECT blob_id, header, body FROM search_texts WHERE blob_id = :id"
)
_DELETE = Statement(
    "INSERT INTO search_index (search_index, rowid, header, body)"
    " SELECT 'delete', blob_id, header, body FROM search_texts WHERE blob_id = :id"
)
_MATCH_SQLITE = Statement(
    "SELECT rowid FROM search_index WHERE search_index MATCH :query"
    " AND rowid BETWEEN :low AND :high LIMIT :limit"
)
# A range of numbers would lead the planner to the primary key, past the trigrams.
_MATCH_POSTGRES = Statement(
    "SELECT blob_id FROM search_texts WHERE header LIKE :query OR body LIKE :query LIMIT :limit"
)
_SIZE_SQLITE = Statement(
    "SELECT COALESCE(SUM(LENGTH(block)), 0), (SELECT COUNT(*) FROM search_index_docsize)"
    " FROM search_index_data"
)
_SIZE_POSTGRES = Statement(
    "SELECT pg_relation_size('ix_search_texts_trigrams'), (SELECT COUNT(*) FROM search_texts)"
)


def present(db: Db) -> bool:
    """Whether there are trigrams."""
    return db.one(_PRESENT_SQLITE if db.is_sqlite else _PRESENT_POSTGRES) is not None


def create(db: Db) -> bool:
    """Make them where they are missing; False where the database cannot."""
    if present(db):
        return True
    statements = (_CREATE,) if db.is_sqlite else _CREATE_POSTGRES
    db.text("SAVEPOINT trigrams")
    try:
        for statement in statements:
            db.text(statement)
        if db.is_sqlite:
            db.text("INSERT INTO search_index (search_index) VALUES ('rebuild')")
    except Exception as error:
        # An extension that is not installed, or a role that may not create it.
        log.warning("searching without trigrams: %s", str(error).splitlines()[0])
        db.text("ROLLBACK TO SAVEPOINT trigrams")
        db.text("RELEASE SAVEPOINT trigrams")
        return False
    db.text("RELEASE SAVEPOINT trigrams")
    return True


def drop(db: Db) -> None:
    """Take them away."""
    if db.is_sqlite:
        db.text("DROP TABLE IF EXISTS search_index")
    else:
        db.text("DROP INDEX IF EXISTS ix_search_texts_trigrams")


def add(db: Db, blob_id: int) -> None:
    """Take in a row of texts that was just written."""
    if db.is_sqlite:  # PostgreSQL does it by itself
        db.run(_INSERT, id=blob_id)


def remove(db: Db, blob_id: int) -> None:
    """Forget a row of texts that is about to be deleted."""
    if db.is_sqlite:
        db.run(_DELETE, id=blob_id)


def size(db: Db) -> tuple[int, int]:
    """Octets that they take, and how many messages are in them."""
    octets, messages = db.all(_SIZE_SQLITE if db.is_sqlite else _SIZE_POSTGRES)[0]
    return octets, messages


def candidates(db: Db, text: str, low: int, high: int, limit: int) -> list[int] | None:
    """Bodies that may hold a text; None when there are ``limit``.

    All from ``low`` to ``high`` that hold it are among them.
    """
    if db.is_sqlite:
        rows = db.all(_MATCH_SQLITE, query=_query(text), low=low, high=high, limit=limit)
    else:
        # Reading all texts looks cheap to the planner, which does not count what it costs to get
        # long ones from where they are kept.
        db.text("SET LOCAL enable_seqscan = off")
        rows = db.all(_MATCH_POSTGRES, query=pattern(text), limit=limit)
        db.text("SET LOCAL enable_seqscan = on")
    return None if len(rows) >= limit else [row[0] for row in rows]


def _query(text: str) -> str:
    last = len(text) - SIZE
    # Those that overlap little say most.
    places = [*range(0, last, SIZE), last]
    if len(places) > MAX_USED:
        places = [places[n * (len(places) - 1) // (MAX_USED - 1)] for n in range(MAX_USED)]
    words = [text[place : place + SIZE].replace('"', '""') for place in places]
    return " AND ".join(f'"{word}"' for word in dict.fromkeys(words))


def pattern(text: str) -> str:
    """The LIKE pattern of what holds a text; its escape character is the backslash."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
