"""Plain values of domains and accounts beyond what a login needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from folkmoot.storage.types import Account, AppPassword, Feature, Limit, Tool, Usage

DAY = 86_400  # seconds; mail is counted by days of UTC


@dataclass(frozen=True, slots=True)
class Domain:
    """A mail domain. ``catchall`` is the primary address of an account, "" for none.

    ``plans`` are those that its administrators may give to its accounts.
    """

    id: int
    name: str
    catchall: str
    accounts: int
    created: datetime
    plans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan gives an account beside the room in its tools; None: any number.

    ``groups`` is how many it may administer, ``members`` how many may be in each of them,
    ``mail_per_day`` how many recipients on other servers it may write to in a day (UTC).
    ``withheld`` is what the plan does not have.
    """

    groups: int | None = None
    members: int | None = None
    mail_per_day: int | None = None
    withheld: frozenset[Feature] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it is given to an account; a tool that is not in ``limits`` is unlimited."""

    name: str
    limits: Mapping[Tool, Limit] = field(default_factory=dict)
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True)
class Excess:
    """One thing that an account has more of than its plan allows, since that changed.

    ``what`` says it for people: ``documents of choir@example.org``.
    """

    what: str
    used: int
    limit: int
    unit: str


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """An account with what belongs to it. ``aliases`` are its other addresses, sorted."""

    account: Account
    aliases: tuple[str, ...]
    app_passwords: tuple[AppPassword, ...]
    usage: tuple[Usage, ...]
    has_password: bool
    has_scram: bool
    terms: Terms
    sent_today: int


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
    terms: Terms = Terms()


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
    terms: Terms | None = None
