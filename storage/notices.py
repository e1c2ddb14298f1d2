"""What the server writes to somebody whose plan has become too small for what is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid

from folkmoot.storage.addresses import split_address
from folkmoot.storage.mutations.notices import DeliverNotice
from folkmoot.storage.store import Store
from folkmoot.storage.types import FlagSet, NewMessage
from folkmoot.storage.types_accounts import Excess


def excess_notice(
    store: Store, account_id: int, address: str, excess: Sequence[Excess]
) -> DeliverNotice:
    """The mutation that tells somebody what is above the limits of a plan."""
    content = store.prepare(_message(address, excess))
    return DeliverNotice(account_id, NewMessage(content, FlagSet(), datetime.now().astimezone()))


def _message(address: str, excess: Sequence[Excess]) -> bytes:
    domain = split_address(address)[1]
    lines = [f"  {one.what}: {one.used:,} of {one.limit:,} {one.unit}" for one in excess]
    message = EmailMessage(policy=SMTP if address.isascii() else SMTPUTF8)
    message["From"] = f"postmaster@{domain}"
    message["To"] = address
    message["Subject"] = "Your plan has less room than you use"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # rfc3834#5
    message.set_content(
        f"The plan of the account {address} has changed. There is more now than it allows:\n\n"
        + "\n".join(lines)
        + "\n\nNothing was deleted, and all of it can be used as before. Nothing can be added there"
        " until\nthere is room again: remove something, or take a larger plan.\n",
        cte="8bit" if not address.isascii() else "quoted-printable",
    )
    return message.as_bytes()
