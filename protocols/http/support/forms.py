"""Pages with forms: what they are sent with, and what comes back. They work without scripts."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.pages import STYLE_SOURCE, document

MAX_FORM: Final = 128 * 1024  # octets; the longest message to support has some 60 KB
_MAX_FIELDS: Final = 40
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src {STYLE_SOURCE}; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not "no-referrer": browsers would say "null" instead of where a form comes from.
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)

Pairs = Iterable[tuple[str, str]]


class Form:
    """What was filled in: text without the spaces around it."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """The first value of a field; "" without."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """The same as it was typed (passwords)."""
        return next(iter(self._values.get(name, ())), "")

    def all(self, name: str) -> Sequence[str]:
        """All values of a field."""
        return self._values.get(name, ())

    def number(self, name: str) -> int:
        """A number; 0 for what is none."""
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


async def read_form(exchange: Exchange) -> Form:
    """What a browser sends from one of these pages.

    Raises ``Refused`` for what comes from pages of others, and for what is no form; ``TooLarge``.
    """
    check_origin(exchange)
    kind = (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise Refused(415)
    body = await exchange.read_body(MAX_FORM)
    try:
        values = parse_qs(body.decode("ascii"), max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, "This form cannot be read.") from None
    return Form(values)


def check_origin(exchange: Exchange) -> None:
    """Refuse forms of other sites, as far as the browser says where they are from.

    Raises ``Refused``.
    """
    site = exchange.header("Sec-Fetch-Site")
    origin = exchange.header("Origin")
    foreign = site is not None and site not in ("same-origin", "none")
    if origin is not None and urlsplit(origin).netloc.lower() != exchange.host.lower():
        foreign = True
    if foreign:
        raise Refused(403, "This form was sent from a page of another site.")


async def answer(
    exchange: Exchange, status: int, title: str, content: str, fields: Pairs = ()
) -> None:
    """A page that nobody keeps, frames, or adds to."""
    await exchange.respond(status, [*_FIELDS, *fields], document(title, content))


async def lead_to(exchange: Exchange, path: str, fields: Pairs = ()) -> None:
    """What follows a form: the page to look at, which can be loaded again."""
    await exchange.respond(303, [("Location", path), ("Cache-Control", "no-store"), *fields])


def paragraph(text: str, *, strong: bool = False) -> str:
    """Text as HTML."""
    escaped = html.escape(text)
    return f"<p><strong>{escaped}</strong></p>" if strong else f"<p>{escaped}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are finished HTML."""
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def field(label: str, name: str, kind: str = "text", **attributes: str) -> str:
    """A labelled field; ``attributes`` with ``_`` for ``-``, "" for those without a value."""
    more = "".join(
        f" {key.replace('_', '-')}" + (f'="{html.escape(value)}"' if value else "")
        for key, value in attributes.items()
    )
    return (
        f"<p><label>{html.escape(label)}<br>"
        f'<input type="{kind}" name="{html.escape(name)}"{more}></label></p>'
    )


def text_area(label: str, name: str, longest: int) -> str:
    """A labelled field for several lines."""
    return (
        f"<p><label>{html.escape(label)}<br>"
        f'<textarea name="{html.escape(name)}" rows="6" cols="60" maxlength="{longest}">'
        "</textarea></label></p>"
    )


def password_field() -> str:
    """The field of somebody's own password."""
    return field("Password", "password", "password", required="", autocomplete="current-password")


def boxes(name: str, choices: Mapping[str, str], checked: Iterable[str] = ()) -> str:
    """Boxes to tick."""
    ticked = set(checked)
    found = [
        f'<label><input type="checkbox" name="{html.escape(name)}" value="{html.escape(value)}"'
        f"{' checked' if value in ticked else ''}> {html.escape(label)}</label><br>"
        for value, label in choices.items()
    ]
    return f"<p>{''.join(found)}</p>"


def choice(label: str, name: str, choices: Mapping[str, str]) -> str:
    """One of several; the first unless another one is chosen."""
    options = "".join(
        f'<option value="{html.escape(value)}">{html.escape(text)}</option>'
        for value, text in choices.items()
    )
    return (
        f"<p><label>{html.escape(label)}<br>"
        f'<select name="{html.escape(name)}">{options}</select></label></p>'
    )


def form(action: str, content: str, button: str, token: str = "") -> str:
    """A form; ``token`` proves that it is from a page of the session."""
    hidden = f'<input type="hidden" name="token" value="{token}">' if token else ""
    return (
        f'<form method="post" action="{html.escape(action)}">{hidden}{content}'
        f"<p><button>{html.escape(button)}</button></p></form>"
    )


def moment(seconds: int, zone: ZoneInfo) -> str:
    """When, to the second."""
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M:%S %Z}"
