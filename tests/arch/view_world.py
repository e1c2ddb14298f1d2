"""All views, as they would show what Alice has (``gate_world``): those of mail and of sharing here,
those of the tree in ``test_gate_views``; and which are for administration, or open on purpose."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

from folkmoot.storage import views
from folkmoot.storage.types import AnnotationQuery, MessageColumn
from folkmoot.storage.types_mail import Poster
from folkmoot.storage.types_search import And, SortCriterion, SortField, ThreadAlgorithm
from folkmoot.storage.views import (
    accounts,
    billing,
    blobs,
    bodies,
    flag_texts,
    grants,
    groups,
    index,
    kept_uids,
    links,
    mailboxes,
    messages,
    queue,
    relevance,
    resolve,
    scheduling,
    search,
    sort,
    support,
    thread,
    trail,
    usage,
)
from folkmoot.storage.views import (
    annotations as notes,
)
from folkmoot.storage.views.base import View
from tests.arch.gate_world import ALICE, ONE, World

AnyView = View[Any]
Make = Callable[[World], Sequence[AnyView]]

EVERYTHING = And(())
NOTES = AnnotationQuery(("/private", "/shared"), None)
FLAGS = (MessageColumn.FLAGS,)
SUBJECT = (SortCriterion(SortField.SUBJECT),)


def _box(world: World) -> int:
    return world.alice.mailboxes["INBOX"]


def _space(world: World) -> int:
    return world.alice.account.space_id


#: The views of a mailbox and of what is in it.
MAIL: dict[type[AnyView], Make] = {
    mailboxes.ChangesSince: lambda w: [mailboxes.ChangesSince(_box(w), 0)],
    mailboxes.MailboxRights: lambda w: [mailboxes.MailboxRights(_box(w))],
    mailboxes.LocateMailbox: lambda w: [mailboxes.LocateMailbox(_space(w), ("INBOX",))],
    messages.ReadState: lambda w: [messages.ReadState(_box(w))],
    messages.FetchRows: lambda w: [messages.FetchRows(_box(w), ONE, FLAGS)],
    bodies.LocateBody: lambda w: [bodies.LocateBody(_box(w), 1)],
    bodies.ReadBodies: lambda w: [bodies.ReadBodies(_box(w), ONE, 100, False)],
    flag_texts.ReadFlagTexts: lambda w: [flag_texts.ReadFlagTexts(_box(w), ONE)],
    search.SearchMessages: lambda w: [search.SearchMessages(_box(w), EVERYTHING, w.store.blobs)],
    sort.SortMessages: lambda w: [
        sort.SortMessages(_box(w), EVERYTHING, SUBJECT, w.store.blobs),
    ],
    thread.ThreadMessages: lambda w: [
        thread.ThreadMessages(_box(w), EVERYTHING, ThreadAlgorithm.REFS, 9, w.store.blobs)
    ],
    relevance.ScoreMessages: lambda w: [
        relevance.ScoreMessages(_box(w), ONE, EVERYTHING, w.store.blobs)
    ],
    usage.ReadMailUsage: lambda w: [usage.ReadMailUsage(_space(w))],
    usage.DeletedSizes: lambda w: [usage.DeletedSizes((_box(w),))],
    notes.MailboxAnnotations: lambda w: [notes.MailboxAnnotations(_box(w), NOTES)],
    notes.AccountAnnotations: lambda w: [notes.AccountAnnotations(_space(w), NOTES)],
    notes.SpaceAnnotations: lambda w: [notes.SpaceAnnotations(_space(w), NOTES)],
    notes.AnnotationsSince: lambda w: [notes.AnnotationsSince(_space(w), 0)],
    mailboxes.ListMailboxes: lambda w: [
        mailboxes.ListMailboxes(_space(w), w.mallory.account.id),
    ],
    mailboxes.ListSpaces: lambda w: [mailboxes.ListSpaces((_space(w),))],
    mailboxes.Subscriptions: lambda w: [mailboxes.Subscriptions(w.alice.account.id)],
}
#: The views of what is shared, of scheduling, and of an account as its owner sees it.
SHARING: dict[type[AnyView], Make] = {
    grants.GrantsOn: lambda w: [
        grants.GrantsOn(_box(w)),
        grants.GrantsOn(w.alice.folder.id, w.alice.item.id),
    ],
    grants.GrantsOfSpace: lambda w: [grants.GrantsOfSpace(_space(w))],
    links.OriginalOf: lambda w: [links.OriginalOf(w.alice.item)],
    scheduling.MeetingsAhead: lambda w: [
        scheduling.MeetingsAhead(w.alice.scheduling.calendar_id, 9)
    ],
    scheduling.ReadScheduleHome: lambda w: [scheduling.ReadScheduleHome(_space(w))],
    scheduling.FindScheduled: lambda w: [
        scheduling.FindScheduled(_space(w), w.alice.scheduling.calendar_id, "none", w.store.blobs)
    ],
    accounts.ShowOwnAccount: lambda w: [accounts.ShowOwnAccount(_space(w))],
    support.SupportGrants: lambda w: [support.SupportGrants(_space(w), 0)],
    support.SupportLogins: lambda w: [support.SupportLogins(_space(w))],
    support.OwnHelp: lambda w: [support.OwnHelp(_space(w))],
    trail.ShowTrail: lambda w: [trail.ShowTrail(_space(w), own=True)],
}
#: What tells of the actor's own and of what it may know, and how nothing of Alice's looks there.
NOTHING: dict[type[AnyView], Any] = {
    notes.SpaceAnnotations: {},
    mailboxes.ListMailboxes: [],
    mailboxes.ListSpaces: {},
    grants.GrantsOfSpace: [],
}
#: Answers that are about whoever asks, or open to everybody who signs in, on purpose.
ABOUT_ONESELF = {
    *(grants.SharedWithMe, grants.DropFolders, groups.MyGroups),
    *(resolve.MaySendAs, resolve.AccountMaySendAs),
}
#: What members may know of their group.
OF_MEMBERS = {groups.FindGroup, groups.ShowGroup}
#: For administration, or for who leads what they are about; nobody else gets an answer.
ADMINISTRATION: dict[type[AnyView], Make] = {
    accounts.ReadLoginRecord: lambda w: [accounts.ReadLoginRecord(ALICE)],
    accounts.CanonicalName: lambda w: [accounts.CanonicalName(ALICE)],
    accounts.FindAccount: lambda w: [accounts.FindAccount(ALICE)],
    accounts.ListAccounts: lambda w: [accounts.ListAccounts(), accounts.ListAccounts("x.test")],
    accounts.ShowAccount: lambda w: [accounts.ShowAccount(ALICE)],
    accounts.ListDomains: lambda w: [accounts.ListDomains()],
    accounts.ShowDomain: lambda w: [accounts.ShowDomain("example.test")],
    accounts.ReadReset: lambda w: [accounts.ReadReset(ALICE)],
    billing.ReadFacts: lambda w: [billing.ReadFacts(0, 9)],
    billing.ReadAccountBilling: lambda w: [billing.ReadAccountBilling(ALICE)],
    billing.EndedPlans: lambda w: [billing.EndedPlans()],
    billing.ReadDomainCredit: lambda w: [billing.ReadDomainCredit("example.test")],
    billing.ListPayments: lambda w: [billing.ListPayments(ALICE), billing.ListPayments()],
    billing.ShowPayment: lambda w: [billing.ShowPayment("2026-000001")],
    billing.UnmailedReceipts: lambda w: [billing.UnmailedReceipts()],
    blobs.NamedFiles: lambda w: [blobs.NamedFiles()],
    groups.FindGroup: lambda w: [groups.FindGroup("choir@example.test")],
    groups.ListGroups: lambda w: [groups.ListGroups()],
    groups.ShowGroup: lambda w: [groups.ShowGroup("choir@example.test")],
    kept_uids.OutdatedUids: lambda w: [kept_uids.OutdatedUids()],
    kept_uids.PackedUids: lambda w: [kept_uids.PackedUids(1)],
    index.WaitingMessages: lambda w: [index.WaitingMessages(1, 1)],
    index.Backlog: lambda w: [index.Backlog()],
    index.DescribeIndex: lambda w: [index.DescribeIndex()],
    queue.ListQueue: lambda w: [queue.ListQueue()],
    queue.ShowQueued: lambda w: [queue.ShowQueued(w.queued)],
    queue.NextDue: lambda w: [queue.NextDue()],
    queue.DeliveryTarget: lambda w: [queue.DeliveryTarget(ALICE, "+", Poster())],
    queue.MaySend: lambda w: [queue.MaySend(w.alice.account.id, 1, 1)],
    resolve.ResolveAddress: lambda w: [resolve.ResolveAddress(ALICE)],
    resolve.ForwardingOf: lambda w: [resolve.ForwardingOf(w.choir, Poster())],
    scheduling.WaitingMessages: lambda w: [scheduling.WaitingMessages()],
    support.ListDepartments: lambda w: [support.ListDepartments()],
    support.ListAgents: lambda w: [support.ListAgents()],
    support.FindAgent: lambda w: [support.FindAgent("sam@support.test")],
    support.UntoldGrants: lambda w: [support.UntoldGrants()],
    support.FindRequest: lambda w: [support.FindRequest(1)],
    support.AgentSessions: lambda w: [support.AgentSessions(1)],
    support.SupportActor: lambda w: [support.SupportActor("key")],
    support.SessionsOver: lambda w: [support.SessionsOver((1,))],
    support.PagesEnded: lambda w: [support.PagesEnded("nonce")],
    support.GrantsToEnd: lambda w: [support.GrantsToEnd()],
    support.AllHelp: lambda w: [support.AllHelp()],
    trail.CheckTrail: lambda w: [trail.CheckTrail()],
}


def all_views() -> set[type[AnyView]]:
    """Every class of views that there is."""
    found: set[type[AnyView]] = set()
    for info in pkgutil.iter_modules(views.__path__, f"{views.__name__}."):
        module = importlib.import_module(info.name)
        found |= {
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, View)
            and value.__module__ == info.name
            and "abstract" not in value.__dict__
        }
    return found - {View}
