"""What the server and the command line have in common: storage, accounts and the queue."""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.auth.accounts import Accounts
from folkmoot.auth.audit import Auditor
from folkmoot.auth.passwords import PasswordHasher, PasswordPolicy
from folkmoot.config.schema import Config
from folkmoot.quota.ledger import Ledger
from folkmoot.server import support
from folkmoot.server.logs import mask
from folkmoot.sharing.groups import Groups
from folkmoot.sharing.outbound import Outbound
from folkmoot.sharing.policy import GroupPolicy
from folkmoot.sharing.sharing import Sharing
from folkmoot.storage.migrate import upgrade
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions
from folkmoot.storage.types import Actor

Deliver = Callable[[Callable[[], None]], None]


class CannotOpen(Exception):
    """The data folder or the database cannot be used; the text says why, without secrets."""


class Core:
    """Storage, accounts, support and the queue, without any network.

    ``deliver`` runs a function in the thread that uses the Deferreds. Opening blocks: it makes the
    data folder and brings the schema up to date. Raises ``CannotOpen``.
    """

    def __init__(self, config: Config, deliver: Deliver, *, reason: str) -> None:
        try:
            self.store = _open(config, deliver)
        except Exception as error:  # drivers of databases have many classes of errors
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise CannotOpen(mask(f"the data cannot be opened: {why}")) from error
        passwords = config.passwords
        self.hasher = PasswordHasher(
            memory_kib=passwords.argon2_memory // 1024,
            time_cost=passwords.argon2_passes,
            parallelism=passwords.argon2_lanes,
        )
        self.accounts = Accounts(
            self.store,
            self.hasher,
            policy=PasswordPolicy(passwords.min_length),
            scram_iterations=passwords.scram_iterations,
            reason=reason,
        )
        self.groups = Groups(self.store, reason=reason)
        self.sharing = Sharing(self.store, Actor.system(reason))
        self.staff = support.staff_of(config, self.store, self.hasher, reason)
        self.support = support.desk_of(config, self.store, self.staff, reason)
        self.help = support.help_of(config, self.store, reason)
        self.outbound = Outbound(self.store, keep=config.relay.give_up_after)

    def close(self) -> None:
        """Finish what was begun. Blocks."""
        self.store.close()


def _open(config: Config, deliver: Deliver) -> Store:
    data = config.server.data_dir
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade(config.database_url)
    return Store(
        config.database_url,
        data / "blobs",
        Decisions(GroupPolicy(), Ledger(), Auditor()),
        deliver,
        inline_limit=config.blobs.inline_limit,
    )
