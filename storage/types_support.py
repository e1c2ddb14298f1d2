"""Plain values of support access: who may look into an account, how far, and what was done."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.types import Tool

#: Of what customers write to support, in characters.
MAX_SUBJECT = 200
MAX_BODY = 20_000
MAX_PHONE = 50


@dataclass(frozen=True, slots=True)
class SupportAccess:
    """What a support agent may do in the account that it acts in.

    It is read anew in each transaction: what a session was opened with does not count. Times are
    seconds since 1970. ``with_groups`` opens the spaces of the customer's groups, too.
    ``free_items`` and ``free_octets`` are what may be read without ``export``.
    """

    agent_id: int
    agent: str
    grant_id: int
    session_id: int
    tools: frozenset[Tool]
    read_only: bool
    export: bool
    with_groups: bool
    until: int
    free_items: int = 0
    free_octets: int = 0


class AgentState(enum.StrEnum):
    """Whether an agent may do anything."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Department:
    """A department of support."""

    id: int
    name: str
    agents: int


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who works for support. ``department`` is "" for none."""

    id: int
    address: str
    name: str
    department: str
    state: AgentState
    second_factor: bool


@dataclass(frozen=True, slots=True)
class AgentSecrets:
    """What the sign-in of an agent needs to know. ``totp`` is in base 32, "" for none."""

    id: int
    address: str
    secret: str
    totp: str
    totp_step: int
    state: AgentState


@dataclass(frozen=True, slots=True)
class SupportScope:
    """How far a grant goes. Without ``export``, single items are read up to the free amounts."""

    tools: frozenset[Tool] = frozenset(Tool)
    read_only: bool = False
    export: bool = False
    with_groups: bool = False


def scope_text(scope: SupportScope) -> str:
    """How far a grant goes, for people."""
    tools = "all tools" if scope.tools == set(Tool) else " ".join(sorted(scope.tools))
    words = ["only reads" if scope.read_only else "reads and changes"]
    words += ["with export" if scope.export else "without export"]
    words += ["with groups"] if scope.with_groups else []
    return f"{tools}, {', '.join(words)}"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant that is to be made: to an agent or to a department, by address or name.

    ``until`` is when it ends (seconds), None: permanent.
    """

    grantee: str
    scope: SupportScope = SupportScope()
    until: int | None = None
    free_items: int = 20
    free_octets: int = 10_000_000


@dataclass(frozen=True, slots=True)
class SupportGrant:
    """A grant as the customer sees it. Times are seconds; ``ends`` None: permanent.

    ``grantee`` is the address of an agent or the name of a department. ``over`` is when it ended
    (withdrawn, or its time was up), None while it holds.
    """

    id: int
    account_id: int
    account: str
    grantee: str
    is_department: bool
    starts: int
    ends: int | None
    scope: SupportScope
    granted_by: str
    withdrawn: int | None
    over: int | None
    first_login: int | None
    items_read: int
    octets_read: int
    free_items: int
    free_octets: int
    told: int = 0


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of an agent that is open. Times are seconds."""

    id: int
    account: str
    reason: str
    grant_id: int
    opened: int
    expires: int


@dataclass(frozen=True, slots=True)
class SupportLogin:
    """One login of an agent into an account; ``id`` is that of its row in the trail."""

    id: int
    time: int
    agent: str
    protocol: str
    peer: str
    reason: str
    grant_id: int


@dataclass(frozen=True, slots=True)
class SupportWish:
    """What an agent asks a customer for; ``period`` is one of ``auth.periods``."""

    reason: str
    period: str
    scope: SupportScope


@dataclass(frozen=True, slots=True)
class SupportRequest:
    """A wish with its link: which account it is for, and whether it is still open."""

    id: int
    agent_id: int
    agent: str
    account_id: int
    account: str
    space_id: int
    token: str
    wish: SupportWish
    created: int
    expires: int
    used: int | None


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One row of the audit trail; ``collections`` are numbers, ``names`` what they are called."""

    id: int
    time: int
    kind: str
    account_id: int
    name: str
    about: int
    agent: str
    grant_id: int
    session_id: int
    reason: str
    label: str
    operation: str
    collections: tuple[int, ...]
    detail: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """What came of reading the whole trail: ``broken`` are rows that are not as they were."""

    rows: int
    first: int
    last: int
    hash: str
    broken: Sequence[str]


class HelpKind(enum.StrEnum):
    """How customers turn to support."""

    CONTACT = "contact"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class NewHelp:
    """A message to support, or a call-back between two moments (seconds)."""

    kind: HelpKind
    subject: str
    body: str
    phone: str
    uid: str
    starts: int | None = None
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """The same as it is kept."""

    id: int
    account_id: int
    account: str
    help: NewHelp
    created: int
    closed: int | None
    closed_by: str
