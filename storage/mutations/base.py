"""The family of writes."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from folkmoot.storage.gate import Operation
from folkmoot.storage.policy import Charge

if TYPE_CHECKING:
    from folkmoot.storage.txn import ReadContext, WriteContext

R = TypeVar("R", covariant=True)


class Mutation(Operation, Generic[R]):
    """A write. Applied in this order: needs, cost, bump, write, change row, audit row."""

    abstract: ClassVar[bool] = True
    # True for what an agent of support may do, too, whose grant is to look only.
    only_notes: ClassVar[bool] = False

    @abc.abstractmethod
    def cost(self, context: ReadContext) -> Sequence[Charge]:
        """What it adds to (negative: frees in) which spaces; () when nothing."""

    @abc.abstractmethod
    def write(self, context: WriteContext) -> R:
        """Do it. Changes of collections go through ``context.bump`` and ``context.changed``."""

    @classmethod
    def must_define(cls) -> tuple[str, ...]:
        return ("needs", "cost", "write")
