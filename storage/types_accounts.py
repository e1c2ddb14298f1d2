"""Plain values of domains and accounts beyond what a login needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from folkmoot.storage.types import Account, AppPassword, Limit, Tool, Usage


@dataclass(frozen=True, slots=True)
class Domain:
    """A mail domain. ``catchall`` is the primary address of an account, "" for none."""

    id: int
    name: str
    catchall: str
    accounts: int
    created: datetime


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """How many groups an account may administer, with how many members each; None: any number."""

    groups: int | None = None
    members: int | None = None


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """An account with what belongs to it. ``aliases`` are its other addresses, sorted."""

    account: Account
    aliases: tuple[str, ...]
    app_passwords: tuple[AppPassword, ...]
    usage: tuple[Usage, ...]
    has_password: bool
    has_scram: bool
    group_limits: GroupLimits


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made. ``address`` is normalised; a tool without limit is unlimited.

    ``secret`` is an argon2id hash, "" for an account that nobody can sign in to with a password.
    """

    address: str
    name: str
    secret: str
    scram: str | None
    plan: str
    limits: Mapping[Tool, Limit] = field(default_factory=dict)
    domain_admin: bool = False
    disabled: bool = False
    group_limits: GroupLimits = GroupLimits()


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """What changes of an account; None leaves a field as it is. Tools left out keep limits.

    ``hidden_capabilities`` are in upper case (``storage.names.capability_name``).
    """

    name: str | None = None
    plan: str | None = None
    domain_admin: bool | None = None
    limits: Mapping[Tool, Limit] = field(default_factory=dict)
    hidden_capabilities: tuple[str, ...] | None = None
    group_limits: GroupLimits | None = None
