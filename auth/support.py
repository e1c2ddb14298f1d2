"""Support access: grants, sessions of agents, requests with links, logins and the trail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

from folkmoot.auth import periods
from folkmoot.auth.letters import Post, asking
from folkmoot.auth.page_sessions import PageSessions
from folkmoot.auth.support_names import (
    is_signed,
    key_hash,
    make_token,
    new_key,
    token_hash,
    token_number,
)
from folkmoot.auth.support_staff import SignedIn, SupportStaff
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.errors import AuthenticationFailed, InvalidContent, InvalidName
from folkmoot.storage.mutations.credentials import EnsureSecret
from folkmoot.storage.mutations.support_grants import (
    ActivateSupport,
    GrantSupport,
    NarrowSupport,
    RequestSupport,
    SetMayGrant,
    SetRequestToken,
    WithdrawSupport,
)
from folkmoot.storage.mutations.support_sessions import (
    MAX_REASON,
    EndSession,
    NoteRefusedSession,
    Opened,
    OpenSupport,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import (
    NewGrant,
    OpenSession,
    SupportGrant,
    SupportLogin,
    SupportRequest,
    SupportScope,
    SupportWish,
    TrailCheck,
    TrailRow,
)
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.support import AgentSessions, FindRequest, SupportGrants, SupportLogins
from folkmoot.storage.views.trail import CheckTrail, ShowTrail

R = TypeVar("R")

#: How far back customers see their grants. # M7.7
SHOWN_SECONDS = 184 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportRules:
    """What the operator decides; times in seconds. ``base_url`` is where links lead to."""

    zone: str = "UTC"
    session: int = 8 * 3600
    free_items: int = 20
    free_octets: int = 10_000_000
    link: int = 2 * 86_400
    base_url: str = "https://localhost"


class SupportDesk:
    """What customers, agents and the operator do with support access.

    All methods are coroutines that raise storage errors. Those with an ``actor`` act for that
    person, by the person's own right; without, the operator acts (``reason`` is in the trail).
    """

    def __init__(
        self,
        store: Store,
        staff: SupportStaff,
        rules: SupportRules,
        post: Post,
        *,
        reason: str = "administration",
    ) -> None:
        self.staff = staff
        self.rules = rules
        self.pages = PageSessions(store)
        self._store = store
        self._post = post
        self._actor = Actor.system(reason)
        self._secret: bytes | None = None

    # --- customers ----------------------------------------------------------------------------

    async def grant(
        self,
        address: str,
        grantee: str,
        period: str = periods.DEFAULT,
        scope: SupportScope | None = None,
        *,
        zone: str = "",
        actor: Actor | None = None,
    ) -> SupportGrant:
        """Let an agent (address) or a department (name) into an account, from now on.

        ``zone`` is that of the customer, for ``today``. Raises what ``GrantSupport`` does.
        """
        new = self._new_grant(grantee, period, scope or SupportScope(), zone)

        def work(txn: Txn) -> SupportGrant:
            space = self._space(txn, address, actor)
            id_ = txn.apply(GrantSupport(space, new, own=actor is not None))
            return self._grant_numbered(txn, space, id_, actor)

        return await self._store.run(actor or self._actor, "support grant", work)

    async def withdraw(
        self, address: str, grant_id: int = 0, *, actor: Actor | None = None
    ) -> list[int]:
        """End a grant, or all that hold (0); returns their numbers. Raises ``NotFound``."""

        def work(txn: Txn) -> list[int]:
            space = self._space(txn, address, actor)
            ids = [grant_id]
            if not grant_id:
                view = SupportGrants(space, 0, own=actor is not None)
                ids = [grant.id for grant in txn.view(view) if grant.over is None]
            for id_ in ids:
                txn.apply(WithdrawSupport(space, id_, own=actor is not None))
            return ids

        return await self._store.run(actor or self._actor, "support withdraw", work)

    async def narrow(
        self, address: str, grant_id: int, scope: SupportScope, *, actor: Actor | None = None
    ) -> None:
        """Take something out of a grant, also from open sessions. Raises ``NotFound``."""

        def work(txn: Txn) -> None:
            space = self._space(txn, address, actor)
            txn.apply(NarrowSupport(space, grant_id, scope, own=actor is not None))

        await self._store.run(actor or self._actor, "support narrow", work)

    async def set_may_grant(self, address: str, on: bool, *, actor: Actor | None = None) -> None:
        """Give an account the right to let support in, or take it away. Raises ``NotFound``."""
        normal = normalize_address(address)

        def work(txn: Txn) -> None:
            txn.apply(SetMayGrant(txn.view(FindAccount(normal)).id, on))

        await self._store.run(actor or self._actor, "support right", work)

    async def grants(self, address: str, *, actor: Actor | None = None) -> list[SupportGrant]:
        """The grants of an account that hold, and those of the last six months. # M7.7"""
        since = int(time.time()) - SHOWN_SECONDS
        own = actor is not None
        return await self._read(
            address, actor, lambda txn, space: txn.view(SupportGrants(space, since, own))
        )

    async def logins(
        self, address: str, *, actor: Actor | None = None, limit: int = 1000, below: int = 1 << 62
    ) -> list[SupportLogin]:
        """Who of support was in an account, when and why; the latest first. # M7.7"""
        own = actor is not None
        return await self._read(
            address, actor, lambda txn, space: txn.view(SupportLogins(space, own, limit, below))
        )

    async def trail(
        self,
        address: str = "",
        *,
        actor: Actor | None = None,
        limit: int = 100,
        below: int = 1 << 62,
        support: bool = False,
        on: str = "",
    ) -> list[TrailRow]:
        """Rows of the audit trail, the latest first: of one account, or (operator) all.

        ``on`` is in what they say, or in the name of a collection: the history of one thing.
        """
        own = actor is not None

        def view(txn: ReadTxn, space: int) -> list[TrailRow]:
            return txn.view(ShowTrail(space, own, limit, below, support, on))

        return await self._read(address, actor, view)

    async def check_trail(self, holds: str = "") -> TrailCheck:
        """Whether the audit trail is as it was written, and has a row noted before (``N:HASH``)."""
        number, _, hash_ = holds.partition(":")
        view = CheckTrail(int(number) if number.isdigit() else 0, hash_)
        if holds and not view.number:
            raise InvalidContent("A row and its hash look like 123:0f3a…")
        return await self._store.read(self._actor, "audit verify", lambda txn: txn.view(view))

    # --- agents -------------------------------------------------------------------------------

    async def open(
        self,
        address: str,
        agent: str,
        password: str,
        code: str,
        reason: str,
        *,
        peer: str = "local",
        grant_id: int = 0,
    ) -> tuple[Opened, str]:
        """Open a session; gives its key, which is shown this once.

        Raises ``AuthenticationFailed`` for wrong credentials, and, in the same words for both,
        where there is no such account or no grant; ``InvalidContent`` without a reason.
        """
        found = await self.staff.sign_in(agent, password, code, peer)
        return await self.open_as(found, address, reason, peer=peer, grant_id=grant_id)

    async def open_as(
        self, agent: SignedIn, address: str, reason: str, *, peer: str, grant_id: int = 0
    ) -> tuple[Opened, str]:
        """The same for an agent who has signed in."""
        self.staff.check_throttle(agent.address, peer)
        key, normal = new_key(), _normal(address)
        seconds, hashed = self.rules.session, key_hash(key)
        open_it = OpenSupport(agent.id, normal, hashed, reason, seconds, grant_id)
        label = f"support open by {agent.address}"
        try:
            opened = await self._store.run(self._actor, label, lambda txn: txn.apply(open_it))
        except AuthenticationFailed:
            self.staff.count_refused(agent.address, peer, normal)
            note = NoteRefusedSession(normal, agent.address, reason)
            await self._store.run(self._actor, label, lambda txn: txn.apply(note))
            raise
        return opened, key

    async def sessions(self, agent: SignedIn) -> list[OpenSession]:
        """The open sessions of an agent who has signed in, the latest first."""
        view = AgentSessions(agent.id)
        return await self._store.read(self._actor, "support", lambda txn: txn.view(view))

    async def end(self, agent: SignedIn, session_id: int) -> None:
        """End one of them, on all protocols. Raises ``NotFound``."""
        label, end = f"support end by {agent.address}", EndSession(agent.id, session_id)
        await self._store.run(self._actor, label, lambda txn: txn.apply(end))

    async def request(
        self,
        address: str,
        agent: str,
        password: str,
        code: str,
        wish: SupportWish,
        *,
        peer: str = "local",
    ) -> None:
        """Ask a customer for a grant, by a mail with a link. # M7.6

        Says nothing about whether there is such an account. Raises ``AuthenticationFailed`` for
        wrong credentials, ``InvalidContent``.
        """
        _check_wish(wish)
        found = await self.staff.sign_in(agent, password, code, peer)
        await self.request_as(found, address, wish)

    async def request_as(self, agent: SignedIn, address: str, wish: SupportWish) -> None:
        """The same for an agent who has signed in."""
        _check_wish(wish)
        secret, normal = await self.secret(), _normal(address)
        expires = int(time.time()) + self.rules.link

        def work(txn: Txn) -> None:
            number = txn.apply(RequestSupport(agent.id, normal, wish, expires))
            if not number:
                return
            account = txn.view(FindAccount(normal))
            token = make_token(secret, number, account.id, expires)
            txn.apply(SetRequestToken(number, token_hash(token)))
            text = asking(agent.address, account, wish, f"{self.rules.base_url}/support", token)
            self._post(txn, account.address, "Support asks for access to your account", text)

        await self._store.run(self._actor, f"support request by {agent.address}", work)

    # --- links --------------------------------------------------------------------------------

    async def find_link(self, link: str) -> SupportRequest:
        """What a link (or what it ends with) asks for. Changes nothing: anybody may look.

        Raises ``AuthenticationFailed`` for one that is forged, used or expired.
        """
        token = link.strip().rpartition("/")[2]
        number = token_number(token)
        found = None
        if number:
            found = await self._store.read(
                self._actor, "support link", lambda txn: txn.view(FindRequest(number))
            )
        secret = await self.secret()
        if (
            found is None
            or not is_signed(secret, token, found.account_id, found.expires)
            or found.token != token_hash(token)
            or found.used is not None
            or not found.created <= time.time() < found.expires
        ):
            raise AuthenticationFailed("This link is not good, or not any more.")
        return found

    async def activate(self, link: str, actor: Actor, *, zone: str = "") -> SupportGrant:
        """Grant what a link asks for; only the person may whom the mail was for. # M7.6

        Raises ``AuthenticationFailed`` for any other link, ``PermissionDenied`` where the person
        may not grant.
        """
        found = await self.find_link(link)
        if actor.account_id != found.account_id:
            raise AuthenticationFailed("This link is not good, or not any more.")
        new = self._new_grant(found.agent, found.wish.period, found.wish.scope, zone)

        def work(txn: Txn) -> SupportGrant:
            id_ = txn.apply(ActivateSupport(actor.space_id, found.id, found.token, new))
            return self._grant_numbered(txn, actor.space_id, id_, actor)

        return await self._store.run(actor, "support activate", work)

    # --- inside -------------------------------------------------------------------------------

    def _new_grant(self, grantee: str, period: str, scope: SupportScope, zone: str) -> NewGrant:
        if "@" in grantee:
            grantee = normalize_address(grantee)
        rules = self.rules
        until = periods.end_of(period, int(time.time()), periods.zone_named(zone or rules.zone))
        return NewGrant(grantee, scope, until, rules.free_items, rules.free_octets)

    def _space(self, txn: ReadTxn, address: str, actor: Actor | None) -> int:
        if actor is not None:
            return actor.space_id
        return txn.view(FindAccount(normalize_address(address))).space_id

    def _grant_numbered(
        self, txn: ReadTxn, space: int, id_: int, actor: Actor | None
    ) -> SupportGrant:
        found = txn.view(SupportGrants(space, 0, own=actor is not None))
        return next(grant for grant in found if grant.id == id_)

    async def _read(
        self, address: str, actor: Actor | None, view: Callable[[ReadTxn, int], R]
    ) -> R:
        def work(txn: ReadTxn) -> R:
            return view(txn, self._space(txn, address, actor) if address or actor else 0)

        return await self._store.read(actor or self._actor, "support", work)

    async def secret(self) -> bytes:
        """What links and the sessions of pages are signed with."""
        if self._secret is None:
            ensure = EnsureSecret("support-links")
            self._secret = await self._store.run(
                self._actor, "start", lambda txn: txn.apply(ensure)
            )
        return self._secret


def _normal(address: str) -> str:
    """An address as accounts have it; "" is answered like an account that is not there."""
    try:
        return normalize_address(address)
    except InvalidName:
        return ""


def _check_wish(wish: SupportWish) -> None:
    if not wish.reason.strip() or len(wish.reason) > MAX_REASON:
        raise InvalidContent(f"A reason of 1 to {MAX_REASON} characters is needed.")
    if not wish.reason.isprintable() or not wish.scope.tools:
        raise InvalidContent("A reason in one line, and at least one tool are needed.")
    periods.end_of(wish.period, 0, ZoneInfo("UTC"))
