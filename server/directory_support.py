"""Makes the store hold the support staff that ``directory.toml`` names; deletes nobody."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

from folkmoot.auth.passwords import PasswordRefused
from folkmoot.auth.support_staff import AgentWanted, SupportStaff
from folkmoot.config.directory import Directory
from folkmoot.config.directory_support import SupportAgentSection
from folkmoot.storage.errors import StorageError
from folkmoot.storage.types_support import Agent, AgentState

log = logging.getLogger("folkmoot.directory")


async def apply_staff(staff: SupportStaff, directory: Directory) -> bool:
    """Create and change what differs; whether everything could be applied."""
    done = True
    present = {department.name for department in await staff.departments()}
    for department in directory.support_department:
        if department.name not in present:
            work: Awaitable[None] = staff.create_department(department.name)
            done &= await _attempt("department created", department.name, work)
    agents = {agent.address: agent for agent in await staff.agents()}
    for entry in directory.support_agent:
        agent = agents.get(entry.address)
        if agent is None:
            done &= await _attempt("agent created", entry.address, _create(staff, entry))
        elif (changes := _differing(entry, agent)) is not None:
            done &= await _attempt("agent changed", entry.address, _change(staff, entry, changes))
    return done


async def _create(staff: SupportStaff, entry: SupportAgentSection) -> None:
    await staff.create_agent(
        AgentWanted(
            address=entry.address,
            name=entry.name or "",
            password=entry.password,
            password_hash=entry.password_hash,
            totp=entry.totp_secret or "",
            department=entry.department or "",
        )
    )
    if entry.disabled:
        await staff.update_agent(entry.address, state=AgentState.DISABLED)


def _differing(entry: SupportAgentSection, agent: Agent) -> tuple[str | None, ...] | None:
    """Name, department and state as they are to be, None for what stays; None: all stays."""
    state = None
    if entry.disabled is not None:
        state = AgentState.DISABLED if entry.disabled else AgentState.ACTIVE
    changes = (
        entry.name if entry.name != agent.name else None,
        entry.department if entry.department != agent.department else None,
        state.value if state is not None and state is not agent.state else None,
    )
    return changes if any(change is not None for change in changes) else None


async def _change(
    staff: SupportStaff, entry: SupportAgentSection, changes: tuple[str | None, ...]
) -> None:
    name, department, state = changes
    await staff.update_agent(
        entry.address,
        name=name,
        department=department,
        state=AgentState(state) if state is not None else None,
    )


async def _attempt(what: str, subject: str, work: Awaitable[None]) -> bool:
    try:
        await work
    except (StorageError, PasswordRefused) as error:
        log.error("directory entry not applied", extra={"entry": subject, "why": str(error)})
        return False
    log.info(what, extra={"entry": subject})
    return True
