"""From the config to what payments, receipts and the daily job take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from folkmoot.config.directory import Directory, PlanSection, is_paid
from folkmoot.config.schema import Config
from folkmoot.quota.btcpay import BtcPay
from folkmoot.quota.letters import Office
from folkmoot.quota.offers import Offer, Offers
from folkmoot.quota.payments import Payments
from folkmoot.quota.stripe import Stripe
from folkmoot.quota.webhooks import Adapter
from folkmoot.server.directory_apply import plan_of
from folkmoot.server.settings import read_secret
from folkmoot.storage.money import parse_amount
from folkmoot.storage.store import Store
from folkmoot.storage.types_accounts import AccountUpdate

_MONTHS = {"month": 1, "year": 12}


def offers(directory: Directory) -> dict[str, Offer]:
    """All plans by name, with what they cost."""
    return {name: _offer(name, plan) for name, plan in directory.plans().items()}


def _offer(name: str, plan: PlanSection) -> Offer:
    given = plan_of(name, plan)
    paid = is_paid(plan) and plan.currency is not None
    return Offer(
        name=name,
        price=parse_amount(plan.price, plan.currency) if paid and plan.currency else 0,
        currency=plan.currency or "",
        months=_MONTHS[plan.period],
        inactive_after=plan.inactive_after,
        delete_after=plan.delete_after,
        fallback=plan.fallback if paid else "",
        update=AccountUpdate(plan=name, limits=given.limits, terms=given.terms),
    )


def office(config: Config) -> Office:
    """In whose name letters and receipts are written."""
    hostname = config.server.hostname
    return Office(
        hostname,
        config.billing.sender or f"postmaster@{hostname}",
        "\n".join(config.billing.issuer) or hostname,
    )


def adapters(config: Config) -> tuple[Adapter, ...]:
    """The payment providers whose secrets are known. Raises ``StartFailed``."""
    billing = config.billing
    stripe = _secret(billing.stripe_secret, billing.stripe_secret_file)
    btcpay = _secret(billing.btcpay_secret, billing.btcpay_secret_file)
    found: list[Adapter] = []
    if stripe:
        found.append(Stripe(stripe))
    if btcpay:
        found.append(BtcPay(btcpay))
    return tuple(found)


def payments(
    store: Store,
    plans: Callable[[], Offers],
    config: Config,
    *,
    adapters: tuple[Adapter, ...] = (),
    reason: str,
) -> Payments:
    """Payments of a store; ``reason`` stands in the audit trail."""
    return Payments(store, plans, office(config), adapters=adapters, reason=reason)


def _secret(given: str | None, file: Path | None) -> str:
    return read_secret(file) if file is not None else given or ""
