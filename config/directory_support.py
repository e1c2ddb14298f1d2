"""The part of the directory file that is about support staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.config.fields import key
from folkmoot.config.kinds import BOOLEAN, email, text
from folkmoot.config.load import Document

_PASSWORD = text("password", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportDepartmentSection:
    """One department of support."""

    name: str = key(text("name"), "What it is called; customers grant to it.", example="Support")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportAgentSection:
    """One person who works for support. By this, the person has no account and sees nothing."""

    address: str = key(
        email(), "The mail address, which is also the login name.", example="sam@support.example"
    )
    name: str | None = key(
        text("name", empty=True),
        "The agent's name. For this key and the others below: when it is not there, an agent who "
        "exists stays as he or she is.",
        default=None,
        example="Sam Smith",
    )
    department: str | None = key(
        text("name", empty=True), 'The department; "" for none.', default=None, example="Support"
    )
    password: str | None = key(
        _PASSWORD,
        "The first password; used when the agent is made and never again.",
        default=None,
        example="correct horse battery staple",
    )
    password_hash: str | None = key(
        text("argon2id hash", secret=True),
        "The first password as an argon2id hash ($argon2id$...), instead of `password`.",
        default=None,
        example="$argon2id$v=19$m=19456,t=2,p=1$...",
    )
    totp_secret: str | None = key(
        text("base 32", secret=True),
        "The secret of the second factor, as an authenticator program takes it; used when the "
        "agent is made and never again.",
        default=None,
        example="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    )
    disabled: bool | None = key(
        BOOLEAN,
        "A disabled agent can do nothing; sessions that are open end.",
        default=None,
        example=False,
    )


def check_support(
    departments: Sequence[SupportDepartmentSection],
    agents: Sequence[SupportAgentSection],
    document: Document,
) -> None:
    """Note departments and agents that are there twice, and what is referred to and not there."""
    names = [entry.name for entry in departments]
    for index, name in enumerate(names):
        if name in names[:index]:
            document.note(("support_department", index, "name"), f'"{name}" is used already')
    known: set[str] = set()
    for index, agent in enumerate(agents):
        here = ("support_agent", index)
        if agent.address in known:
            document.note((*here, "address"), f'"{agent.address}" is used already')
        known.add(agent.address)
        if agent.department and agent.department not in names:
            document.note(
                (*here, "department"), f'"{agent.department}" is no [[support_department]] here'
            )
        if agent.password is not None and agent.password_hash is not None:
            document.note((*here, "password_hash"), "expected only one of password, password_hash")
