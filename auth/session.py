"""Runs one SASL exchange: joins a mechanism, which knows messages, and the authenticator."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from folkmoot.auth.sasl.scram import ScramSha256
from folkmoot.auth.sasl.steps import (
    MAX_RESPONSE_OCTETS,
    BadExchange,
    Challenge,
    Credentials,
    Finished,
    Identify,
    Mechanism,
    Proof,
    Step,
)
from folkmoot.auth.scram import ScramRecord
from folkmoot.storage.errors import AuthenticationFailed
from folkmoot.storage.types import Actor, LoginRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScramAttempt:
    """A SCRAM login under way: the name, its account or None, and the record to prove against."""

    login: str
    account: LoginRecord | None
    scram: ScramRecord


class Backend(Protocol):
    """What an exchange needs of the authenticator."""

    def authenticate(
        self, name: str, password: str, protocol: str, peer: str, *, authzid: str = ""
    ) -> Deferred[Actor]:
        """Sign in with a password."""
        ...

    def begin_scram(self, name: str, authzid: str, peer: str) -> Deferred[ScramAttempt]:
        """Find what a proof has to fit."""
        ...

    def end_scram(
        self, attempt: ScramAttempt, proven: bool, protocol: str, peer: str
    ) -> Deferred[Actor]:
        """Sign in after a proof, or count the failure."""
        ...


class SaslSession:
    """One exchange. Begin with ``start``, answer each ``Challenge`` with ``step``.

    Both give a ``Challenge`` (to be sent in base64) or the ``Actor``, or fail with
    ``AuthenticationFailed``, ``NotInPlan``, ``Throttled`` or ``Unavailable``; then the exchange is
    over. To cancel (a client sends ``*``), forget the session. One call at a time.
    """

    def __init__(self, backend: Backend, mechanism: Mechanism, protocol: str, peer: str) -> None:
        self._backend = backend
        self._mechanism = mechanism
        self._protocol = protocol
        self._peer = peer
        self._attempt: ScramAttempt | None = None
        self._actor: Actor | None = None
        self._over = False

    def start(self, initial: bytes | None) -> Deferred[Challenge | Actor]:
        """Begin; ``initial`` is the initial response (not in base64), None when there is none."""
        return Deferred.fromCoroutine(self._advance(initial, first=True))

    def step(self, response: bytes) -> Deferred[Challenge | Actor]:
        """Go on with the client's answer (not in base64)."""
        return Deferred.fromCoroutine(self._advance(response, first=False))

    async def _advance(self, message: bytes | None, *, first: bool) -> Challenge | Actor:
        if self._over:
            raise AuthenticationFailed
        self._over = True  # unless this message ends in a challenge
        if message is not None and len(message) > MAX_RESPONSE_OCTETS:
            raise AuthenticationFailed
        try:
            step = self._mechanism.start(message) if first else self._mechanism.step(message or b"")
        except BadExchange as error:
            log.info("%s from %s: %s", self._mechanism.name, self._peer, error)
            raise AuthenticationFailed from None
        outcome = await self._react(step)
        self._over = not isinstance(outcome, Challenge)
        return outcome

    async def _react(self, step: Step) -> Challenge | Actor:
        match step:
            case Challenge():
                return step
            case Credentials(authcid, password, authzid):
                return await self._backend.authenticate(
                    authcid, password, self._protocol, self._peer, authzid=authzid
                )
            case Identify(authcid, authzid):
                assert isinstance(self._mechanism, ScramSha256)
                self._attempt = await self._backend.begin_scram(authcid, authzid, self._peer)
                return self._mechanism.provide(self._attempt.scram)
            case Proof(answer):
                assert self._attempt is not None
                self._actor = await self._backend.end_scram(
                    self._attempt, answer is not None, self._protocol, self._peer
                )
                return Challenge(answer or b"")
            case Finished():
                assert self._actor is not None
                return self._actor
