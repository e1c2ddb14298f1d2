"""The mechanisms that exist, strongest first, and which of them a connection may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from folkmoot.auth.sasl.login import Login
from folkmoot.auth.sasl.plain import Plain
from folkmoot.auth.sasl.scram import ScramSha256, ScramSha256Plus
from folkmoot.auth.sasl.steps import Mechanism

_FACTORIES: Mapping[type[Mechanism], Callable[[Mapping[str, bytes]], Mechanism]] = {
    ScramSha256Plus: ScramSha256Plus,
    ScramSha256: ScramSha256,
    Plain: lambda _bindings: Plain(),
    Login: lambda _bindings: Login(),
}


def offered(private: bool, bindings: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of the mechanisms to advertise, strongest first.

    ``private`` says that passwords may cross this connection as they are.
    """
    return tuple(
        mechanism.name
        for mechanism in _FACTORIES
        if (private or not mechanism.plaintext) and (bindings or not mechanism.bound)
    )


def create(name: str, bindings: Mapping[str, bytes]) -> Mechanism:
    """A new exchange of the mechanism ``name``; raises ``KeyError`` when there is none."""
    by_name = {mechanism.name: factory for mechanism, factory in _FACTORIES.items()}
    return by_name[name](bindings)
