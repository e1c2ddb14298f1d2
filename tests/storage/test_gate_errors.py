"""What the gate answers: denied looks like absent, and ended sessions stay out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from folkmoot.storage.errors import Expired, NotFound, PermissionDenied
from folkmoot.storage.gate import Need, PerItem
from folkmoot.storage.mutations.accounts import SetAccountState
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.credentials import SetPassword
from folkmoot.storage.mutations.flags import StoreFlags
from folkmoot.storage.mutations.mailboxes import CreateMailbox, DeleteMailbox, RenameMailbox
from folkmoot.storage.mutations.messages import (
    AppendMessages,
    CopyMessages,
    ExpungeMessages,
    MoveMessages,
)
from folkmoot.storage.mutations.upkeep import SweepBlobs
from folkmoot.storage.policy import Charge, Circle, CollectionFacts, SpaceFacts
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import (
    AccountState,
    Actor,
    Flag,
    FlagChange,
    FlagSet,
    Right,
)
from folkmoot.storage.types_search import And
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bodies import LocateBody
from folkmoot.storage.views.mailboxes import (
    ChangesSince,
    ListMailboxes,
    ListSpaces,
    MailboxRights,
    Subscriptions,
)
from folkmoot.storage.views.messages import FetchRows, ReadState
from folkmoot.storage.views.search import SearchMessages
from tests.storage.accounts_kit import apply, make_domain
from tests.storage.accounts_kit import view as as_system
from tests.storage.mail_kit import ALL_UIDS, Mail, new_mail, new_message, uids

ABSENT = 999_999


@pytest.fixture
def two(store: Store) -> tuple[Mail, Mail]:
    """Two people with a message each."""
    make_domain(store)
    alice = new_mail(store, domain=False)
    bob = new_mail(store, "bob@example.test", domain=False)
    for mail in (alice, bob):
        mail.append(mail.box().id)
    return alice, bob


def views(store: Store, mailbox: int) -> list[View[object]]:
    """Every read of a mailbox."""
    return [
        ReadState(mailbox),
        MailboxRights(mailbox),
        ChangesSince(mailbox, 0),
        FetchRows(mailbox, ALL_UIDS, ()),
        LocateBody(mailbox, 1),
        SearchMessages(mailbox, And(()), store.blobs),
    ]


def mutations(mail: Mail, mailbox: int) -> list[Mutation[object]]:
    """Every write that touches a mailbox, alone or beside an own one."""
    own, space = mail.box().id, mail.actor.space_id
    return [
        AppendMessages(mailbox, (new_message(mail.store),)),
        StoreFlags(mailbox, ALL_UIDS, FlagChange.ADD, FlagSet(Flag.SEEN)),
        ExpungeMessages(mailbox),
        CopyMessages(mailbox, ALL_UIDS, own),
        CopyMessages(own, ALL_UIDS, mailbox),
        MoveMessages(mailbox, ALL_UIDS, own),
        MoveMessages(own, ALL_UIDS, mailbox),
        DeleteMailbox(mailbox),
        RenameMailbox(mailbox, space, mail.box("").id, ("Mine",)),
        CreateMailbox(space, mailbox, ("Mine",)),
    ]


def test_denied_looks_like_absent(two: tuple[Mail, Mail]) -> None:
    """Another's mailbox and one that never was give the same error with the same words."""
    alice, bob = two
    before = alice.boxes(), bob.boxes()

    def answers(mailbox: int) -> list[str]:
        texts = []
        for view in views(alice.store, mailbox):
            with pytest.raises(NotFound) as caught:
                alice.view(view)
            texts.append(caught.value.text)
        for mutation in mutations(alice, mailbox):
            with pytest.raises(NotFound) as caught:
                alice.apply(mutation)
            texts.append(caught.value.text)
        return texts

    assert answers(bob.box().id) == answers(ABSENT)
    assert (alice.boxes(), bob.boxes()) == before


def test_lists_show_only_what_is_ones_own(two: tuple[Mail, Mail]) -> None:
    """A list of another's space is empty, and nobody reads another's subscriptions."""
    alice, bob = two
    listed = alice.view(ListMailboxes(bob.actor.space_id, alice.actor.account_id))
    assert listed == []
    assert alice.view(ListSpaces((bob.actor.space_id,))) == {}
    with pytest.raises(NotFound):
        alice.view(Subscriptions(bob.actor.account_id))


def test_the_system_delivers_but_does_not_read(two: tuple[Mail, Mail]) -> None:
    """It knows that a mailbox is there, so it is told "denied" and not "absent"."""
    alice, _ = two
    inbox = alice.box().id
    for view in views(alice.store, inbox):
        with pytest.raises(PermissionDenied):
            as_system(alice.store, view)
    message = new_message(alice.store)
    for mutation in (
        AppendMessages(inbox, (message,)),
        ExpungeMessages(inbox),
        DeleteMailbox(inbox),
    ):
        with pytest.raises(PermissionDenied):
            apply(alice.store, mutation)
    apply(alice.store, AppendMessages(inbox, (message,), Right.POST))
    assert alice.box().messages == 2


