"""Where addresses lead, on both databases, and the one form of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.addresses import (
    display_address,
    normalize_address,
    normalize_domain,
    normalize_local_part,
)
from folkmoot.storage.errors import InvalidName
from folkmoot.storage.mutations.accounts import AddAddress, SetAccountState
from folkmoot.storage.mutations.domains import SetCatchall
from folkmoot.storage.store import Store
from folkmoot.storage.types import AccountState, Limit, Tool
from folkmoot.storage.types_mail import Resolved, Standing
from folkmoot.storage.views.resolve import MaySendAs, ResolveAddress
from tests.storage.accounts_kit import (
    ALICE,
    account,
    actor_of,
    apply,
    make_account,
    make_domain,
    view,
)


@pytest.fixture
def alice(store: Store) -> int:
    """Alice with an alias; bob, who gets the mail for unknown addresses of a second domain."""
    make_domain(store, "example.test")
    make_domain(store, "xn--bcher-kva.test")
    id_ = make_account(store)
    apply(store, AddAddress(id_, "countess@example.test"))
    bob = make_account(store, "bob@example.test")
    apply(store, SetCatchall("xn--bcher-kva.test", bob))
    return id_


def _resolve(store: Store, address: str, separator: str = "+") -> Resolved:
    return view(store, ResolveAddress(address, separator))


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        (ALICE, ""),
        ("Alice@Example.TEST", ""),
        ('"alice"@example.test', ""),
        ("alice@example.test.", ""),
        ("countess@example.test", ""),
        ("alice+lists@example.test", "lists"),
        ("alice+a+b@example.test", "a+b"),
        ("alice+@example.test", ""),
        ("countess+x@example.test", "x"),
    ],
)
def test_addresses_of_an_account(store: Store, alice: int, address: str, detail: str) -> None:
    """Primary, alias and subaddresses of both, in any spelling. # rfc5233#1"""
    space = account(store).space_id
    assert _resolve(store, address) == Resolved(Standing.LOCAL, alice, space, detail)


@pytest.mark.parametrize(
    "address", ["nobody@example.test", "+x@example.test", "a b@example.test", "@example.test"]
)
def test_unknown_addresses_of_a_served_domain(store: Store, alice: int, address: str) -> None:
    """They are ours to refuse, not to pass on."""
    assert _resolve(store, address) == Resolved(Standing.UNKNOWN)


@pytest.mark.parametrize(
    "address", ["alice@elsewhere.test", "a@[192.0.2.1]", "alice@sub.example.test", "alice", ""]
)
def test_other_domains_are_not_ours(store: Store, alice: int, address: str) -> None:
    """Including address literals, sub-domains and what is no address."""
    assert _resolve(store, address) == Resolved(Standing.REMOTE)


@pytest.mark.parametrize("domain", ["bücher.test", "BÜCHER.test", "xn--bcher-kva.test"])
def test_the_catchall_takes_what_nobody_has(store: Store, alice: int, domain: str) -> None:
    """In both forms of an international domain."""
    bob = _resolve(store, "bob@example.test")
    assert _resolve(store, f"anything@{domain}") == bob
    assert _resolve(store, f"any+thing@{domain}") == bob


def test_subaddresses_can_be_switched_off(store: Store, alice: int) -> None:
    """Without separator, or with another one."""
    assert _resolve(store, "alice+x@example.test", "").standing is Standing.UNKNOWN
    assert _resolve(store, "alice-x@example.test", "-").account_id == alice


def test_an_exact_address_wins(store: Store, alice: int) -> None:
    """An alias with the separator in it is not taken for a subaddress."""
    bob = _resolve(store, "bob@example.test").account_id
    apply(store, AddAddress(bob, "alice+bob@example.test"))
    assert _resolve(store, "alice+bob@example.test").account_id == bob


def test_postmaster_reaches_the_administrator(store: Store, alice: int) -> None:
    """RFC 5321 section 4.5.1 wants the address to work; without administrator it is unknown."""
    assert _resolve(store, "postmaster@example.test").standing is Standing.UNKNOWN
    admin = make_account(store, "carol@example.test", domain_admin=True)
    assert _resolve(store, "Postmaster@example.test").account_id == admin


def test_standing_of_accounts(store: Store, alice: int) -> None:
    """Disabled and full accounts are told apart from unknown ones."""
    apply(store, SetAccountState(alice, AccountState.DISABLED))
    assert _resolve(store, ALICE).standing is Standing.DISABLED
    make_account(store, "full@example.test", limits={Tool.MAIL: Limit(0, None)})
    make_account(store, "none@example.test", limits={Tool.MAIL: Limit(None, 0)})
    assert _resolve(store, "full@example.test").standing is Standing.OVER_QUOTA
    assert _resolve(store, "none@example.test").standing is Standing.OVER_QUOTA


def test_people_send_as_what_reaches_them(store: Store, alice: int) -> None:
    """One's own addresses, subaddresses and catch-all; never somebody else's."""

    def may(address: str, sender: str) -> bool:
        actor = actor_of(store, sender)
        what = MaySendAs(actor.space_id, address)
        return store.call_read(actor, "test", lambda txn: txn.view(what))

    for address in (ALICE, "ALICE@example.test", "countess@example.test", "alice+x@example.test"):
        assert may(address, ALICE)
        assert not may(address, "bob@example.test")
    assert may("sales@bücher.test", "bob@example.test")
    for address in ("nobody@example.test", "a@elsewhere.test", "", "alice"):
        assert not may(address, ALICE)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        (" ada@example.org. ", "ada@example.org"),
        ("STRASSE@x.test", "strasse@x.test"),
        ("straße@x.test", "strasse@x.test"),
        ("jose\u0301@x.test", "jos\u00e9@x.test"),
        ("用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"),
        ("o'neil/x=y@x.test", "o'neil/x=y@x.test"),
        ('"a.b"@x.test', "a.b@x.test"),
    ],
)
def test_the_one_form_of_an_address(text: str, normal: str) -> None:
    """Spellings that mean the same become the same text. # rfc5321#4.1.2, rfc6531#3.3"""
    assert normalize_address(text) == normal
    assert normalize_address(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@x.test",
        "a@",
        "a..b@x.test",
        ".a@x.test",
        "a b@x.test",
        "a\0@x.test",
        "a@x..test",
        "a@-x.test",
        "a@x_y.test",
        "a@[192.0.2.1]",
        "a" * 65 + "@x.test",
        "é" * 33 + "@x.test",
        "a@" + "x" * 64 + ".test",
        "a@" + "x." * 130 + "test",
        "a\u200b@x.test",
        "a\ud800@x.test",
        "a<b>@x.test",
        "a@x.test\r\nRCPT TO:<b@x.test>",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """Refused as a name, with nothing of it kept."""
    with pytest.raises(InvalidName):
        normalize_address(text)


@given(st.text(max_size=80), st.sampled_from([normalize_local_part, normalize_domain]))
def test_normal_forms_are_stable(text: str, normalize: object) -> None:
    """Normalising twice changes nothing; nothing but ``InvalidName`` is ever raised."""
    assert callable(normalize)
    try:
        once = normalize(text)
    except InvalidName:
        return
    assert normalize(once) == once


def test_addresses_are_shown_as_people_write_them() -> None:
    """A-labels become Unicode again; what is none stays."""
    assert display_address("ada@xn--bcher-kva.test") == "ada@bücher.test"
    assert display_address("ada@example.test") == "ada@example.test"
    assert display_address("ada@xn--a.test") == "ada@xn--a.test"
