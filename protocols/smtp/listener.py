"""A listening socket of submission or LMTP, and the connections that came through it."""

from __future__ import annotations

import asyncio
import ssl
import weakref

from folkmoot.protocols.smtp import commands
from folkmoot.protocols.smtp.lmtp import Lmtp
from folkmoot.protocols.smtp.service import Service
from folkmoot.protocols.smtp.session import Role, Session
from folkmoot.protocols.smtp.submission import Submission

# Connections that wait to be accepted.
BACKLOG = 512


class MailListener:
    """Listens on one port. ``protocol`` is "submission" or "lmtp".

    With ``implicit_tls`` connections begin with TLS; a context whose certificate is loaded again
    uses the new one from the next connection on.
    """

    def __init__(
        self, service: Service, protocol: str, implicit_tls: ssl.SSLContext | None = None
    ) -> None:
        self._service = service
        self._role: type[Role] = Lmtp if protocol == "lmtp" else Submission
        self._commands = commands.LMTP if protocol == "lmtp" else commands.SUBMISSION
        self._tls = implicit_tls
        self._server: asyncio.Server | None = None
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()

    async def open(self, address: str, port: int) -> int:
        """Listen; returns the port, which the system chose when ``port`` is 0. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._accept, address, port, ssl=self._tls, backlog=BACKLOG, reuse_address=True
        )
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    def _accept(self) -> asyncio.Protocol:
        session = Session(self._service, self._role(), self._commands, secure=self._tls is not None)
        self._sessions.add(session)
        return session

    async def close(self, grace: float = 5.0) -> None:
        """Stop listening and end the connections; what is being received may take ``grace``."""
        if self._server is not None:
            self._server.close()
        for session in list(self._sessions):
            session.stop()
        deadline = asyncio.get_running_loop().time() + grace
        while any(session.open for session in self._sessions):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        for session in list(self._sessions):
            session.abort()