def test_people_do_not_administer(two: tuple[Mail, Mail]) -> None:
    """What the server does for itself is refused to people, who know that it exists."""
    with pytest.raises(PermissionDenied):
        two[0].apply(SweepBlobs())


@pytest.mark.parametrize("how", ["password", "disabled"])
def test_a_session_ends_with_its_authority(two: tuple[Mail, Mail], how: str) -> None:
    """After a new password, or disabled, an open session can neither read nor write."""
    alice, bob = two
    inbox, account = alice.box().id, alice.actor.account_id
    message = new_message(alice.store)
    apply(
        alice.store,
        SetPassword(account, "other", None)
        if how == "password"
        else SetAccountState(account, AccountState.DISABLED),
    )
    with pytest.raises(Expired):
        alice.view(ReadState(inbox))
    with pytest.raises(Expired):
        alice.apply(AppendMessages(inbox, (message,)))
    with pytest.raises(Expired):
        alice.boxes()
    assert bob.box().messages == 1
    if how == "disabled":
        apply(alice.store, SetAccountState(account, AccountState.ACTIVE))
        with pytest.raises(Expired):
            alice.boxes()
    assert Mail(alice.store, "alice@example.test").box().messages == 1


def test_rights_are_asked_anew_in_each_transaction(two: tuple[Mail, Mail]) -> None:
    """A right that is withdrawn between two transactions is gone in the second."""
    alice, _ = two
    inbox = alice.box().id
    decisions = alice.store._decisions
    given = {"rights": Right.LOOKUP | Right.READ}

    class Policy:
        def rights(
            self, actor: Actor, collections: Sequence[CollectionFacts], circle: Circle
        ) -> Mapping[int, Right]:
            return {facts.id: given["rights"] for facts in collections}

        def knows(self, actor: Actor, spaces: Sequence[SpaceFacts], circle: Circle) -> set[int]:
            return set()

        def may_administer(self, actor: Actor) -> bool:
            return False

    object.__setattr__(decisions, "authorizer", Policy())
    alice.view(ReadState(inbox))
    with pytest.raises(PermissionDenied):
        alice.flag(inbox, uids("1"), Flag.SEEN)
    given["rights"] = Right.LOOKUP
    with pytest.raises(PermissionDenied):
        alice.view(ReadState(inbox))
    given["rights"] = Right.READ  # without LOOKUP there is nothing to read
    with pytest.raises(NotFound):
        alice.view(ReadState(inbox))
    from tests.kit.stores import decisions as real

    object.__setattr__(decisions, "authorizer", real().authorizer)


def test_each_flag_needs_its_right() -> None:
    """STORE asks for exactly the rights of the flags that it touches (RFC 4314 section 4)."""

    def needed(change: FlagChange, system: Flag, keywords: tuple[str, ...] = ()) -> Right:
        (need,) = StoreFlags(1, uids("1"), change, FlagSet(system, keywords)).needs()
        return need.rights  # type: ignore[union-attr]

    add = FlagChange.ADD
    assert needed(add, Flag.SEEN) == Right.READ | Right.SEEN
    assert needed(FlagChange.REMOVE, Flag.DELETED) == Right.READ | Right.DELETE
    assert needed(add, Flag.ANSWERED) == Right.READ | Right.FLAGS
    assert needed(add, Flag.NONE, ("$Work",)) == Right.READ | Right.FLAGS
    everything = Right.READ | Right.SEEN | Right.DELETE | Right.FLAGS
    assert needed(FlagChange.REPLACE, Flag.NONE) == everything


def test_operations_that_say_nothing_cannot_be_defined() -> None:
    """A mutation without needs or cost fails when its module is imported, not in production."""
    with pytest.raises(TypeError, match="cost"):

        class _NoCost(Mutation[None]):
            def needs(self) -> Sequence[Need]:
                return []

            def write(self, context: WriteContext) -> None:
                return None

    with pytest.raises(TypeError, match="needs"):

        class _NoNeeds(View[None]):
            def read(self, context: ReadContext) -> None:
                return None


def test_empty_needs_are_a_bug(two: tuple[Mail, Mail]) -> None:
    """Neither "nothing needed" nor "decided per item" opens a way to write."""

    class Careless(Mutation[None]):
        given: Sequence[Need] = ()

        def needs(self) -> Sequence[Need]:
            return self.given

        def cost(self, context: ReadContext) -> Sequence[Charge]:
            return ()

        def write(self, context: WriteContext) -> None:
            raise AssertionError("it must not come to this")

    for given in ((), (PerItem(),)):
        mutation = Careless()
        mutation.given = given
        with pytest.raises(TypeError):
            two[0].apply(mutation)
