"""How what is done with accounts comes to people by mail; who writes it is joined in the server."""

from __future__ import annotations

from typing import Protocol

from folkmoot.auth import periods
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Account
from folkmoot.storage.types_support import SupportWish, scope_text


class Post(Protocol):
    """Queues a letter to somebody in a transaction; with an invitation (RFC 5546), where given."""

    def __call__(
        self, txn: Txn, address: str, subject: str, text: str, /, *, invitation: str = ""
    ) -> None:
        """Write it."""
        ...


def asking(agent: str, account: Account, wish: SupportWish, pages: str, token: str) -> str:
    """The letter in which an agent asks to be let in; ``pages`` is the address of those pages."""
    return (
        f"{agent} of support asks to be let into your account {account.address}.\n\n"
        f"Why:       {wish.reason}\n"
        f"How long:  {periods.NAMES[wish.period]}, from the moment you agree\n"
        f"How far:   {scope_text(wish.scope)}\n\n"
        "If you know what this is about and agree, open this link and confirm it with your "
        f"password:\n\n{pages}/{token}\n\n"
        "Otherwise do nothing: without you, support has no access. You can withdraw a grant at "
        f"any time, and see everything that support did:\n\n{pages}/account\n"
    )
