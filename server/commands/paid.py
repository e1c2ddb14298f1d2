"""What ``folkmoot account`` and ``plan`` say about money and disuse."""

from __future__ import annotations

from datetime import UTC, datetime

from folkmoot.quota.letters import day
from folkmoot.quota.offers import DAY, Offer
from folkmoot.storage.money import show_amount
from folkmoot.storage.types_billing import AccountBilling


def paid_lines(billing: AccountBilling, offer: Offer | None) -> dict[str, str]:
    """For people; ``offer`` is the plan, None where the directory file does not have it."""
    lines = {"Paid": _paid(billing, offer)}
    if billing.credit is not None and billing.credit.amount:
        lines["Credit"] = show_amount(billing.credit.amount, billing.credit.currency)
    notice = billing.inactive
    if notice is not None and notice.acted is None:
        lines["Unused"] = f"will be disabled on {day(notice.due)}"
    elif notice is not None and notice.acted is not None:
        after = f", will be deleted on {day(_deletion(notice.acted, offer))}" if offer else ""
        lines["Unused"] = f"disabled on {day(notice.acted)}{after}"
    return lines


def price_of(offer: Offer) -> str:
    """What a plan costs, for people."""
    if not offer.price:
        return "free"
    return f"{show_amount(offer.price, offer.currency)} for a {_period(offer)}"


def plain_offer(offer: Offer) -> dict[str, object]:
    """What a plan costs, and how long it may lie unused, for scripts."""
    return {
        "price": offer.price,
        "currency": offer.currency or None,
        "period": _period(offer) if offer.price else None,
        "fallback": offer.fallback or None,
        "inactive_after": offer.inactive_after,
        "delete_after": offer.delete_after,
    }


def _paid(billing: AccountBilling, offer: Offer | None) -> str:
    if offer is None:
        return "the plan is not in the directory file"
    if not offer.price:
        ended = f'; "{billing.ended_plan}" was not paid' if billing.ended_plan else ""
        return f"free{ended}"
    price = price_of(offer)
    if _running(billing):
        text = f"until {billing.paid_until:%Y-%m-%d}, then {price}"
    else:
        text = f"not yet, {price}"
    return text + (f"; ends unpaid on {day(billing.unpaid.due)}" if billing.unpaid else "")


def plain_paid(billing: AccountBilling, offer: Offer | None) -> dict[str, object]:
    """For scripts. Amounts are in the smallest unit of the currency, times in ISO 8601."""
    credit, notice = billing.credit, billing.inactive
    running = _running(billing)
    disabled = notice.acted if notice is not None else None
    return {
        "free": offer.price == 0 if offer is not None else None,
        "paid_until": billing.paid_until.isoformat() if billing.paid_until else None,
        "paid_by": billing.paid_by or None,
        "next_renewal": (
            billing.paid_until.isoformat()
            if billing.paid_until and running and offer is not None and offer.price
            else None
        ),
        "price": offer.price if offer is not None else None,
        "currency": (offer.currency or None) if offer is not None else None,
        "period": _period(offer) if offer is not None and offer.price else None,
        "credit": {"amount": credit.amount, "currency": credit.currency} if credit else None,
        "ends_unpaid": _time(billing.unpaid.due) if billing.unpaid else None,
        "ended_plan": billing.ended_plan or None,
        "disabled_unused": _time(disabled or notice.due) if notice is not None else None,
        "deleted_unused": (
            _time(_deletion(disabled, offer)) if disabled is not None and offer else None
        ),
    }


def _running(billing: AccountBilling) -> bool:
    return billing.paid_until is not None and billing.paid_until > datetime.now(UTC)


def _deletion(disabled: int, offer: Offer) -> int:
    return disabled + offer.delete_after * DAY


def _period(offer: Offer) -> str:
    return "month" if offer.months == 1 else "year"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
