"""Signing out of pages: it holds for every copy of the cookie, and in every process."""

from __future__ import annotations

from folkmoot.auth.page_tokens import LONGEST_SECONDS, PageToken
from folkmoot.storage.mutations.support_sessions import EndPages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor
from folkmoot.storage.views.support import PagesEnded

_PAGES = Actor.system("pages")
_ASTRAY = 60  # seconds for clocks of processes that differ


class PageSessions:
    """The sessions of pages that their owners ended. Raises what the store does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def end(self, token: PageToken) -> None:
        """Sign out."""
        end = EndPages(token.nonce, token.begun + LONGEST_SECONDS + _ASTRAY)
        await self._store.run(_PAGES, "sign out", lambda txn: txn.apply(end))

    async def has_ended(self, token: PageToken) -> bool:
        """Whether somebody signed out of this session."""
        view = PagesEnded(token.nonce)
        return await self._store.read(_PAGES, "pages", lambda txn: txn.view(view))
