"""All pages under ``/support``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.support import SupportDesk
from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.server import Application
from folkmoot.protocols.http.support.account import AccountArea
from folkmoot.protocols.http.support.activation import ActivationPage
from folkmoot.protocols.http.support.area import Area
from folkmoot.protocols.http.support.desk import DeskArea
from folkmoot.protocols.http.support.forms import answer
from folkmoot.storage.errors import NotFound

_CONTENT = (
    f'<p><a href="{AccountArea.root}">My account</a>: who of support may look into it, who was'
    f' there, and help</p><p><a href="{DeskArea.root}">For agents</a>: sessions in accounts of'
    " customers, and the help desk</p>"
)


class SupportPages:
    """For customers and agents, who sign in on them, and behind activation links."""

    def __init__(
        self, desk: SupportDesk, help_desk: HelpDesk, authenticator: Authenticator
    ) -> None:
        self._areas: dict[str, Area[Any]] = {
            "account": AccountArea(desk, help_desk, authenticator),
            "desk": DeskArea(desk, help_desk),
        }
        self._activation = ActivationPage(desk, authenticator)

    def behind(self, plaintext_logins: Callable[[str], bool]) -> Application:
        """The application of a listener; ``plaintext_logins`` tells by a client's address whether
        it may send passwords without TLS."""

        async def application(exchange: Exchange) -> None:
            if not exchange.secure and not plaintext_logins(exchange.peer):
                raise Refused(403, "This is not possible without encryption; use https.")
            await self._answer(exchange)

        return application

    async def _answer(self, exchange: Exchange) -> None:
        path = exchange.path
        if len(path) == 1:
            if exchange.method not in ("GET", "HEAD"):
                raise Refused(405, fields=[("Allow", "GET, HEAD")])
            await answer(exchange, 200, "Support", _CONTENT)
        elif path[1] in self._areas:
            await self._areas[path[1]](exchange)
        elif len(path) == 2:
            await self._activation(exchange)
        else:
            raise NotFound
