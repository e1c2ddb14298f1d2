"""Domains, accounts, groups, their spaces, addresses and app passwords."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from folkmoot.storage.tables.metadata import Id, metadata

settings = Table(
    "settings",  # facts of this store: its id, its secrets
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

spaces = Table(
    "spaces",
    metadata,
    Column("id", Id, primary_key=True),
    # The account that owns the space, set right after the account's row exists; 0: a group does.
    Column("owner_account_id", BigInteger, nullable=False, index=True),
    sqlite_autoincrement=True,
)

domains = Table(
    "domains",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("catchall_account_id", BigInteger, nullable=True),
    Column("created", BigInteger, nullable=False),
    # Plans that administrators of the domain may give, one a line.
    Column("plans", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False),
    Column("domain_id", BigInteger, ForeignKey("domains.id"), nullable=False, index=True),
    Column("address", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("scram", Text, nullable=True),
    Column("state", Text, nullable=False),
    # Raised when the password changes or the account is disabled: older sessions are refused.
    Column("epoch", BigInteger, nullable=False),
    Column("plan", Text, nullable=False),
    Column("domain_admin", SmallInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("last_used", BigInteger, nullable=True),
    # IMAP capabilities that bad clients of this person must not see, separated by spaces.
    Column("hidden_capabilities", Text, nullable=False, server_default=""),
    # Groups that the person may administer, and members of each; NULL: any number.
    Column("group_limit", BigInteger, nullable=True),
    Column("member_limit", BigInteger, nullable=True),
    # Recipients on other servers in a day; NULL: any number.
    Column("mail_per_day", BigInteger, nullable=True),
    # Features that the plan does not have, separated by spaces.
    Column("withheld", Text, nullable=False, server_default=""),
    # The hash of a code with which the person may choose a password, and until when.
    Column("reset_secret", Text, nullable=True),
    Column("reset_until", BigInteger, nullable=True),
    # 0: the person may not let support into the account.
    Column("may_grant", SmallInteger, nullable=False, server_default="1"),
    sqlite_autoincrement=True,
)

groups = Table(
    "groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False, unique=True),
    Column("domain_id", BigInteger, ForeignKey("domains.id"), nullable=False),
    Column("address", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("admin_account_id", BigInteger, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    # Who may write to the address: anyone, members, or writers (members who may post).
    Column("posting", Text, nullable=False, server_default="anyone"),
    # The tools that the group uses, separated by spaces.
    Column("tools", Text, nullable=False, server_default="mail calendar contacts documents"),
    sqlite_autoincrement=True,
)

members = Table(
    "members",  # of groups, the administrator among them
    metadata,
    Column("group_id", BigInteger, ForeignKey("groups.id"), nullable=False),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False, index=True),
    # What a member may do in each tool beyond what all members may: bits of Right.
    Column("mail", BigInteger, nullable=False),
    Column("calendar", BigInteger, nullable=False),
    Column("contacts", BigInteger, nullable=False),
    Column("documents", BigInteger, nullable=False),
    Column("joined", BigInteger, nullable=False),
    # 1: mail to the group goes to the member's own INBOX as well.
    Column("forward", SmallInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("group_id", "account_id"),
    sqlite_with_rowid=False,
)

addresses = Table(
    "addresses",  # every address that reaches an account or a group, the primary one among them
    metadata,
    Column("address", Text, primary_key=True),
    # One of the two.
    Column(
        "account_id",
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=True,
        index=True,
    ),
    Column("group_id", BigInteger, ForeignKey("groups.id"), nullable=True, index=True),
)

app_passwords = Table(
    "app_passwords",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "account_id",
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("name", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("protocols", Text, nullable=False),  # separated by spaces; empty: all
    Column("created", BigInteger, nullable=False),
    Column("last_used", BigInteger, nullable=True),
    UniqueConstraint("account_id", "name"),
    sqlite_autoincrement=True,
)
