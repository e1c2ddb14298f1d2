"""The vocabulary of the gate: what operations say they need and cost.

Every operation on data is an object of one of two families, ``Mutation`` (it writes) and ``View``
(it reads). A class that does not say what it needs, or a mutation that does not say what it
costs, fails when its module is imported.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.types import Right


@dataclass(frozen=True, slots=True)
class OnCollection:
    """Needs all the rights on one collection."""

    collection_id: int
    rights: Right


@dataclass(frozen=True, slots=True)
class OnItem:
    """Needs all the rights on one item (a UID, or the id of an item of the tree) of a collection.

    What is granted on the item counts instead of what is granted on the collection.
    """

    collection_id: int
    item: int
    rights: Right


@dataclass(frozen=True, slots=True)
class OnSpace:
    """Needs to manage what belongs to the person or group (subscriptions, passwords).

    ``look``: only to see it, which those may do too whom the person lets into the account.
    """

    space_id: int
    look: bool = False


@dataclass(frozen=True, slots=True)
class OnGroup:
    """Needs to lead a group: to change its name, its members and their rights.

    With ``domain``, those may do it too who administer the domain of its address.
    """

    group_id: int
    domain: bool = False


@dataclass(frozen=True, slots=True)
class OnDomain:
    """Needs to administer what is in a mail domain: its accounts, aliases and groups, no data."""

    name: str


@dataclass(frozen=True, slots=True)
class OnAccount:
    """Needs to administer an account, as those who administer its domain do."""

    account_id: int


@dataclass(frozen=True, slots=True)
class Administration:
    """Needs to administer domains and accounts."""


@dataclass(frozen=True, slots=True)
class PerItem:
    """Needs nothing up front: the result is filtered by the actor's rights on each collection.

    Only for views; their ``read`` must pass everything through ``context.visible``.
    """


Need = OnCollection | OnItem | OnSpace | OnGroup | OnDomain | OnAccount | Administration | PerItem


class Operation(abc.ABC):
    """What both families share."""

    # True when each execution leaves a row in the audit trail, whoever acts.
    audited: ClassVar[bool] = False

    @abc.abstractmethod
    def needs(self) -> Sequence[Need]:
        """All rights, on all that is touched. Never empty."""

    def trail_note(self) -> str:
        """What the row in the trail says beside the name of the operation."""
        return ""

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if "abstract" in cls.__dict__:
            return
        for name in cls.must_define():
            if getattr(getattr(cls, name), "__isabstractmethod__", False):
                raise TypeError(f"{cls.__qualname__} does not say {name}()")

    @classmethod
    def must_define(cls) -> tuple[str, ...]:
        return ("needs",)
