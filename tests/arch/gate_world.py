"""Two accounts, and a table of all mutations as they would touch the data of one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from folkmoot.sharing.rights import READ
from folkmoot.storage.index.texts import SearchText
from folkmoot.storage.mutations import (
    accounts,
    billing,
    bindings,
    colleagues,
    credentials,
    domains,
    flags,
    grants,
    group_settings,
    groups,
    index,
    item_grants,
    mailboxes,
    messages,
    notices,
    own_groups,
    own_limits,
    queue,
    scheduling,
    tree_folders,
    tree_items,
    tree_locks,
    tree_properties,
    upkeep,
)
from folkmoot.storage.mutations.annotations import SetAnnotations
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.replace import ReplaceMessage
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions, Txn
from folkmoot.storage.types import (
    Account,
    AccountState,
    Actor,
    ActorKind,
    Annotation,
    Content,
    Flag,
    FlagChange,
    FlagSet,
    NewMessage,
    OwnLimit,
    Right,
    Tool,
    UidSet,
)
from folkmoot.storage.types_accounts import AccountUpdate, NewAccount, Plan
from folkmoot.storage.types_billing import NewPayment, Notice, NoticeKind, PeriodTerms
from folkmoot.storage.types_groups import NewGroup, Posting
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient, Settled
from folkmoot.storage.types_scheduling import ScheduleFolders, ScheduleMessage
from folkmoot.storage.types_tree import (
    CalendarRow,
    CardRow,
    Folder,
    Item,
    ItemContent,
    LockRequest,
    LockScope,
    NewFolder,
    TreePath,
)
from folkmoot.storage.views.accounts import FindAccount, ReadLoginRecord
from folkmoot.storage.views.groups import ShowGroup
from folkmoot.storage.views.mailboxes import ListMailboxes
from folkmoot.storage.views.scheduling import ReadScheduleHome
from folkmoot.storage.views.tree import FindPath
from tests.arch import support_world
from tests.kit.messages import simple
from tests.kit.stores import at_once, decisions

SYSTEM = Actor.system("test")
ALICE = "alice@example.test"
MALLORY = "mallory@example.test"
ONE = UidSet.from_ranges([(1, 1)])
DELETED = FlagSet(Flag.DELETED)
LESS = {tool: OwnLimit(1024, 1) for tool in Tool}

NOTICE = Notice(NoticeKind.INACTIVE, "free", 1, 10**9, 30, 1)

AnyMutation = Mutation[Any]


# --- the world -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """An account with its mailboxes by name ("" is the root), and what it has in the tree.

    ``docs`` are its documents, ``folder`` is one in them, ``item`` is in that folder and has a
    lock whose token is ``token``. ``scheduling`` are where invitations go.
    """

    account: Account
    actor: Actor
    mailboxes: Mapping[str, int]
    docs: Folder
    folder: Folder
    item: Item
    token: str
    scheduling: ScheduleFolders


@dataclass(frozen=True)
class World:
    """A store with two accounts, and what the mutations are made of.

    Alice administers the group ``choir``, in which is the account ``bob``; ``carol`` could be.
    ``shared`` is what the group has, with Alice as who put it there. In the group ``quartet`` Alice
    is a member, and ``dave`` its administrator, who is to choose a password. ``ruler`` administers
    the domain of all of them, ``foreign`` another one. ``sam`` is an agent of support whom Alice
    let in, without export.
    """

    store: Store
    path: Path
    alice: Person
    mallory: Person
    content: Content
    queued: int
    bob: Actor
    carol: Actor
    choir: int
    shared: Person
    quartet: int
    dave: Actor
    ruler: Actor
    foreign: Actor
    sam: Actor

    @property
    def message(self) -> NewMessage:
        """A message that is not stored yet."""
        return NewMessage(self.content, FlagSet(), datetime.now(UTC))

    def rows(self) -> list[str]:
        """All rows of all tables, as text."""
        connection = sqlite3.connect(self.path)
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    def new_account(self) -> NewAccount:
        """An account that is not there yet."""
        return NewAccount("new@example.test", "New", "hash", None, "free")


def open_store(path: Path, decisions: Decisions) -> Store:
    """A store on the file of a world, with others who decide."""
    return Store(f"sqlite:///{path}", path.parent / "gate-blobs", decisions, at_once)


def _signed_in(store: Store, address: str) -> tuple[Account, Actor]:
    """A new account, and who uses it."""
    new = NewAccount(address, "", "hash", None, "free")
    store.call(SYSTEM, "test", lambda txn: txn.apply(accounts.CreateAccount(new)))
    account = store.call_read(SYSTEM, "test", lambda txn: txn.view(FindAccount(address)))
    record = store.call_read(SYSTEM, "test", lambda txn: txn.view(ReadLoginRecord(address)))
    assert record is not None
    actor = Actor(ActorKind.ACCOUNT, account.id, account.space_id, address, epoch=record.epoch)
    return account, actor


def _person(store: Store, address: str, tool: Tool) -> Person:
    return _filled(store, *_signed_in(store, address), tool)


def _filled(store: Store, account: Account, actor: Actor, tool: Tool) -> Person:
    """Puts something everywhere into the space of an account, or into one that it leads."""

    def fill(txn: Txn) -> Mapping[str, int]:
        mailboxes_ = txn.view(ListMailboxes(account.space_id, account.id))
        found = {info.name: info.id for info in mailboxes_}
        message = NewMessage(store.prepare(simple()), DELETED, datetime.now(UTC))
        txn.apply(messages.AppendMessages(found["INBOX"], (message,)))
        txn.apply(messages.AppendMessages(found["Trash"], (message,)))
        return found

    home = store.call_read(actor, "test", lambda txn: txn.view(ReadScheduleHome(account.space_id)))
    folders = ScheduleFolders(home.inbox_id, home.calendars[0][0])
    mailboxes_ = store.call(actor, "test", fill)
    tree = _tree(store, account.space_id, actor, tool)
    return Person(account, actor, mailboxes_, *tree, folders)


FILE = ItemContent(b"a file", None, 6, b"d" * 32, "text/plain")
MEETING = replace(
    FILE,
    component="VEVENT",
    facts=CalendarRow("a", "VEVENT", 0, 0, 1, 0, 0, 1, b"", 0, "", "PUBLIC", ""),
)
LOCK = LockRequest(LockScope.EXCLUSIVE, True, "me", None)


def content_of(tool: Tool, uid: str = "a") -> ItemContent:
    """What an item of a tool may hold."""
    if tool is Tool.CALENDAR:
        row = CalendarRow(uid, "VEVENT", 0, 0, 1, 0, 0, 1, b"", 0, "", "PUBLIC", "")
        return replace(FILE, component="VEVENT", facts=row)
    if tool is Tool.CONTACTS:
        return replace(FILE, component="individual", facts=CardRow(uid, ""))
    return FILE


def _tree(store: Store, space: int, actor: Actor, tool: Tool) -> tuple[Folder, Folder, Item, str]:
    def fill(txn: Txn) -> tuple[Folder, Folder, Item, str]:
        docs, folder = _folder(txn), "Folder"
        id_ = txn.apply(tree_folders.CreateFolder(docs.id, folder))
        item = txn.apply(tree_items.CreateItem(id_, "item", content_of(tool)))
        token = txn.apply(tree_locks.TakeLock(id_, "item", LOCK))
        return _folder(txn), _folder(txn, folder), item, token

    def _folder(txn: Txn, *names: str) -> Folder:
        entry = txn.view(FindPath(TreePath(space, tool, names))).entry
        assert entry is not None
        assert isinstance(entry.node, Folder)
        return entry.node

    return store.call(actor, "test", fill)


def _apply(mutation: AnyMutation, txn: Txn) -> None:
    txn.apply(mutation)


def make_world(path: Path, tool: Tool = Tool.DOCUMENTS) -> World:
    """Alice and Mallory, each with a message in INBOX; one message of Alice waits to be sent.

    What they have in the tree is of one tool.
    """
    store = open_store(path, decisions())
    store.call(SYSTEM, "test", lambda txn: txn.apply(domains.CreateDomain("example.test")))
    alice, mallory = _person(store, ALICE, tool), _person(store, MALLORY, tool)
    content = store.prepare(simple("another"))
    envelope = MailEnvelope(ALICE, (MailRecipient("x@example.org"),))
    enqueue = queue.EnqueueMail(alice.account.id, envelope, content, 3600)
    queued = store.call(SYSTEM, "test", lambda txn: txn.apply(enqueue))
    setups: list[AnyMutation] = [
        accounts.AddAddress(alice.account.id, "alias@example.test"),
        credentials.AddAppPassword(alice.account.id, "phone", "hash", (), 10),
        domains.CreateDomain("empty.test"),
        domains.CreateDomain("unused.test"),
    ]
    for setup in setups:
        store.call(SYSTEM, "test", partial(_apply, setup))
    waiting = ScheduleMessage(alice.account.space_id, "mailto:a", "mailto:b", b"x")
    send = scheduling.SendScheduling(alice.scheduling.calendar_id, 0, Right.INSERT, (waiting,))
    store.call(alice.actor, "test", partial(_apply, send))
    (_, bob), (_, carol) = (_signed_in(store, f"{name}@example.test") for name in ("bob", "carol"))
    new = NewGroup("choir@example.test", "Choir", alice.account.id)
    choir = store.call(SYSTEM, "test", lambda txn: txn.apply(groups.CreateGroup(new)))
    join = groups.AddMember(choir, bob.account_id, {})
    alias = group_settings.AddGroupAddress(choir, "voices@example.test")
    for setup in (join, alias):
        store.call(SYSTEM, "test", partial(_apply, setup))
    details = store.call_read(SYSTEM, "test", lambda txn: txn.view(ShowGroup("choir@example.test")))
    in_group = replace(alice.account, space_id=details.group.space_id)
    shared = _filled(store, in_group, alice.actor, tool)
    for person in (alice, shared):
        boxes, to = person.mailboxes, details.group.space_id
        for grant in (
            grants.Share(boxes["Sent"], to, Right.LOOKUP),
            item_grants.ShareItem(boxes["Trash"], 1, to, READ),
        ):
            store.call(alice.actor, "test", partial(_apply, grant))
    quartet, dave = _quartet(store, alice)
    store.call(SYSTEM, "test", partial(_apply, domains.SetDomainPlans("example.test", ("free",))))
    ruler, foreign = (_ruler(store, f"ruler@{name}.test") for name in ("example", "empty"))
    support_world.set_up(store, alice.account.space_id)
    sam = support_world.come_in(store, ALICE)
    people = (bob, carol, choir, shared, quartet, dave, ruler, foreign, sam)
    return World(store, path, alice, mallory, content, queued, *people)


def _quartet(store: Store, alice: Person) -> tuple[int, Actor]:
    _, dave = _signed_in(store, "dave@example.test")
    new = NewGroup("quartet@example.test", "Quartet", dave.account_id)
    quartet = store.call(SYSTEM, "test", lambda txn: txn.apply(groups.CreateGroup(new)))
    join = groups.AddMember(quartet, alice.account.id, {})
    reset = credentials.ResetPassword(dave.account_id, "code", 2**40)
    for setup in (join, reset):
        store.call(SYSTEM, "test", partial(_apply, setup))
    return quartet, dave


def _ruler(store: Store, address: str) -> Actor:
    _, actor = _signed_in(store, address)
    lift = accounts.UpdateAccount(actor.account_id, AccountUpdate(domain_admin=True))
    store.call(SYSTEM, "test", partial(_apply, lift))
    return actor


# --- the table -------------------------------------------------------------------------------

Make = Callable[[World], Sequence[AnyMutation]]


def _note(where: str) -> Annotation:
    return Annotation(f"/{where}/comment", b"a note")


def _mailbox_table() -> dict[type[AnyMutation], Make]:
    """Mutations of what people own. The first of each list is one that Alice may do.

    All of them touch something of Alice's, some from a mailbox or a space of Mallory's.
    """

    def box(world: World, name: str = "INBOX") -> int:
        return world.alice.mailboxes[name]

    def own(world: World) -> int:
        return world.mallory.mailboxes["INBOX"]

    def space(person: Person) -> int:
        return person.account.space_id

    return {
        mailboxes.CreateMailbox: lambda w: [
            mailboxes.CreateMailbox(space(w.alice), box(w, ""), ("a", "b")),
            mailboxes.CreateMailbox(space(w.alice), w.mallory.mailboxes[""], ("a",)),
            mailboxes.CreateMailbox(space(w.mallory), box(w, ""), ("a",)),
        ],
        mailboxes.DeleteMailbox: lambda w: [mailboxes.DeleteMailbox(box(w, "Archive"))],
        mailboxes.RenameMailbox: lambda w: [
            mailboxes.RenameMailbox(box(w, "Archive"), space(w.alice), box(w, ""), ("a", "b")),
            mailboxes.RenameMailbox(
                w.mallory.mailboxes["Archive"], space(w.alice), box(w, ""), ("a",)
            ),
            mailboxes.RenameMailbox(
                box(w, "Archive"), space(w.mallory), w.mallory.mailboxes[""], ("a",)
            ),
        ],
        mailboxes.SetSpecialUse: lambda w: [mailboxes.SetSpecialUse(box(w, "Archive"), "")],
        mailboxes.Subscribe: lambda w: [
            mailboxes.Subscribe(space(w.alice), w.alice.account.id, "a", True),
            mailboxes.Subscribe(space(w.alice), w.alice.account.id, "INBOX", False),
            mailboxes.Subscribe(space(w.mallory), w.alice.account.id, "INBOX", False),
        ],
        SetAnnotations: lambda w: [
            SetAnnotations(space(w.alice), box(w), (_note("private"),)),
            SetAnnotations(space(w.alice), box(w), (_note("shared"),)),
            SetAnnotations(space(w.alice), 0, (_note("private"),)),
            SetAnnotations(space(w.mallory), box(w), (_note("private"),)),
        ],
        messages.AppendMessages: lambda w: [
            messages.AppendMessages(box(w), (w.message,)),
            messages.AppendMessages(box(w), (w.message,), Right.POST),
        ],
        flags.StoreFlags: lambda w: [
            flags.StoreFlags(box(w), ONE, FlagChange.ADD, FlagSet(Flag.SEEN)),
            flags.StoreFlags(box(w), ONE, FlagChange.REPLACE, FlagSet(keywords=("a",))),
        ],
        messages.ExpungeMessages: lambda w: [messages.ExpungeMessages(box(w))],
        messages.CopyMessages: lambda w: [
            messages.CopyMessages(box(w), ONE, box(w, "Archive")),
            messages.CopyMessages(box(w), ONE, own(w)),
            messages.CopyMessages(own(w), ONE, box(w)),
        ],
        messages.MoveMessages: lambda w: [
            messages.MoveMessages(box(w), ONE, box(w, "Archive")),
            messages.MoveMessages(box(w), ONE, own(w)),
            messages.MoveMessages(own(w), ONE, box(w)),
        ],
        ReplaceMessage: lambda w: [
            ReplaceMessage(box(w), 1, box(w), w.message),
            ReplaceMessage(box(w), 1, own(w), w.message),
            ReplaceMessage(own(w), 1, box(w), w.message),
        ],
    }


def _tree_table() -> dict[type[AnyMutation], Make]:
    """Mutations of the tree; some say that what is Alice's lies in a folder of Mallory's."""

    def strayed(world: World) -> Item:
        return world.alice.item._replace(folder_id=world.mallory.folder.id)

    def longer(world: World) -> ItemContent:
        content = content_of(world.alice.folder.tool)
        return replace(content, data=b"a longer file", size=13)

    def choir(world: World) -> int:
        return world.shared.account.space_id

    def shared_before(world: World) -> int:
        return world.alice.mailboxes["Sent"]

    def message(world: World) -> ScheduleMessage:
        return ScheduleMessage(world.alice.account.space_id, "mailto:a", "mailto:b", b"x")

    def groups_calendar(world: World) -> int:
        return world.shared.scheduling.calendar_id

    items, folders, locks, props = tree_items, tree_folders, tree_locks, tree_properties
    return {
        scheduling.SendScheduling: lambda w: [
            scheduling.SendScheduling(
                w.alice.scheduling.calendar_id, 0, Right.INSERT, (message(w),)
            ),
        ],
        items.CreateItem: lambda w: [
            items.CreateItem(w.alice.folder.id, "new", content_of(w.alice.folder.tool, "b"))
        ],
        items.ReplaceItem: lambda w: [
            items.ReplaceItem(w.alice.item, longer(w)),
            items.ReplaceItem(strayed(w), content_of(w.alice.folder.tool)),
        ],
        items.RemoveItem: lambda w: [items.RemoveItem(w.alice.item), items.RemoveItem(strayed(w))],
        items.CopyItem: lambda w: [
            items.CopyItem(w.alice.item, w.alice.docs.id, "copy"),
            items.CopyItem(w.alice.item, w.mallory.docs.id, "copy"),
            items.CopyItem(w.mallory.item, w.alice.docs.id, "copy"),
            items.CopyItem(strayed(w), w.mallory.docs.id, "copy"),
        ],
        items.MoveItem: lambda w: [
            items.MoveItem(w.alice.item, w.alice.docs.id, "moved"),
            items.MoveItem(w.alice.item, w.mallory.docs.id, "moved"),
            items.MoveItem(w.mallory.item, w.alice.docs.id, "moved"),
            items.MoveItem(strayed(w), w.mallory.docs.id, "moved"),
        ],
        items.TouchItem: lambda w: [
            items.TouchItem(w.alice.item, 1, 1),
            items.TouchItem(strayed(w), 1, 1),
        ],
        folders.CreateFolder: lambda w: [
            folders.CreateFolder(w.alice.docs.id, "new", NewFolder({"{a}b": "<b/>"}))
        ],
        folders.RemoveFolder: lambda w: [
            folders.RemoveFolder(w.alice.folder.id, (w.alice.folder.id,)),
            folders.RemoveFolder(w.alice.folder.id, ()),
            folders.RemoveFolder(w.alice.folder.id, (w.mallory.folder.id,)),
        ],
        folders.CopyFolder: lambda w: [
            folders.CopyFolder(w.alice.folder, (w.alice.folder.id,), w.alice.docs.id, "copy"),
            folders.CopyFolder(w.alice.folder, (w.alice.folder.id,), w.mallory.docs.id, "copy"),
            folders.CopyFolder(w.alice.folder, (), w.mallory.docs.id, "copy", deep=False),
            folders.CopyFolder(w.mallory.folder, (w.mallory.folder.id,), w.alice.docs.id, "copy"),
        ],
        folders.MoveFolder: lambda w: [
            folders.MoveFolder(w.alice.folder.id, (w.alice.folder.id,), w.alice.docs.id, "moved"),
            folders.MoveFolder(w.alice.folder.id, (w.alice.folder.id,), w.mallory.docs.id, "moved"),
            folders.MoveFolder(w.alice.folder.id, (), w.mallory.docs.id, "moved"),
            folders.MoveFolder(
                w.mallory.folder.id, (w.mallory.folder.id,), w.alice.docs.id, "moved"
            ),
        ],
        grants.Share: lambda w: [
            grants.Share(w.alice.folder.id, choir(w), Right.LOOKUP),
            grants.Share(w.alice.mailboxes["Archive"], choir(w), Right.LOOKUP),
        ],
        grants.Unshare: lambda w: [grants.Unshare(shared_before(w), choir(w))],
        item_grants.ShareItem: lambda w: [
            item_grants.ShareItem(w.alice.folder.id, w.alice.item.id, choir(w), READ),
            item_grants.ShareItem(w.alice.mailboxes["INBOX"], 1, choir(w), READ),
        ],
        item_grants.UnshareItem: lambda w: [
            item_grants.UnshareItem(w.alice.mailboxes["Trash"], 1, choir(w)),
        ],
        props.SetProperties: lambda w: [
            props.SetProperties(w.alice.folder.id, 0, {"{a}b": "<b/>"}),
            props.SetProperties(w.alice.folder.id, w.alice.item.id, {"{a}b": "<b/>"}),
        ],
        props.TouchFolder: lambda w: [props.TouchFolder(w.alice.folder)],
        colleagues.RenewColleagues: lambda w: [
            colleagues.RenewColleagues(w.alice.account.space_id)
        ],
        colleagues.ShowProfile: lambda w: [
            colleagues.ShowProfile(w.alice.account.space_id, 0, b"")
        ],
        bindings.Rebind: lambda w: [bindings.Rebind(w.alice.account.space_id, Tool.CALENDAR)],
        bindings.HideBound: lambda w: [
            bindings.HideBound(w.alice.account.space_id, Tool.CALENDAR, groups_calendar(w))
        ],
        bindings.SetBoundProperties: lambda w: [
            bindings.SetBoundProperties(
                w.alice.account.space_id, Tool.CALENDAR, groups_calendar(w), {"{a}b": "<b/>"}
            ),
        ],
        locks.TakeLock: lambda w: [
            locks.TakeLock(w.alice.folder.id, "", LOCK),
            locks.TakeLock(w.alice.folder.id, "item", LOCK),
        ],
        locks.RefreshLock: lambda w: [
            locks.RefreshLock(w.alice.folder.id, w.alice.token, 1),
            locks.RefreshLock(w.mallory.folder.id, w.alice.token, 1),
        ],
        locks.ReleaseLock: lambda w: [
            locks.ReleaseLock(w.alice.folder.id, w.alice.token),
            locks.ReleaseLock(w.mallory.folder.id, w.alice.token),
        ],
    }


def _own_table() -> dict[type[AnyMutation], Make]:
    """What people do with their own account."""

    def space(world: World) -> int:
        return world.alice.account.space_id

    return {
        credentials.ChangeOwnPassword: lambda w: [
            credentials.ChangeOwnPassword(space(w), "new", None)
        ],
        credentials.AddOwnAppPassword: lambda w: [
            credentials.AddOwnAppPassword(
                space(w), credentials.NewAppPassword("tablet", "hash", (), 10)
            )
        ],
        credentials.RevokeOwnAppPassword: lambda w: [
            credentials.RevokeOwnAppPassword(space(w), "phone")
        ],
        own_groups.FoundGroup: lambda w: [
            own_groups.FoundGroup(space(w), "trio@example.test", "Trio")
        ],
        own_groups.LeaveGroup: lambda w: [own_groups.LeaveGroup(space(w), w.quartet)],
        own_limits.LimitOwnSpace: lambda w: [own_limits.LimitOwnSpace(space(w), LESS)],
        own_groups.ForwardToMe: lambda w: [own_groups.ForwardToMe(space(w), w.quartet, True)],
    }


def _group_table() -> dict[type[AnyMutation], Make]:
    """Mutations of a group that Alice administers, and Mallory is not in."""
    write = {Tool.MAIL: Right.INSERT}
    return {
        groups.RenameGroup: lambda w: [groups.RenameGroup(w.choir, "Band")],
        groups.DeleteGroup: lambda w: [groups.DeleteGroup(w.choir)],
        groups.AddMember: lambda w: [groups.AddMember(w.choir, w.carol.account_id, write)],
        groups.RemoveMember: lambda w: [groups.RemoveMember(w.choir, w.bob.account_id)],
        groups.SetMemberRights: lambda w: [
            groups.SetMemberRights(w.choir, w.bob.account_id, write)
        ],
        groups.SetGroupAdministrator: lambda w: [
            groups.SetGroupAdministrator(w.choir, w.bob.account_id)
        ],
        group_settings.SetGroupSettings: lambda w: [
            group_settings.SetGroupSettings(w.choir, Posting.MEMBERS),
            group_settings.SetGroupSettings(w.choir, tools={Tool.MAIL}),
        ],
        own_limits.LimitGroup: lambda w: [
            own_limits.LimitGroup(w.choir, LESS, domain=True),
            own_limits.LimitGroup(w.choir, LESS),
        ],
        group_settings.SetMemberForward: lambda w: [
            group_settings.SetMemberForward(w.choir, w.bob.account_id, True)
        ],
    }


def _administration_table() -> dict[type[AnyMutation], Make]:
    """Mutations that only administration may do."""

    def id_(world: World) -> int:
        return world.alice.account.id

    envelope = MailEnvelope(ALICE, (MailRecipient("x@example.org"),))
    return {
        accounts.CreateAccount: lambda w: [accounts.CreateAccount(w.new_account())],
        accounts.UpdateAccount: lambda w: [
            accounts.UpdateAccount(id_(w), AccountUpdate(name="x", domain_admin=True))
        ],
        accounts.AssignPlan: lambda w: [accounts.AssignPlan(id_(w), Plan("free"))],
        accounts.SetAccountState: lambda w: [
            accounts.SetAccountState(id_(w), AccountState.DISABLED)
        ],
        accounts.DeleteAccount: lambda w: [accounts.DeleteAccount(w.bob.account_id)],
        accounts.AddAddress: lambda w: [accounts.AddAddress(id_(w), "more@example.test")],
        accounts.RemoveAddress: lambda w: [accounts.RemoveAddress(id_(w), "alias@example.test")],
        own_limits.LimitAccount: lambda w: [own_limits.LimitAccount(id_(w), LESS)],
        credentials.SetPassword: lambda w: [credentials.SetPassword(id_(w), "new", None)],
        credentials.ResetPassword: lambda w: [credentials.ResetPassword(id_(w), "hash", 2**40)],
        credentials.RedeemReset: lambda w: [
            credentials.RedeemReset(w.dave.account_id, "code", "hash", "scram")
        ],
        credentials.RenewSecret: lambda w: [
            credentials.RenewSecret(id_(w), "hash", "other", "scram")
        ],
        credentials.RecordLogin: lambda w: [credentials.RecordLogin(id_(w), 0)],
        credentials.AddAppPassword: lambda w: [
            credentials.AddAppPassword(id_(w), "tablet", "hash", ("imap",), 10)
        ],
        credentials.RevokeAppPassword: lambda w: [credentials.RevokeAppPassword(id_(w), "phone")],
        credentials.EnsureSecret: lambda w: [credentials.EnsureSecret("a-secret")],
        domains.CreateDomain: lambda w: [domains.CreateDomain("new.test")],
        domains.DeleteDomain: lambda w: [domains.DeleteDomain("unused.test")],
        domains.SetDomainPlans: lambda w: [domains.SetDomainPlans("example.test", ("a", "b"))],
        domains.SetCatchall: lambda w: [domains.SetCatchall("example.test", id_(w))],
        groups.CreateGroup: lambda w: [
            groups.CreateGroup(NewGroup("band@example.test", "Band", id_(w)))
        ],
        group_settings.AddGroupAddress: lambda w: [
            group_settings.AddGroupAddress(w.choir, "singers@example.test")
        ],
        group_settings.RemoveGroupAddress: lambda w: [
            group_settings.RemoveGroupAddress(w.choir, "voices@example.test")
        ],
        billing.RecordPayment: lambda w: [
            billing.RecordPayment(NewPayment(ALICE, "manual", "1", 5, "EUR", "We"), 10**9),
            billing.RecordPayment(NewPayment("example.test", "manual", "2", 5, "EUR", "We"), 10**9),
        ],
        billing.AdjustCredit: lambda w: [
            billing.AdjustCredit("example.test", 5, "EUR", "a gift", 10**9)
        ],
        billing.TakeUp: lambda w: [billing.TakeUp(id_(w))],
        billing.BeginPeriod: lambda w: [
            billing.BeginPeriod(id_(w), PeriodTerms("free", 0, "EUR", 10**9, 2 * 10**9), 10**9)
        ],
        billing.SetNotice: lambda w: [billing.SetNotice(id_(w), NOTICE.kind, None, NOTICE)],
        billing.MarkMailed: lambda w: [billing.MarkMailed(1, 10**9)],
        billing.NoteUse: lambda w: [billing.NoteUse((id_(w),))],
        notices.DeliverNotice: lambda w: [notices.DeliverNotice(id_(w), w.message)],
        queue.EnqueueMail: lambda w: [queue.EnqueueMail(id_(w), envelope, w.content, 60)],
        queue.CountSent: lambda w: [queue.CountSent(id_(w), 1, None)],
        queue.ClaimDue: lambda w: [queue.ClaimDue(60, 10)],
        queue.RenewLeases: lambda w: [queue.RenewLeases((1,), 60)],
        queue.SettleQueued: lambda w: [
            queue.SettleQueued(w.queued, (Settled(1, "250 2.0.0 fine", None),))
        ],
        queue.RetryQueued: lambda w: [
            queue.RetryQueued(w.queued),
            queue.RetryQueued(None),
        ],
        queue.DropQueued: lambda w: [queue.DropQueued(w.queued)],
        index.IndexMessages: lambda w: [
            index.IndexMessages(
                (index.IndexEntry(1, SearchText("a", "b", "c", "d", "e", "f"), w.content.keys),)
            )
        ],
        index.PrepareIndex: lambda w: [index.PrepareIndex(), index.PrepareIndex(clear=True)],
        scheduling.DeliverScheduling: lambda w: [
            scheduling.DeliverScheduling(1, w.alice.scheduling, "a", MEETING, None, "b", None)
        ],
        scheduling.SweepInboxes: lambda w: [scheduling.SweepInboxes(-60)],
        scheduling.DropScheduling: lambda w: [scheduling.DropScheduling(1)],
        upkeep.SweepBlobs: lambda w: [upkeep.SweepBlobs(-60)],
        upkeep.TrimLog: lambda w: [upkeep.TrimLog(0)],
        upkeep.KeepUids: lambda w: [upkeep.KeepUids(1, 1, 1, 1, b"")],
    }


#: What administration may do with what people have: say with whom it is shared.
SHARING = {grants.Share, grants.Unshare, item_grants.ShareItem, item_grants.UnshareItem}
OWNED = {**_mailbox_table(), **_tree_table(), **_own_table(), **support_world.own_table()}
#: What is made in the tree, which is asked for in each of its tools.
IN_TREE = _tree_table()
GROUPS = _group_table()
ADMINISTRATION = {**_administration_table(), **support_world.administration_table()}
TABLE = {**OWNED, **GROUPS, **ADMINISTRATION}


def _cases() -> list[tuple[Tool, type[AnyMutation]]]:
    """All mutations of what people own, those of the tree in each of its tools."""
    kinds = sorted(OWNED, key=lambda kind: kind.__name__)
    others = [(tool, kind) for tool in (Tool.CALENDAR, Tool.CONTACTS) for kind in kinds]
    in_tree = [(tool, kind) for tool, kind in others if kind in IN_TREE]
    return [(Tool.DOCUMENTS, kind) for kind in kinds] + in_tree


#: For tests that take a ``world`` (a fixture, which is given the tool) and a ``kind`` of mutation.
in_each_tool = pytest.mark.parametrize(
    ("world", "kind"),
    _cases(),
    indirect=["world"],
    ids=[f"{tool.value}-{kind.__name__}" for tool, kind in _cases()],
)
