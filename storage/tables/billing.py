"""Credit, paid periods, payments with their receipts, and warnings with dates."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from folkmoot.storage.tables.metadata import Id, metadata

credits = Table(
    "credits",  # what a domain or an account has paid in advance
    metadata,
    Column("holder_kind", Text, nullable=False),  # domain, account
    Column("holder_id", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),  # in the smallest unit of the currency
    PrimaryKeyConstraint("holder_kind", "holder_id"),
    sqlite_with_rowid=False,
)

credit_entries = Table(
    "credit_entries",  # how each credit came to be what it is; the sum is its amount
    metadata,
    Column("id", Id, primary_key=True),
    Column("holder_kind", Text, nullable=False),
    Column("holder_id", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("payment_id", BigInteger, nullable=True),
    Column("period_id", BigInteger, nullable=True),
    Column("note", Text, nullable=False),
    Index("ix_credit_entries_holder", "holder_kind", "holder_id"),
    sqlite_autoincrement=True,
)

periods = Table(
    "periods",  # for which a plan was paid
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("plan", Text, nullable=False),
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("paid_by", Text, nullable=False),  # whose credit: account, domain
    Column("created", BigInteger, nullable=False),
    # No period is paid twice, however often the job runs.
    UniqueConstraint("account_id", "starts"),
    sqlite_autoincrement=True,
)

payments = Table(
    "payments",  # each with its receipt; they outlive accounts and domains
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", Text, nullable=False, unique=True),  # of the receipt: 2026-000001
    Column("created", BigInteger, nullable=False),
    Column("source", Text, nullable=False),  # manual, stripe, btcpay
    Column("reference", Text, nullable=False),
    Column("payer", Text, nullable=False),  # address of an account, or name of a domain
    Column("payer_name", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    # Who received the money, as it was then: a receipt does not change.
    Column("issuer", Text, nullable=False),
    Column("mailed", BigInteger, nullable=True),  # when the receipt went to the payer
    # A payment that a provider tells of more than once is counted once.
    UniqueConstraint("source", "reference"),
    Index(
        "ix_payments_unmailed",
        "id",
        sqlite_where=text("mailed IS NULL"),
        postgresql_where=text("mailed IS NULL"),
    ),
    sqlite_autoincrement=True,
)

receipt_series = Table(
    "receipt_series",  # the last number of each year
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)

notices = Table(
    "notices",  # what an account was warned of, and when that happens
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),  # inactive, unpaid
    Column("plan", Text, nullable=False),
    # What it is about: the last use, or the end of the paid period. Another one: it is void.
    Column("basis", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("step", Integer, nullable=False),  # days before, of the last warning
    Column("warned", BigInteger, nullable=False),  # when that was
    Column("acted", BigInteger, nullable=True),  # when it was disabled, or the plan ended
    PrimaryKeyConstraint("account_id", "kind"),
    sqlite_with_rowid=False,
)
