"""The family of reads."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from folkmoot.storage.gate import Operation

if TYPE_CHECKING:
    from folkmoot.storage.txn import ReadContext

R = TypeVar("R", covariant=True)


class View(Operation, Generic[R]):
    """A read. ``read`` runs after the needs are met, in the snapshot of the transaction."""

    abstract: ClassVar[bool] = True

    @abc.abstractmethod
    def read(self, context: ReadContext) -> R:
        """Fetch plain values."""

    @classmethod
    def must_define(cls) -> tuple[str, ...]:
        return ("needs", "read")
