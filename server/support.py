"""From the config to support access and the help desk, and what watches over both in a server."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from datetime import datetime
from zoneinfo import ZoneInfo

from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.passwords import PasswordHasher, PasswordPolicy
from folkmoot.auth.support import SupportDesk, SupportRules
from folkmoot.auth.support_staff import SupportStaff
from folkmoot.config.schema import Config
from folkmoot.quota.letters import Letter, Office, compose, post
from folkmoot.server.background import Background
from folkmoot.server.client_setup import configured
from folkmoot.storage.errors import NotFound, StorageError
from folkmoot.storage.mutations.queue import EnqueueMail
from folkmoot.storage.mutations.support_sessions import EndSupport, NoteTold
from folkmoot.storage.mutations.trail import TrimTrail
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Hint, Topic
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient
from folkmoot.storage.types_support import SupportGrant, scope_text
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.support import GrantsToEnd, SessionsOver, UntoldGrants

log = logging.getLogger("folkmoot.support")

LOOK_SECONDS = 0.4  # between looks at open sessions: what has ended is closed within a second
LETTER_SECONDS = 3.0  # between looks at what customers have to be told
TRIM_SECONDS = 6 * 3600.0
GRANTED, CAME_IN, ENDED = 1, 2, 4
_ACTOR = Actor.system("support")


def office(config: Config) -> Office:
    """In whose name letters about support are written."""
    hostname = config.server.hostname
    return Office(hostname, config.support.desk or f"postmaster@{hostname}")


class Letters:
    """Writes letters; see ``auth.letters.Post``. ``keep`` is how long those to other servers are
    tried, in seconds."""

    def __init__(self, store: Store, written_by: Office, keep: int) -> None:
        self._store = store
        self._office = written_by
        self._keep = keep

    def __call__(
        self, txn: Txn, address: str, subject: str, text: str, /, *, invitation: str = ""
    ) -> None:
        """Write to somebody in a transaction of the system: into INBOX, or by the queue."""
        letter = Letter(subject, text, invitation=invitation)
        try:
            account = txn.view(FindAccount(address))
        except NotFound:
            octets = compose(self._office, address, letter)
            envelope = MailEnvelope(
                "",
                (MailRecipient(address),),
                utf8=not address.isascii(),
                eight_bit=not octets.isascii(),
            )
            txn.apply(EnqueueMail(0, envelope, self._store.prepare(octets), self._keep))
        else:
            post(txn, self._store, self._office, account.id, address, letter)


def letters_of(config: Config, store: Store) -> Letters:
    """What writes letters about support."""
    return Letters(store, office(config), config.relay.give_up_after)


def staff_of(config: Config, store: Store, hasher: PasswordHasher, reason: str) -> SupportStaff:
    """Who works for support."""
    policy = PasswordPolicy(config.passwords.min_length)
    return SupportStaff(store, hasher, policy=policy, reason=reason)


def desk_of(config: Config, store: Store, staff: SupportStaff, reason: str) -> SupportDesk:
    """Support access."""
    section = config.support
    rules = SupportRules(
        zone=section.zone,
        session=section.session,
        free_items=section.free_items,
        free_octets=section.free_bytes,
        link=section.link,
        base_url=configured(config).base_url,
    )
    return SupportDesk(store, staff, rules, letters_of(config, store), reason=reason)


def help_of(config: Config, store: Store, reason: str) -> HelpDesk:
    """The help desk."""
    section = config.support
    return HelpDesk(
        store,
        letters_of(config, store),
        hostname=config.server.hostname,
        desk=section.desk or "",
        hours=section.hours,
        zone=section.zone,
        reason=reason,
    )


class SupportWatch(Background):
    """Ends the sessions of agents in this process whose grant is over. On the loop.

    It does not rely on being told: a withdrawal by another process, the end of a period, a clock
    that jumps, a restart in between, all are seen at the next look.
    """

    def __init__(self, store: Store, *, look: float = LOOK_SECONDS) -> None:
        self._store = store
        self._look = look

    async def _run(self) -> None:
        while True:
            await _attempt(self._close_ended())
            await asyncio.sleep(self._look)

    async def _close_ended(self) -> None:
        sessions = tuple(self._store.bus.watched(Topic.SUPPORT))
        if sessions:
            over = await asyncio.to_thread(self._over, sessions)
            self._store.bus.publish([Hint(Topic.SUPPORT, session) for session in over])

    def _over(self, sessions: tuple[int, ...]) -> list[int]:
        view = SessionsOver(sessions)
        return self._store.call_read(_ACTOR, "support", lambda txn: txn.view(view))


def account_page(config: Config) -> str:
    """Where customers see and end what they granted."""
    return f"{configured(config).base_url}/support/account"


class SupportLetters(Background):
    """Tells customers what happens, and trims the trail. On the loop; one in a server."""

    def __init__(
        self,
        store: Store,
        letters: Letters,
        *,
        zone: str = "UTC",
        page: str = "",
        keep_audit: int = 400 * 86_400,
        every: float = LETTER_SECONDS,
    ) -> None:
        """``page`` is where customers see and end what they granted."""
        self._store = store
        self._letters = letters
        self._zone = ZoneInfo(zone)
        self._page = page
        self._keep = keep_audit
        self._every = every

    async def _run(self) -> None:
        trim = 0.0
        while True:
            await _attempt(asyncio.to_thread(self._tell))
            if time.monotonic() >= trim:
                trim = time.monotonic() + TRIM_SECONDS
                await _attempt(asyncio.to_thread(self._trim))
            await asyncio.sleep(self._every)

    def _trim(self) -> None:
        trim = TrimTrail(self._keep)
        self._store.call(_ACTOR, "audit trail", lambda txn: txn.apply(trim))

    def _tell(self) -> None:
        if self._store.call_read(_ACTOR, "support", lambda txn: txn.view(GrantsToEnd())):
            self._store.call(_ACTOR, "support", lambda txn: txn.apply(EndSupport()))
        for grant in self._store.call_read(_ACTOR, "support", lambda txn: txn.view(UntoldGrants())):
            self._write(grant)

    def _write(self, grant: SupportGrant) -> None:
        """Write what is to be told about one grant, and note it, in one transaction."""
        told = 0

        def work(txn: Txn) -> None:
            nonlocal told
            told = 0
            for bit, subject, text in notices(grant, self._zone, self._page):
                if not grant.told & bit:
                    self._letters(txn, grant.account, subject, text)
                told |= bit
            if told & ENDED:
                told = GRANTED | CAME_IN | ENDED
            txn.apply(NoteTold(grant.id, told))

        self._store.call(_ACTOR, "support letters", work)


async def _attempt(work: Awaitable[object]) -> None:
    try:
        await work
    except StorageError as error:
        log.warning("support not looked after", extra={"why": str(error)})
    except Exception:
        log.exception("support not looked after")


def notices(grant: SupportGrant, zone: ZoneInfo, page: str) -> list[tuple[int, str, str]]:
    """What a customer is to be told about a grant by now: bit, subject, text."""
    who = f"the department {grant.grantee}" if grant.is_department else grant.grantee
    until = "without end" if grant.ends is None else f"until {_time(grant.ends, zone)}"
    about = f"Grant {grant.id} to {who}, {scope_text(grant.scope)}, {until}.\n"
    found = [
        (
            GRANTED,
            "Support may look into your account",
            f"The account {grant.account} lets support in since {_time(grant.starts, zone)}:\n\n"
            f"{about}\nYou can withdraw this at any time, and see everything that support does:\n\n"
            f"{page}\n",
        )
    ]
    if grant.first_login is not None:
        found.append(
            (
                CAME_IN,
                "Support has come into your account",
                f"Support came into the account {grant.account} at "
                f"{_time(grant.first_login, zone)}, for the first time under this grant:\n\n"
                f"{about}\nWhat was done, and how to end it:\n\n{page}\n",
            )
        )
    if grant.over is not None:
        how = "was withdrawn" if grant.withdrawn is not None else "has ended"
        found.append(
            (
                ENDED,
                "Support has no access to your account any more",
                f"This grant {how} at {_time(grant.over, zone)}:\n\n{about}",
            )
        )
    return found


def _time(seconds: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M %Z}"
