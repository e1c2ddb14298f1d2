"""The directory file: domains, accounts and plans that the server makes sure of.

It is applied at start and on SIGHUP. It only adds and changes; what is missing in it stays.
``load_directory`` is the way to get a ``Directory``.
"""

# ruff: noqa: RUF009 - key(), section() and their like return dataclass fields

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from folkmoot.config.directory_support import (
    SupportAgentSection,
    SupportDepartmentSection,
    check_support,
)
from folkmoot.config.fields import array, key, named, section
from folkmoot.config.kinds import (
    BOOLEAN,
    amount,
    capability,
    choice,
    currency,
    domain,
    email,
    list_of,
    size,
    text,
    whole,
)
from folkmoot.config.lines import KeyPath
from folkmoot.config.load import Document, build, parse_document, read_document
from folkmoot.sharing.rights import granted_rights_named
from folkmoot.storage.errors import InvalidName
from folkmoot.storage.money import parse_amount

DEFAULT_PLAN = "default"
TOOLS = ("mail", "calendar", "contacts", "documents")
_PASSWORD = text("password", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLimits:
    """What one tool of a space may hold; 0 is without limit."""

    bytes: int = key(
        size(), "The size of everything together; 0: no limit.", default=0, example=10**10
    )
    items: int = key(
        whole(0), "The number of messages, events, contacts or files; 0: no limit.", default=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSection:
    """What an account with this plan may use."""

    mail: ToolLimits = section(ToolLimits, "Limits of the mailboxes.")
    calendar: ToolLimits = section(ToolLimits, "Limits of the calendars.")
    contacts: ToolLimits = section(ToolLimits, "Limits of the address books.")
    documents: ToolLimits = section(ToolLimits, "Limits of the documents.")
    largest_item: int = key(
        size(),
        "The size of one message, event, contact or file that is stored or sent; 0: no limit but "
        "those of the server.",
        default=0,
        example=25 * 10**6,
    )
    mail_per_day: int = key(
        whole(0),
        "The number of recipients outside this server that can be written to in a day; "
        "0: no limit.",
        default=0,
        example=500,
    )
    groups: int | None = key(
        whole(0),
        "The number of groups that the person may administer; each has the limits above for "
        "itself. When it is not there: no limit.",
        default=None,
        example=3,
    )
    members: int | None = key(
        whole(1),
        "The number of members in each of these groups, the administrator among them. When it is "
        "not there: no limit.",
        default=None,
        example=50,
    )
    imap: bool = key(BOOLEAN, "Whether mail is read by IMAP.", default=True)
    submission: bool = key(BOOLEAN, "Whether mail is sent by SMTP.", default=True)
    caldav: bool = key(BOOLEAN, "Whether calendars are used by CalDAV.", default=True)
    carddav: bool = key(BOOLEAN, "Whether address books are used by CardDAV.", default=True)
    drive: bool = key(BOOLEAN, "Whether documents are used as a drive (WebDAV).", default=True)
    join_groups: bool = key(
        BOOLEAN,
        "Whether the person may join and make groups; who is in one stays in it.",
        default=True,
    )
    app_passwords: bool = key(
        BOOLEAN, "Whether there are passwords for single devices.", default=True
    )
    price: str = key(
        amount(),
        "What the plan costs for each period, paid in advance; 0: it is free.",
        default="0",
        example="12.00",
    )
    currency: str | None = key(
        currency(), "The currency of the price.", default=None, example="EUR"
    )
    period: str = key(choice("month", "year"), "How long a period is.", default="year")
    fallback: str = key(
        text("name of a plan"),
        "The free plan that follows when the next period is not paid.",
        default=DEFAULT_PLAN,
    )
    inactive_after: int = key(
        whole(0, 10_000),
        "After how many days without any use an account with this plan is disabled, if the plan "
        "is free; 0: never. Its owner is warned before.",
        default=0,
        example=210,
    )
    delete_after: int = key(
        whole(1, 10_000),
        "How many days after that the account is deleted with all its data.",
        default=30,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSection:
    """One mail domain."""

    name: str = key(domain(), "The domain, the part after the @.", example="example.org")
    catchall: str | None = key(
        email(),
        "The account that gets mail for addresses that do not exist.",
        default=None,
        example="ada@example.org",
    )
    plans: tuple[str, ...] = key(
        list_of(text("name of a plan")),
        "The plans that administrators of the domain may give to its accounts.",
        default=(),
        example=(DEFAULT_PLAN,),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSection:
    """One person who signs in."""

    address: str = key(
        email(), "The mail address, which is also the login name.", example="ada@example.org"
    )
    name: str | None = key(
        text("name", empty=True),
        "The person's name. For this key and the others below: when it is not there, an "
        "account that exists stays as it is.",
        default=None,
        example="Ada Lovelace",
    )
    password: str | None = key(
        _PASSWORD,
        "The first password. It is used when the account is made and never again, so that it "
        "does not undo a change by its owner.",
        default=None,
        example="correct horse battery staple",
    )
    password_hash: str | None = key(
        text("argon2id hash", secret=True),
        "The first password as an argon2id hash ($argon2id$...), instead of `password`. "
        "SCRAM logins work once the owner changes it.",
        default=None,
        example="$argon2id$v=19$m=19456,t=2,p=1$...",
    )
    plan: str | None = key(
        text("name of a plan"),
        f'The plan of the account; "{DEFAULT_PLAN}" for a new one.',
        default=None,
        example=DEFAULT_PLAN,
    )
    aliases: tuple[str, ...] = key(
        list_of(email()),
        "More addresses of the same account, to receive and to send.",
        default=(),
        example=("countess@example.org",),
    )
    domain_admin: bool | None = key(
        BOOLEAN,
        "Whether the person administers the domain of the address.",
        default=None,
        example=False,
    )
    disabled: bool | None = key(
        BOOLEAN,
        "A disabled account keeps its data, but nobody can sign in and no mail arrives.",
        default=None,
        example=False,
    )
    hide_capabilities: tuple[str, ...] | None = key(
        list_of(capability()),
        "IMAP capabilities that this person's clients are not offered; "
        "it counts from their next login.",
        default=None,
        example=("COMPRESS=DEFLATE",),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSection:
    """People with a space of their own. Whoever is in it and not in this file stays in it."""

    address: str = key(
        email(), "The mail address; mail to it is kept in the group.", example="choir@example.org"
    )
    name: str | None = key(
        text("name"),
        "What the group is called, also as a folder. A new one is called like the part before "
        "the @; when it is not there, a group that exists keeps its name.",
        default=None,
        example="Choir",
    )
    admin: str = key(
        email(),
        "The account that administers the group. Its plan must allow it.",
        example="ada@example.org",
    )
    members: tuple[str, ...] = key(
        list_of(email()),
        "Accounts in the group beside the administrator. They read what it has.",
        default=(),
        example=("ada@example.org",),
    )
    editors: tuple[str, ...] = key(
        list_of(email()),
        "Accounts in the group that may also add, change and delete in all tools. It counts when "
        "one joins and never again, so that it does not undo a change by the administrator.",
        default=(),
        example=("ada@example.org",),
    )
    send_as: tuple[str, ...] = key(
        list_of(email()),
        "Those of them who may write mail in the name of the group. Like `editors`, it counts "
        "when one joins.",
        default=(),
        example=("ada@example.org",),
    )
    forward: tuple[str, ...] = key(
        list_of(email()),
        "Those of them, or the administrator, to whose INBOX mail to the group goes as well. "
        "Like `editors`, it counts when one joins.",
        default=(),
        example=("ada@example.org",),
    )
    posting: str | None = key(
        choice("anyone", "members", "writers"),
        "Who may write to the address: `writers` are the members who may post mail. When it is "
        "not there: as it is, and anyone for a new group.",
        default=None,
        example="members",
    )
    tools: tuple[str, ...] | None = key(
        list_of(choice(*TOOLS)),
        "The tools that the group uses; what the others hold is kept, but nobody sees it. When "
        "it is not there: as it is, and all for a new group.",
        default=None,
        example=("mail", "calendar"),
    )
    aliases: tuple[str, ...] = key(
        list_of(email()),
        "More addresses of the same group.",
        default=(),
        example=("singers@example.org",),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareSection:
    """What an account or a group shares. What is shared beside this file stays shared."""

    owner: str = key(email(), "The account or group that shares.", example="ada@example.org")
    path: str = key(
        text("path"),
        "The collection with all below it, or (for groups) one item: its tool, and the way to it "
        "as people see it.",
        example="documents/Reports",
    )
    with_: str = key(
        email(),
        "The group that gets the rights, or somebody who is in a group with the owner. A group "
        "that shares with itself says what all its members may do there.",
        example="choir@example.org",
    )
    rights: str = key(
        text("rights"),
        "What they may do there: read, write, busy (of calendars: when, not what), none, or "
        "letters of RFC 4314.",
        example="read",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A whole directory file."""

    domain: tuple[DomainSection, ...] = array(
        DomainSection, "One mail domain; as many of these as wanted."
    )
    account: tuple[AccountSection, ...] = array(
        AccountSection, "One person who signs in; as many of these as wanted."
    )
    group: tuple[GroupSection, ...] = array(
        GroupSection, "One group of people; as many of these as wanted."
    )
    share: tuple[ShareSection, ...] = array(
        ShareSection, "One collection that is shared; as many of these as wanted."
    )
    support_department: tuple[SupportDepartmentSection, ...] = array(
        SupportDepartmentSection, "One department of support; as many of these as wanted."
    )
    support_agent: tuple[SupportAgentSection, ...] = array(
        SupportAgentSection, "One person who works for support; as many of these as wanted."
    )
    plan: dict[str, PlanSection] = named(
        PlanSection,
        f'What accounts may use. The plan "{DEFAULT_PLAN}" is always there, without limits '
        "unless it is written down.",
        "free",
    )

    def plans(self) -> dict[str, PlanSection]:
        """All plans by name, with the one that is always there."""
        return {DEFAULT_PLAN: PlanSection(), **self.plan}


def load_directory(file: Path) -> Directory:
    """Read a directory file; raises ``ConfigError`` with everything that is wrong with it."""
    return _directory(read_document(file.absolute()))


def parse_directory(source: str, file: Path) -> Directory:
    """Read directory text as if it stood in ``file``; raises ``ConfigError``."""
    return _directory(parse_document(source, file.absolute()))


def _directory(document: Document) -> Directory:
    directory = build(Directory, document)
    if directory is not None:
        _check_names(directory, document)
        _check_accounts(directory, document)
        _check_shares(directory, document)
        _check_plans(directory, document)
        check_support(directory.support_department, directory.support_agent, document)
    document.finish()
    assert directory is not None  # otherwise a problem was noted
    return directory


def _check_names(directory: Directory, document: Document) -> None:
    """Domains and addresses are there once, and what is referred to exists."""
    domains = {entry.name for entry in directory.domain}
    taken: set[str] = set()

    def claim(name: str, path: KeyPath) -> None:
        if name in taken:
            document.note(path, f'"{name}" is used already')
        taken.add(name)

    for index, entry in enumerate(directory.domain):
        claim(entry.name, ("domain", index, "name"))
    for index, account in enumerate(directory.account):
        here = ("account", index)
        places: list[tuple[KeyPath, str]] = [((*here, "address"), account.address)]
        places += [((*here, "aliases", n), alias) for n, alias in enumerate(account.aliases)]
        for path, address in places:
            claim(address, path)
            if address.rpartition("@")[2] not in domains:
                document.note(path, f'"{address}" is in no [[domain]] of this file')
    for index, group in enumerate(directory.group):
        here = ("group", index)
        places = [((*here, "address"), group.address)]
        places += [((*here, "aliases", n), alias) for n, alias in enumerate(group.aliases)]
        for path, address in places:
            claim(address, path)
            if address.rpartition("@")[2] not in domains:
                document.note(path, f'"{address}" is in no [[domain]] of this file')
    accounts = {account.address for account in directory.account}
    for index, group in enumerate(directory.group):
        people = [("admin", group.admin)]
        people += [("members", each) for each in group.members]
        people += [("editors", each) for each in group.editors]
        for name, each in people:
            if each not in accounts:
                document.note(("group", index, name), f'"{each}" is no [[account]] here')
        inside = {each for _, each in people}
        extra = [("send_as", each) for each in group.send_as]
        extra += [("forward", each) for each in group.forward]
        for name, each in extra:
            if each not in inside:
                document.note(("group", index, name), f'"{each}" is not in this group')
    for index, entry in enumerate(directory.domain):
        here = ("domain", index)
        if entry.catchall is not None and entry.catchall not in accounts:
            document.note((*here, "catchall"), f'"{entry.catchall}" is no [[account]] here')
        plans = directory.plans()
        for each in entry.plans:
            if each not in plans:
                document.wrong((*here, "plans"), f"some of {', '.join(plans)}", f'"{each}"')


def _check_shares(directory: Directory, document: Document) -> None:
    """Who shares, and with whom, is in the file, and rights have a meaning."""
    known = {account.address for account in directory.account}
    known |= {group.address for group in directory.group}
    for index, share in enumerate(directory.share):
        here = ("share", index)
        for name, address in (("owner", share.owner), ("with", share.with_)):
            if address not in known:
                document.note((*here, name), f'"{address}" is no [[account]] or [[group]] here')
        try:
            granted_rights_named(share.rights)
        except ValueError as error:
            document.note((*here, "rights"), f"{error}: {share.rights!r}")


def _check_accounts(directory: Directory, document: Document) -> None:
    plans = directory.plans()
    for index, account in enumerate(directory.account):
        here = ("account", index)
        if account.plan is not None and account.plan not in plans:
            document.wrong((*here, "plan"), f"one of {', '.join(plans)}", f'"{account.plan}"')
        if account.password is not None and account.password_hash is not None:
            document.note((*here, "password_hash"), "expected only one of password, password_hash")
        if account.password_hash is not None and not account.password_hash.startswith("$argon2id$"):
            document.wrong((*here, "password_hash"), "a hash $argon2id$...", "something else")


def _check_plans(directory: Directory, document: Document) -> None:
    plans = directory.plans()
    for name, plan in directory.plan.items():
        here = ("plan", name)
        if not is_paid(plan):
            continue
        if plan.currency is None:
            document.note((*here, "currency"), "a plan with a price needs a currency")
            continue
        try:
            parse_amount(plan.price, plan.currency)
        except InvalidName as error:
            document.note((*here, "price"), error.text)
        after = plans.get(plan.fallback)
        if after is None or is_paid(after):
            free = ", ".join(each for each, one in plans.items() if not is_paid(one))
            document.wrong((*here, "fallback"), f"one of {free}", f'"{plan.fallback}"')


def is_paid(plan: PlanSection) -> bool:
    """Whether a plan costs something."""
    return any(digit in "123456789" for digit in plan.price)
