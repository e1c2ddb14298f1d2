"""Where agents of support come in: the only place that mints their actors."""

from __future__ import annotations

import contextlib
import hmac
import time
from collections import OrderedDict
from typing import Final, NoReturn

from folkmoot.auth.support_names import key_hash
from folkmoot.storage.errors import NotInPlan
from folkmoot.storage.mutations.support_sessions import RecordSupportLogin
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Feature
from folkmoot.storage.views.support import SupportActor

_LOGIN = Actor.system("support login")
#: Over HTTP each request signs in; one login in so many seconds is noted for each client.
NOTED_SECONDS: Final = 900.0
_MOST_NOTED: Final = 1000
#: Protocols on which an agent can be in an account. Nobody ever sends mail as a customer.
PROTOCOLS: Final = frozenset({"imap", "dav", "portal"})


class SupportDoor:
    """Finds the session that a key is of, and writes each login into the trail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: OrderedDict[tuple[int, frozenset[Feature], str, str], float] = OrderedDict()

    async def find(self, account: str, agent: str, key: str) -> Actor | None:
        """The agent in the account, if the key is of a session of the two that is good now."""
        hashed = key_hash(key)
        actor = await self._store.read(_LOGIN, "login", lambda txn: txn.view(SupportActor(hashed)))
        if actor is None or actor.support is None:
            return None
        same = hmac.compare_digest(actor.name.encode(), account.encode())
        same &= hmac.compare_digest(actor.support.agent.encode(), agent.encode())
        return actor if same else None

    async def record(self, actor: Actor, protocol: str, peer: str) -> None:
        """Write a login into the trail; when that fails, there is none. Raises what the store does.

        Requests of one client over HTTP are one login for a while.
        """
        note = RecordSupportLogin(actor.space_id, protocol, peer)
        if protocol == "imap" or not self._is_noted(actor, protocol, peer):
            await self._store.run(actor, "login", lambda txn: txn.apply(note))
            self._note(actor, protocol, peer)

    async def refuse(self, actor: Actor, protocol: str, peer: str) -> NoReturn:
        """Write into the trail that an agent came by a way that was not granted.

        Raises ``NotInPlan``, and what the store does. Requests of one client are one for a while.
        """
        error = NotInPlan("What was granted to support does not include this.")

        def work(txn: Txn) -> None:
            raise error

        if not self._is_noted(actor, protocol, peer):
            with contextlib.suppress(NotInPlan):
                await self._store.run(actor, f"login by {protocol} from {peer}", work)
            self._note(actor, protocol, peer)
        raise error

    def _is_noted(self, actor: Actor, protocol: str, peer: str) -> bool:
        """Whether this client came lately, with the same outcome."""
        return self._noted.get(_client(actor, protocol, peer), 0.0) > time.monotonic()

    def _note(self, actor: Actor, protocol: str, peer: str) -> None:
        client = _client(actor, protocol, peer)
        self._noted[client] = time.monotonic() + NOTED_SECONDS
        self._noted.move_to_end(client)
        if len(self._noted) > _MOST_NOTED:
            self._noted.popitem(last=False)


def _client(actor: Actor, protocol: str, peer: str) -> tuple[int, frozenset[Feature], str, str]:
    """A session as it was granted, and where it comes from."""
    assert actor.support is not None
    return actor.support.session_id, actor.withheld, protocol, peer
