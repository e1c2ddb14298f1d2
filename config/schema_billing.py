"""The part of the config file that is about payments and receipts."""

# ruff: noqa: RUF009 - key() returns dataclass fields

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from folkmoot.config.fields import key
from folkmoot.config.kinds import email, list_of, path, text

_SECRET = text("secret", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingSection:
    """Payments, receipts, and the mail about them."""

    issuer: tuple[str, ...] = key(
        list_of(text("line of text")),
        "Who receives the money: the lines that stand at the top of receipts, with name, address "
        "and what tax law asks for.",
        default=(),
        example=("Example Ltd", "Main Street 1, 12345 Example", "VAT ID XX123456789"),
    )
    sender: str | None = key(
        email(),
        "The sender of warnings and receipts. Without it: postmaster at the host name.",
        default=None,
        example="office@example.org",
    )
    stripe_secret: str | None = key(
        _SECRET,
        "The signing secret of the Stripe webhook that is sent to /hooks/stripe. Without it, "
        "there is none.",
        default=None,
        example="whsec_...",
    )
    stripe_secret_file: Path | None = key(
        path(),
        "A file whose first line is that secret, instead of `stripe_secret`.",
        default=None,
        example=Path("stripe-secret"),
    )
    btcpay_secret: str | None = key(
        _SECRET,
        "The secret of the BTCPay Server webhook that is sent to /hooks/btcpay. Without it, "
        "there is none.",
        default=None,
        example="secret",
    )
    btcpay_secret_file: Path | None = key(
        path(),
        "A file whose first line is that secret, instead of `btcpay_secret`.",
        default=None,
        example=Path("btcpay-secret"),
    )
