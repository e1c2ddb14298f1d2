"""Mutations of domains. Names are normalised (``storage.addresses``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import AlreadyExists, Conflict, NotFound
from folkmoot.storage.gate import Administration, Need, OnAccount, OnDomain
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext

FIND_DOMAIN = Statement("SELECT id FROM domains WHERE name = :name")
_INSERT = Statement("INSERT INTO domains (name, created) VALUES (:name, :now) RETURNING id")
_DELETE = (
    Statement("DELETE FROM credit_entries WHERE holder_kind = 'domain' AND holder_id = :id"),
    Statement("DELETE FROM credits WHERE holder_kind = 'domain' AND holder_id = :id"),
    Statement("DELETE FROM domains WHERE id = :id"),
)
_CREDIT = Statement(
    "SELECT amount FROM credits WHERE holder_kind = 'domain' AND holder_id = :id AND amount <> 0"
)
# A normalised domain holds no character that means something to LIKE.
_USED = Statement("SELECT address FROM addresses WHERE address LIKE '%@' || :name LIMIT 1")
_SET_PLANS = Statement("UPDATE domains SET plans = :plans WHERE id = :id")
_SET_CATCHALL = Statement("UPDATE domains SET catchall_account_id = :account WHERE id = :id")


def domain_id(context: ReadContext, name: str) -> int:
    """The id of a domain by its normalised name. Raises ``NotFound``."""
    row = context.db.one(FIND_DOMAIN, name=name)
    if row is None:
        raise NotFound(f"The domain {name} is not served here.")
    found: int = row[0]
    return found


class _DomainMutation(Mutation[None]):
    """What they have in common: administration, free of charge, with a trail."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


@dataclass(frozen=True, slots=True)
class CreateDomain(_DomainMutation):
    """Serve a domain from now on. Raises ``AlreadyExists``."""

    name: str

    def write(self, context: WriteContext) -> None:
        if context.db.one(FIND_DOMAIN, name=self.name) is not None:
            raise AlreadyExists(f"The domain {self.name} exists already.")
        context.db.run(_INSERT, name=self.name, now=context.now)


@dataclass(frozen=True, slots=True)
class DeleteDomain(_DomainMutation):
    """Serve a domain no longer. Raises ``Conflict`` while it has any address, or credit."""

    name: str

    def write(self, context: WriteContext) -> None:
        found = domain_id(context, self.name)
        if context.db.one(_USED, name=self.name) is not None:
            raise Conflict(f"The domain {self.name} has accounts or aliases; delete them first.")
        if context.db.one(_CREDIT, id=found) is not None:
            raise Conflict(f"The domain {self.name} has credit left.")
        for statement in _DELETE:
            context.db.run(statement, id=found)


@dataclass(frozen=True, slots=True)
class SetDomainPlans(_DomainMutation):
    """Say which plans administrators of a domain may give to its accounts. Raises ``NotFound``."""

    name: str
    plans: tuple[str, ...]

    def write(self, context: WriteContext) -> None:
        found = domain_id(context, self.name)
        context.db.run(_SET_PLANS, id=found, plans="\n".join(self.plans))


@dataclass(frozen=True, slots=True)
class SetCatchall(_DomainMutation):
    """Give an account the mail for unknown addresses of a domain; None for nobody."""

    name: str
    account_id: int | None

    def needs(self) -> Sequence[Need]:
        needs: list[Need] = [OnDomain(self.name)]
        if self.account_id is not None:
            needs.append(OnAccount(self.account_id))
        return needs

    def write(self, context: WriteContext) -> None:
        found = domain_id(context, self.name)
        context.db.run(_SET_CATCHALL, id=found, account=self.account_id)
