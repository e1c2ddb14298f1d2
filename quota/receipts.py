"""Receipts of payments, as text and PDF, and their way to the payer."""

from __future__ import annotations

from functools import partial
from importlib.resources import as_file, files
from typing import Final

from fpdf import FPDF

from folkmoot.quota import letters
from folkmoot.quota.letters import Letter, Office
from folkmoot.storage.money import show_amount
from folkmoot.storage.mutations.billing import MarkMailed
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor
from folkmoot.storage.types_billing import Payment
from folkmoot.storage.views.billing import UnmailedReceipts

_ACTOR = Actor.system("receipts")
_SOURCES: Final = {"manual": "recorded by hand", "stripe": "Stripe", "btcpay": "BTCPay Server"}
_FONT = "DejaVu"


def receipt_lines(payment: Payment) -> list[tuple[str, str]]:
    """What a receipt says, as titles and values."""
    payer = f"{payment.payer_name} <{payment.payer}>" if payment.payer_name else payment.payer
    what = "account" if "@" in payment.payer else "domain"
    return [
        ("Number", payment.number),
        ("Date", f"{payment.created:%Y-%m-%d}"),
        ("Received from", payer),
        ("For", f"plan or credit of the {what} {payment.payer}"),
        ("Paid by", f"{_SOURCES.get(payment.source, payment.source)}, {payment.reference}"),
        ("Amount", show_amount(payment.amount, payment.currency)),
    ]


def receipt_text(payment: Payment) -> str:
    """A receipt to be read in a terminal or a mail."""
    lines = [f"{title + ':':<16}{value}" for title, value in receipt_lines(payment)]
    return "\n".join([f"RECEIPT {payment.number}", "", payment.issuer, "", *lines, ""])


def receipt_pdf(payment: Payment) -> bytes:
    """A receipt on one page A4, or more where texts are long. The same octets each time."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(payment.created)
    pdf.set_title(f"Receipt {payment.number}")
    with as_file(files(__package__) / "DejaVuSans.ttf") as font:
        pdf.add_font(_FONT, fname=font)
    pdf.add_page()
    pdf.set_margins(25, 25)
    pdf.set_font(_FONT, size=10)
    pdf.multi_cell(0, 5, payment.issuer, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(15)
    pdf.set_font(_FONT, size=16)
    pdf.cell(0, 10, f"Receipt {payment.number}", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(5)
    pdf.set_font(_FONT, size=11)
    for title, value in receipt_lines(payment):
        pdf.cell(45, 7, title)
        pdf.multi_cell(0, 7, value, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def send_receipts(store: Store, office: Office, now: int) -> int:
    """Send the receipts that were not sent yet, each once; how many. Blocks.

    The mark and the mail are one transaction: a run that is killed sends nothing twice.
    """
    sent = 0
    while waiting := store.call_read(_ACTOR, "receipts", lambda txn: txn.view(UnmailedReceipts())):
        for payment, readers in waiting:
            letter = Letter(
                f"Receipt {payment.number}",
                f"Thank you for your payment.\n\n{receipt_text(payment)}",
                (f"receipt-{payment.number}.pdf", receipt_pdf(payment)),
            )
            work = partial(_send, store, office, payment, readers, letter, now)
            sent += store.call(_ACTOR, f"receipt {payment.number}", work)
    return sent


def _send(
    store: Store,
    office: Office,
    payment: Payment,
    readers: tuple[tuple[int, str], ...],
    letter: Letter,
    now: int,
    txn: Txn,
) -> bool:
    marked = txn.apply(MarkMailed(payment.id, now))
    if marked:
        for account_id, address in readers:
            letters.post(txn, store, office, account_id, address, letter)
    return marked
