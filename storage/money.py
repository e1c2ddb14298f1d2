"""Amounts of money: whole numbers of a currency's smallest unit, and how people write them."""

from __future__ import annotations

import re

from folkmoot.storage.errors import InvalidName

MAX_AMOUNT = 10**15  # smallest units; sums of many of them still fit into 64 bits
_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"([+-]?)(\d{1,15})(?:\.(\d{1,8}))?", re.ASCII)
# ISO 4217 by the number of digits behind the point, where that is not two; and Bitcoin.
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    8: "BTC",
}


def currency_code(text: str) -> str:
    """A currency as three letters (EUR). Raises ``InvalidName``."""
    code = text.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise InvalidName("A currency is three letters, such as EUR.")
    return code


def digits_of(currency: str) -> int:
    """How many digits stand behind the point."""
    return next((digits for digits, codes in _DIGITS.items() if currency in codes), 2)


def parse_amount(text: str, currency: str) -> int:
    """Smallest units of what people write ("12.50", "-3"). Raises ``InvalidName``."""
    digits = digits_of(currency)
    match = _AMOUNT.fullmatch(text.strip())
    behind = (match[3] or "").rstrip("0") if match else ""
    if match is None or len(behind) > digits:
        example = "1234" if digits == 0 else f"1234.{'5'.ljust(digits, '0')}"
        raise InvalidName(f"An amount of {currency} is written like {example}.")
    units: int = int(match[2]) * 10**digits + int(behind.ljust(digits, "0") or "0")
    if units > MAX_AMOUNT:
        raise InvalidName("The amount is too large.")
    return -units if match[1] == "-" else units


def show_amount(units: int, currency: str) -> str:
    """An amount with its currency: ``12.50 EUR``."""
    digits = digits_of(currency)
    sign, units = "-" if units < 0 else "", abs(units)
    if digits == 0:
        return f"{sign}{units} {currency}"
    return f"{sign}{units // 10**digits}.{units % 10**digits:0{digits}} {currency}"
