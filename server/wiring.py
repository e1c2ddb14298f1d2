"""The only composition root: joins storage, decisions, sign-in and protocols.

``Core`` is what the command line works with. ``Server`` adds listeners and workers, and lives on
any asyncio reactor that runs already.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from folkmoot.auth.accounts import Accounts
from folkmoot.auth.audit import Auditor
from folkmoot.auth.passwords import PasswordHasher, PasswordPolicy
from folkmoot.config.schema import Config
from folkmoot.quota.ledger import Ledger
from folkmoot.sharing.policy import OwnerPolicy
from folkmoot.storage.migrate import upgrade
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions

log = logging.getLogger("folkmoot.server")
_T = TypeVar("_T")
Deliver = Callable[[Callable[[], None]], None]


class Core:
    """Storage and accounts, without any network.

    ``deliver`` runs a function in the thread that uses the Deferreds. Opening blocks: it makes the
    data folder and brings the schema up to date. Raises ``OSError`` and database errors.
    """

    def __init__(self, config: Config, deliver: Deliver, *, reason: str) -> None:
        self.config = config
        data = config.server.data_dir
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        upgrade(config.database_url)
        self.store = Store(
            config.database_url,
            data / "blobs",
            Decisions(OwnerPolicy(), Ledger(), Auditor()),
            deliver,
            inline_limit=config.blobs.inline_limit,
        )
        self.hasher = PasswordHasher(
            config.passwords.argon2_memory // 1024,
            config.passwords.argon2_passes,
            config.passwords.argon2_lanes,
        )
        self.accounts = Accounts(
            self.store,
            self.hasher,
            policy=PasswordPolicy(config.passwords.min_length),
            scram_iterations=config.passwords.scram_iterations,
            reason=reason,
        )

    def close(self) -> None:
        """Finish what was begun. Blocks."""
        self.store.close()
