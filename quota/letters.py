"""The mail that goes to people about plans, payments and unused accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid

from folkmoot.quota.offers import Offer
from folkmoot.storage.money import show_amount
from folkmoot.storage.mutations.notices import DeliverNotice
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import FlagSet, NewMessage
from folkmoot.storage.types_accounts import Excess
from folkmoot.storage.types_billing import AccountFacts, Notice


@dataclass(frozen=True, slots=True)
class Office:
    """In whose name mail is sent. ``issuer`` is the text on receipts about who has the money."""

    hostname: str
    sender: str
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject, a text, and perhaps a PDF file with its name, or an invitation (RFC 5546)."""

    subject: str
    text: str
    pdf: tuple[str, bytes] | None = None
    invitation: str = ""


def post(
    txn: Txn, store: Store, office: Office, account_id: int, address: str, letter: Letter
) -> None:
    """Put a letter into the INBOX of an account, in this transaction, also where that is full."""
    content = store.prepare(compose(office, address, letter))
    message = NewMessage(content, FlagSet(), datetime.now().astimezone())
    txn.apply(DeliverNotice(account_id, message))


def compose(office: Office, address: str, letter: Letter) -> bytes:
    """A letter as a message."""
    utf8 = not (address.isascii() and office.sender.isascii())
    message = EmailMessage(policy=SMTPUTF8 if utf8 else SMTP)
    message["From"] = office.sender
    message["To"] = address
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=office.hostname)
    message["Auto-Submitted"] = "auto-generated"  # rfc3834#5
    message.set_content(letter.text, cte=None if utf8 else "quoted-printable")
    if letter.invitation:
        method = "CANCEL" if "\r\nMETHOD:CANCEL\r\n" in letter.invitation else "REQUEST"
        message.add_alternative(
            letter.invitation,
            subtype="calendar",
            params={"method": method},
            cte="base64",
        )
    if letter.pdf is not None:
        name, data = letter.pdf
        message.add_attachment(data, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


def day(seconds: int) -> str:
    """A date for people (UTC)."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def unused(facts: AccountFacts, notice: Notice, offer: Offer) -> Letter:
    """A warning that an account will be disabled because nobody uses it."""
    return Letter(
        f"Your account {facts.address} will be disabled on {day(notice.due)}",
        f"Nobody has signed in to the account {facts.address} since {day(notice.basis)}.\n\n"
        f"Free accounts that are not used are closed. On {day(notice.due)} this one will be\n"
        f"disabled, and {offer.delete_after} days later it will be deleted with all its data.\n\n"
        "To keep it, sign in once with any program, for mail, calendars, contacts or documents.\n",
    )


def unpaid(
    facts: AccountFacts, notice: Notice, offer: Offer, after: Offer, *, running: bool
) -> Letter:
    """A warning that a plan will end because it is not paid; ``after`` follows."""
    price = show_amount(offer.price, offer.currency)
    until = f" is paid until {day(notice.basis)}" if running else " is not paid"
    return Letter(
        f'Your plan "{offer.name}" ends on {day(notice.due)}',
        f'The plan "{offer.name}" of the account {facts.address}{until}, and there is not\n'
        f"enough credit for the next period ({price}).\n\n"
        f'Without a payment, the account will have the plan "{offer.fallback}" from '
        f"{day(notice.due)} on.\nNothing will be deleted then, but nothing can be added where "
        "that plan has no room for it.\n",
    )


def ended(facts: AccountFacts, offer: Offer, after: Offer, excess: Sequence[Excess]) -> Letter:
    """The news that a plan has ended, and ``after`` followed.

    ``excess`` is what there is more of than is allowed now.
    """
    lines = [f"  {one.what}: {one.used:,} of {one.limit:,} {one.unit}\n" for one in excess]
    more = ["There is more now than this plan allows:\n\n", *lines, "\n"] if lines else []
    return Letter(
        f'Your plan "{offer.name}" has ended',
        f'The plan "{offer.name}" of the account {facts.address} was not paid and has ended.\n'
        f'The account has the plan "{after.name}" now.\n\n'
        + "".join(more)
        + "Nothing was deleted. Nothing can be added where this plan has no room for it.\n"
        "A payment gives the former plan back.\n",
    )
