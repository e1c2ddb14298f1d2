"""What a session can know of mailboxes beside their messages: capacities, rights, annotations.

The base of ``Workspace``, which has the calls that concern messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred

from folkmoot.sharing import mail_acl, mail_places
from folkmoot.sharing.acting import Acting
from folkmoot.storage.errors import MissingParent, NotFound
from folkmoot.storage.mutations.annotations import SetAnnotations
from folkmoot.storage.mutations.mailboxes import CreateMailbox
from folkmoot.storage.mutations.own_limits import LimitGroup, LimitOwnSpace
from folkmoot.storage.names import is_place, mailbox_levels, mailbox_name
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import (
    AclChange,
    AclEntry,
    Annotation,
    AnnotationQuery,
    MailboxInfo,
    MailUsage,
    OwnLimit,
    Right,
    Tool,
)
from folkmoot.storage.views.annotations import (
    AccountAnnotations,
    AnnotationsSince,
    MailboxAnnotations,
    SpaceAnnotations,
)
from folkmoot.storage.views.groups import FindGroup
from folkmoot.storage.views.mailboxes import ListMailboxes, LocateMailbox, Subscriptions
from folkmoot.storage.views.principals import ReadPrincipal
from folkmoot.storage.views.usage import DeletedSizes, ReadMailUsage

_EVERYTHING = AnnotationQuery(("/private", "/shared"), None)


class MailboxFacts(Acting):
    """Facts about mailboxes, as one actor sees them. All methods return Deferreds."""

    # --- facts --------------------------------------------------------------------------------

    def usage(self, place: str = "") -> Deferred[MailUsage]:
        """What the actor's own mail takes and may take, or that of a group by its name.

        Raises ``NotFound`` for all other places.
        """

        def work(txn: ReadTxn) -> MailUsage:
            space = mail_places.group_space(txn, place) if place else self.actor.space_id
            return txn.view(ReadMailUsage(space))

        return self._read("quota", work)

    def limit_mail(self, place: str, limit: OwnLimit, unit: int) -> Deferred[MailUsage]:
        """Give the actor's own mail, or that of a group, an own limit below the plan's.

        It is as many octets as whole units of ``unit``: whoever sets what was shown of a plan in
        such units wants the plan's. Returns what counts then. Raises ``NotFound``,
        ``PermissionDenied``.
        """

        def work(txn: Txn) -> MailUsage:
            space = mail_places.group_space(txn, place) if place else self.actor.space_id
            given = txn.view(ReadMailUsage(space)).usage.plan_bytes
            octets = limit.bytes
            if given is not None and octets is not None and given - octets < unit:
                octets = None
            limits = {Tool.MAIL: replace(limit, bytes=octets)}
            if place:
                [address, *_] = txn.view(ReadPrincipal(space)).addresses
                txn.apply(LimitGroup(txn.view(FindGroup(address)).id, limits))
            else:
                txn.apply(LimitOwnSpace(space, limits))
            return txn.view(ReadMailUsage(space))

        return self._run("limit mail", work)

    def usage_of(self, name: str) -> Deferred[tuple[str, MailUsage] | None]:
        """The same for the space that a mailbox is in or would be in, with its place.

        None when that is another account's, whose capacities are not the actor's to know.
        """

        def work(txn: ReadTxn) -> tuple[str, MailUsage] | None:
            try:
                space = self._find(txn, name).space_id
            except NotFound:
                space = self.actor.space_id
                if is_place(mailbox_levels(name)):
                    space = mail_places.nearest(txn, name)[0]
            if space == self.actor.space_id:
                return "", txn.view(ReadMailUsage(space))
            place = mail_places.group_place(name)
            return (place, txn.view(ReadMailUsage(space))) if place else None

        return self._read("quota", work)

    # --- rights -------------------------------------------------------------------------------

    def acl(self, name: str) -> Deferred[tuple[MailboxInfo, list[AclEntry]]]:
        """A mailbox and who has which rights on it. Raises ``PermissionDenied``."""

        def work(txn: ReadTxn) -> tuple[MailboxInfo, list[AclEntry]]:
            info = self._find(txn, name)
            return info, mail_acl.read_acl(txn, info.id)

        return self._read("acl", work)

    def acl_entry(self, name: str, identifier: str) -> Deferred[tuple[MailboxInfo, AclEntry]]:
        """A mailbox and what one identifier may do there. Raises ``NotFound`` for unknown ones."""

        def work(txn: ReadTxn) -> tuple[MailboxInfo, AclEntry]:
            info = self._find(txn, name)
            return info, mail_acl.entry_of(txn, info.id, identifier)

        return self._read("acl", work)

    def set_acl(
        self, name: str, identifier: str, change: AclChange, rights: Right
    ) -> Deferred[None]:
        """Give rights on a mailbox and all below it, or take them. Raises ``Unchangeable``."""
        return self._run(
            "set acl",
            lambda txn: mail_acl.set_acl(txn, self._locate(txn, name), identifier, change, rights),
        )

    def delete_acl(self, name: str, identifier: str) -> Deferred[None]:
        """Take back all that was given to somebody. Raises ``Unchangeable``."""
        return self._run(
            "delete acl",
            lambda txn: mail_acl.delete_acl(txn, self._locate(txn, name), identifier),
        )

    # --- annotations --------------------------------------------------------------------------

    def annotations(self, name: str, query: AnnotationQuery) -> Deferred[tuple[Annotation, ...]]:
        """Annotations of a mailbox, or of the account (``name`` is ""), by entry."""

        def work(txn: ReadTxn) -> tuple[Annotation, ...]:
            if not name:
                return txn.view(AccountAnnotations(self.actor.space_id, query))
            return txn.view(MailboxAnnotations(self._locate(txn, name), query))

        return self._read("annotations", work)

    def annotate(self, name: str, changes: Sequence[Annotation]) -> Deferred[int]:
        """Set and remove annotations of a mailbox or (``name`` is "") the account.

        Returns their number. Raises ``TooLarge``, ``LimitReached``, ``InvalidName``.
        """

        def work(txn: Txn) -> int:
            mailbox = self._locate(txn, name) if name else 0
            return self._annotate(txn, mailbox, changes)

        return self._run("annotate", work)

    def annotations_since(
        self, since: int
    ) -> Deferred[tuple[int, list[tuple[MailboxInfo | None, list[Annotation]]]]]:
        """The number of the last change, and what changed after ``since``.

        By mailbox, None for the account: names of entries, removed ones among them.
        """

        def work(
            txn: ReadTxn,
        ) -> tuple[int, list[tuple[MailboxInfo | None, list[Annotation]]]]:
            number, changed = txn.view(AnnotationsSince(self.actor.space_id, since))
            if not changed:
                return number, []
            known: Mapping[int, MailboxInfo] = {info.id: info for info in self._own(txn)}
            return number, [
                (known.get(id_), entries)
                for id_, entries in changed.items()
                if id_ == 0 or id_ in known
            ]

        return self._read("annotations", work)

    def _annotate(self, txn: Txn, mailbox_id: int, changes: Sequence[Annotation]) -> int:
        return txn.apply(SetAnnotations(self.actor.space_id, mailbox_id, tuple(changes)))

    def _copy_annotations(self, txn: Txn, source_id: int, target_id: int) -> None:
        """INBOX keeps its annotations when it is renamed, and the new mailbox has them too."""
        found = txn.view(MailboxAnnotations(source_id, _EVERYTHING))  # rfc5464#4.1
        if found:
            self._annotate(txn, target_id, found)

    # --- for the calls ------------------------------------------------------------------------

    def _own(self, txn: ReadTxn) -> list[MailboxInfo]:
        """The actor's own mailboxes, the nameless root first."""
        return txn.view(ListMailboxes(self.actor.space_id, self.actor.account_id))

    def _all(self, txn: ReadTxn) -> tuple[list[MailboxInfo], list[str]]:
        """All mailboxes, and all subscribed names; what is one's own hides what others have."""
        mine = self._own(txn)[1:]
        names = txn.view(Subscriptions(self.actor.account_id))
        others = mail_places.other_mailboxes(txn)
        if not others and all(map(mail_places.is_personal, names)):
            return mine, names
        taken = {info.name for info in mine}
        others = [info for info in others if info.name not in taken]
        subscribed = mail_places.subscribed_names(names, others)
        subscribed.update(info.name for info in mine if info.subscribed)
        told = [replace(each, subscribed=each.name in subscribed) for each in others]
        return [*mine, *told], sorted(subscribed)

    def _find(self, txn: ReadTxn, name: str) -> MailboxInfo:
        wanted = mailbox_name(name)
        for info in self._own(txn):
            if info.name == wanted and wanted:
                return info
        if is_place(mailbox_levels(name)):
            return mail_places.find(txn, name)
        raise NotFound("There is no such mailbox.")

    def _locate(self, txn: ReadTxn, name: str) -> int:
        levels = mailbox_levels(name)
        try:
            return txn.view(LocateMailbox(self.actor.space_id, levels))
        except NotFound:
            if not is_place(levels):
                raise
            return mail_places.locate(txn, name)

    def _target(self, txn: ReadTxn, name: str) -> int:
        """A mailbox that messages are to be put into, as ``_locate``.

        ``NotFound`` says that the actor may make it; else it is ``MissingParent``: clients would
        try again and again to make what they cannot. # rfc9051#7.1 TRYCREATE
        """
        try:
            return self._locate(txn, name)
        except NotFound:
            if not is_place(mailbox_levels(name)) or mail_places.may_create(txn, name):
                raise
            raise MissingParent("There is no such mailbox, and you cannot make it.") from None

    def _create(self, txn: Txn, name: str, special_use: str) -> int:
        space, parent, levels = self._nearest(txn, name)
        return txn.apply(CreateMailbox(space, parent, levels, special_use))

    def _nearest(self, txn: ReadTxn, name: str) -> tuple[int, int, tuple[str, ...]]:
        """Where a new mailbox would lie: its space, what there is above it, the levels below."""
        levels = mailbox_levels(name)
        if is_place(levels):
            return mail_places.nearest(txn, name)
        root = self._own(txn)[0]
        return root.space_id, root.id, levels


def fill(
    txn: ReadTxn,
    mailboxes: list[MailboxInfo],
    deleted_size: bool,
    annotations: AnnotationQuery | None,
) -> list[MailboxInfo]:
    """The mailboxes with what costs more than their row, where it is asked for."""
    if deleted_size:
        ids = tuple([info.id for info in mailboxes if info.deleted])
        sizes = txn.view(DeletedSizes(ids)) if ids else {}
        mailboxes = [replace(info, deleted_size=sizes.get(info.id, 0)) for info in mailboxes]
    if annotations is not None:
        found: dict[int, tuple[Annotation, ...]] = {}
        for space in {info.space_id for info in mailboxes if Right.READ in info.rights}:
            found.update(txn.view(SpaceAnnotations(space, annotations)))
        mailboxes = [replace(info, annotations=found.get(info.id, ())) for info in mailboxes]
    return mailboxes
