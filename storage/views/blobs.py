"""Which body files are named by rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.views.base import View

_FILES = Statement("SELECT file FROM blobs WHERE file IS NOT NULL")


@dataclass(frozen=True, slots=True)
class NamedFiles(View[set[str]]):
    """The names of all body files that rows refer to."""

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> set[str]:
        return {row[0] for row in context.db.all(_FILES)}
