"""Makes the store hold what ``directory.toml`` says: idempotent, and never deletes anything."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping

from folkmoot.auth.accounts import Accounts, AccountWanted
from folkmoot.auth.passwords import PasswordRefused
from folkmoot.config.directory import (
    DEFAULT_PLAN,
    AccountSection,
    Directory,
    DomainSection,
    GroupSection,
    PlanSection,
    ShareSection,
)
from folkmoot.sharing.groups import Groups
from folkmoot.sharing.rights import READ, WRITE, granted_rights_named, rights_text
from folkmoot.sharing.sharing import Sharing
from folkmoot.storage.errors import StorageError
from folkmoot.storage.types import Account, AccountState, Feature, Limit, Right, Tool
from folkmoot.storage.types_accounts import AccountDetails, AccountUpdate, Plan, Terms
from folkmoot.storage.types_groups import Group, GroupDetails, Posting

log = logging.getLogger("folkmoot.directory")


def plan_limits(plan: PlanSection) -> dict[Tool, Limit]:
    """What a plan lets each tool hold; 0 in the file is no limit."""
    tools = {
        Tool.MAIL: plan.mail,
        Tool.CALENDAR: plan.calendar,
        Tool.CONTACTS: plan.contacts,
        Tool.DOCUMENTS: plan.documents,
    }
    largest = plan.largest_item or None
    return {
        tool: Limit(each.bytes or None, each.items or None, largest) for tool, each in tools.items()
    }


def plan_terms(plan: PlanSection) -> Terms:
    """What a plan gives beside room in tools."""
    features = {
        Feature.IMAP: plan.imap,
        Feature.SUBMISSION: plan.submission,
        Feature.CALDAV: plan.caldav,
        Feature.CARDDAV: plan.carddav,
        Feature.DRIVE: plan.drive,
        Feature.GROUPS: plan.join_groups,
        Feature.APP_PASSWORDS: plan.app_passwords,
    }
    withheld = frozenset(feature for feature, there in features.items() if not there)
    return Terms(plan.groups, plan.members, plan.mail_per_day or None, withheld)


def plan_of(name: str, plan: PlanSection) -> Plan:
    """A plan of the file as it is given to an account."""
    return Plan(name, plan_limits(plan), plan_terms(plan))


async def apply_directory(
    accounts: Accounts,
    groups: Groups,
    sharing: Sharing,
    directory: Directory,
    ended: Mapping[str, str] | None = None,
) -> bool:
    """Create and change what differs. One entry that fails is logged and skips nothing else.

    ``ended`` are plans, by address, that were not paid: the file does not give them back.
    Returns whether everything could be applied.
    """
    applied = _Applied(accounts, groups, sharing, directory, ended or {})
    await applied.domains()
    await applied.accounts_of_file()
    await applied.plans()
    await applied.groups()
    await applied.catchalls()
    await applied.shares()
    await applied.report_missing()
    log.info("directory applied", extra={"changes": applied.changes, "failures": applied.failures})
    return applied.failures == 0


class _Applied:
    def __init__(
        self,
        accounts: Accounts,
        groups: Groups,
        sharing: Sharing,
        directory: Directory,
        ended: Mapping[str, str],
    ) -> None:
        self._accounts = accounts
        self._groups = groups
        self._sharing = sharing
        self._directory = directory
        self._plans = directory.plans()
        self._ended = ended
        self.changes = 0
        self.failures = 0

    async def domains(self) -> None:
        present = {domain.name: domain for domain in await self._accounts.domains()}
        for entry in self._directory.domain:
            domain = present.get(entry.name)
            if domain is None:
                await self._attempt(entry.name, self._create_domain(entry.name))
            if entry.plans != (domain.plans if domain is not None else ()):
                await self._attempt(entry.name, self._set_plans(entry))

    async def _set_plans(self, entry: DomainSection) -> None:
        await self._accounts.set_domain_plans(entry.name, entry.plans)
        self._changed("plans changed", entry.name)

    async def _create_domain(self, name: str) -> None:
        await self._accounts.create_domain(name)
        self._changed("domain created", name)

    async def accounts_of_file(self) -> None:
        present = {account.address for account in await self._accounts.accounts()}
        for entry in self._directory.account:
            work = self._change if entry.address in present else self._create
            await self._attempt(entry.address, work(entry))

    async def _create(self, entry: AccountSection) -> None:
        plan = entry.plan or DEFAULT_PLAN
        await self._accounts.create(
            AccountWanted(
                address=entry.address,
                password=entry.password,
                password_hash=entry.password_hash,
                name=entry.name or "",
                plan=plan,
                limits=plan_limits(self._plans[plan]),
                terms=plan_terms(self._plans[plan]),
                domain_admin=entry.domain_admin or False,
                disabled=entry.disabled or False,
            )
        )
        self._changed("account created", entry.address)
        if entry.hide_capabilities:
            update = AccountUpdate(hidden_capabilities=entry.hide_capabilities)
            await self._accounts.update(entry.address, update)
        await self._aliases(entry, ())

    async def _change(self, entry: AccountSection) -> None:
        details = await self._accounts.show(entry.address)
        account = details.account
        ended = self._ended.get(account.address)
        hidden = entry.hide_capabilities
        if hidden is not None and set(hidden) == set(account.hidden_capabilities):
            hidden = None
        update = AccountUpdate(
            name=entry.name if entry.name != account.name else None,
            plan=None if entry.plan in (account.plan, ended) else entry.plan,
            domain_admin=entry.domain_admin if entry.domain_admin != account.domain_admin else None,
            hidden_capabilities=hidden,
        )
        if update != AccountUpdate():
            await self._accounts.update(entry.address, update)
            self._changed("account changed", entry.address)
        state = AccountState.DISABLED if entry.disabled else AccountState.ACTIVE
        if entry.disabled is not None and state != account.state:
            await self._accounts.set_state(entry.address, state)
            self._changed(f"account {state.value}", entry.address)
        await self._aliases(entry, details.aliases)

    async def _aliases(self, entry: AccountSection, present: tuple[str, ...]) -> None:
        for alias in entry.aliases:
            if alias not in present:
                await self._attempt(alias, self._add_alias(entry.address, alias))
        extra = sorted(set(present) - set(entry.aliases))
        if extra:
            log.info(
                "aliases are not in the directory file",
                extra={"account": entry.address, "aliases": " ".join(extra)},
            )

    async def _add_alias(self, address: str, alias: str) -> None:
        await self._accounts.add_alias(address, alias)
        self._changed("alias added", alias)

    async def plans(self) -> None:
        """Give every account, also those that are not in the file, the limits of its plan."""
        for account in await self._accounts.accounts():
            plan = self._plans.get(account.plan)
            if plan is None:
                log.warning(
                    "plan is not in the directory file",
                    extra={"account": account.address, "plan": account.plan},
                )
                continue
            await self._attempt(account.address, self._limit(account, plan))

    async def _limit(self, account: Account, plan: PlanSection) -> None:
        details = await self._accounts.show(account.address)
        differing = differing_limits(details, plan_limits(plan))
        terms = plan_terms(plan)
        update = AccountUpdate(limits=differing, terms=terms if terms != details.terms else None)
        if update != AccountUpdate():
            await self._accounts.update(account.address, update)
            self._changed("limits changed", account.address)

    async def groups(self) -> None:
        present = {group.address: group for group in await self._groups.groups()}
        for entry in self._directory.group:
            await self._attempt(entry.address, self._group(entry, present.get(entry.address)))
        for address in sorted(set(present) - {entry.address for entry in self._directory.group}):
            log.info("group is not in the directory file", extra={"group": address})

    async def _group(self, entry: GroupSection, group: Group | None) -> None:
        joined: list[str] = []
        if group is None:
            group = await self._groups.create(entry.address, entry.admin, entry.name or "")
            self._changed("group created", entry.address)
            joined.append(entry.admin)
        elif entry.name not in (None, group.name):
            await self._groups.rename(entry.address, entry.name or "")
            self._changed("group renamed", entry.address)
        details = await self._groups.show(entry.address)
        members = {member.address for member in details.members}
        for address in dict.fromkeys((entry.admin, *entry.editors, *entry.members)):
            if address not in members:
                await self._attempt(address, self._join(entry, address))
                joined.append(address)
        for address in joined:
            if address in entry.forward:
                await self._attempt(address, self._groups.set_forward(entry.address, address, True))
        await self._settings(entry, details)
        if group.administrator != entry.admin:
            await self._groups.hand_over(entry.address, entry.admin)
            self._changed("group handed over", entry.address)

    async def _join(self, entry: GroupSection, address: str) -> None:
        rights = dict.fromkeys(Tool, WRITE if address in entry.editors else READ)
        if address in entry.send_as:
            rights[Tool.MAIL] |= Right.SEND_AS
        await self._groups.add_member(entry.address, address, rights)
        self._changed("member added", f"{entry.address} {address}")

    async def _settings(self, entry: GroupSection, details: GroupDetails) -> None:
        posting = Posting(entry.posting) if entry.posting is not None else None
        tools = frozenset(map(Tool, entry.tools)) if entry.tools is not None else None
        if posting not in (None, details.posting) or tools not in (None, details.tools):
            await self._groups.set_settings(entry.address, posting, tools)
            self._changed("group changed", entry.address)
        for alias in entry.aliases:
            if alias not in details.aliases:
                await self._attempt(alias, self._add_group_alias(entry.address, alias))

    async def _add_group_alias(self, address: str, alias: str) -> None:
        await self._groups.add_alias(address, alias)
        self._changed("alias added", alias)

    async def catchalls(self) -> None:
        present = {domain.name: domain for domain in await self._accounts.domains()}
        for entry in self._directory.domain:
            wanted = entry.catchall
            domain = present.get(entry.name)
            if wanted is not None and domain is not None and domain.catchall != wanted:
                await self._attempt(entry.name, self._set_catchall(entry.name, wanted))

    async def _set_catchall(self, name: str, address: str) -> None:
        await self._accounts.set_catchall(name, address)
        self._changed("catch-all changed", name)

    async def shares(self) -> None:
        for entry in self._directory.share:
            await self._attempt(f"{entry.owner} {entry.path}", self._share(entry))

    async def _share(self, entry: ShareSection) -> None:
        rights = granted_rights_named(entry.rights)
        present = await self._sharing.shared(entry.owner, entry.path)
        given = {each.grant.address: rights_text(each.grant.rights) for each in present}
        if given.get(entry.with_) != rights_text(rights):
            await self._sharing.share(entry.owner, entry.path, entry.with_, rights)
            self._changed("shared", f"{entry.owner} {entry.path} {entry.with_}")

    async def report_missing(self) -> None:
        """Say what is in the store only: it stays until somebody deletes it by hand."""
        written = {entry.address for entry in self._directory.account}
        for account in await self._accounts.accounts():
            if account.address not in written:
                log.info("account is not in the directory file", extra={"account": account.address})

    async def _attempt(self, subject: str, work: Awaitable[None]) -> None:
        try:
            await work
        except (StorageError, PasswordRefused) as error:
            self.failures += 1
            log.error("directory entry not applied", extra={"entry": subject, "why": str(error)})

    def _changed(self, what: str, subject: str) -> None:
        self.changes += 1
        log.info(what, extra={"entry": subject})


def differing_limits(details: AccountDetails, limits: Mapping[Tool, Limit]) -> dict[Tool, Limit]:
    """Those of the limits that the plan of an account does not have yet, whatever its own are."""
    now = {
        usage.tool: Limit(usage.plan_bytes, usage.plan_items, usage.largest_item)
        for usage in details.usage
    }
    return {tool: limit for tool, limit in limits.items() if now.get(tool) != limit}
