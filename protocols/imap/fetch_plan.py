"""What a FETCH needs of the store and how it prints it, worked out once for a command.

An answer is one format with a getter for each item, so that a message costs little. An extension
adds an item that is printed from stored columns with ``row_item``; items that need the octets of
the message are in ``fetch_bodies``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from folkmoot.protocols.imap.encoder import literal, nstring
from folkmoot.protocols.imap.fetch_items import (
    BODY,
    BODYSTRUCTURE,
    ENVELOPE,
    FLAGS,
    INTERNALDATE,
    MODSEQ,
    RFC822_SIZE,
    UID,
    BinaryPart,
    BinarySize,
    BodySection,
    FetchItem,
    Preview,
)
from folkmoot.protocols.imap.view import print_flags
from folkmoot.storage.content.headers import header_fields, picker
from folkmoot.storage.types import MessageColumn, MessageRow

#: Octets of a stored header block from which on it may not be all of the header.
LONG_HEADER: Final = 64 * 1024

BodyItem = BodySection | BinaryPart | BinarySize | Preview
Getter = Callable[[MessageRow], Any]

_TWO_VALUES: Final = frozenset(
    {MessageColumn.FLAGS, MessageColumn.INTERNAL_DATE, MessageColumn.THREAD}
)


@dataclass(frozen=True, slots=True)
class RowItem:
    """How an item is printed from one stored column.

    ``form`` takes one value and is ``%d`` or ``%b`` with what stands around it. ``value`` makes it
    of the column's values (see ``FetchRows``); without, the column is the value.
    """

    column: MessageColumn
    form: bytes = b"%b"
    value: Callable[..., object] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A FETCH ready to be carried out.

    ``columns`` are read in this order; ``form`` takes what the ``getters`` make of a row and is
    empty when no item is printed from the row; ``bodies`` are the items that need the octets.
    ``header`` is the place of the header block in a row, ``preview`` that of a preview that must be
    made when it is not there; 0 when they are not read. ``flags_form`` is there when nothing but
    flags and UIDs is printed: a line that takes the number and then columns, 0 for UIDs and 1 for
    flags. ``word`` names the response: FETCH with
    message numbers, UIDFETCH with UIDs (RFC 9586 section 3.3).
    """

    columns: tuple[MessageColumn, ...]
    form: bytes
    getters: tuple[Getter, ...]
    bodies: tuple[BodyItem, ...]
    header: int
    preview: int
    word: bytes = b"FETCH"
    flags_form: tuple[str, tuple[int, ...]] | None = None


def render(plan: Plan, numbers: Mapping[int, int], rows: Iterable[MessageRow]) -> bytes:
    """The FETCH responses for rows of a plan without bodies; ``numbers`` by UID."""
    line = b"* %d " + plan.word + b" (" + plan.form + b")\r\n"
    getters = plan.getters
    return b"".join(
        [line % (numbers[row[0]], *[getter(row) for getter in getters]) for row in rows]
    )


def render_flags(
    plan: Plan, uids: Sequence[str], numbers: Iterable[int], flags: Sequence[str]
) -> bytes:
    """The responses of a plan with ``flags_form``, for flags as they are printed."""
    assert plan.flags_form is not None
    line, places = plan.flags_form
    columns = [numbers, *[(uids, flags)[place] for place in places]]
    return "".join([line % row for row in zip(*columns, strict=False)]).encode()


def head(plan: Plan, number: int, row: MessageRow) -> bytes:
    """The beginning of a FETCH response, up to where items from the octets follow."""
    form = b"* %d " + plan.word + b" (" + plan.form
    return form % (number, *[getter(row) for getter in plan.getters])


def make_plan(
    items: Sequence[FetchItem], *, with_bodies: bool = False, uid_only: bool = False
) -> Plan:
    """Work out what to read and to print.

    A header of the whole message and a preview are printed from their stored forms;
    ``with_bodies`` forbids that, for messages where these are not all of it.
    """
    bodies = tuple([item for item in items if isinstance(item, BodyItem)])
    if not with_bodies and all(map(_is_stored, bodies)):
        from_row, bodies = list(items), ()
    else:
        from_row = [item for item in items if not isinstance(item, BodyItem)]
    columns: dict[MessageColumn, int] = {}
    width = 1
    forms: list[bytes] = []
    getters: list[Getter] = []
    for item in from_row:
        label = item.label.replace(b"%", b"%%")  # field names may have it
        if item == UID:
            forms.append(b"%b %%d" % label)
            getters.append(itemgetter(0))
            continue
        entry = _row_item(item)
        if entry.column not in columns:
            columns[entry.column] = width
            width += 2 if entry.column in _TWO_VALUES else 1
        forms.append(b"%b %b" % (label, entry.form))
        getters.append(_getter(entry, columns[entry.column]))
    header = columns.get(MessageColumn.HEADER, 0)
    needed = any(isinstance(item, Preview) and not item.lazy for item in from_row)
    preview = columns[MessageColumn.PREVIEW] if needed else 0
    word = b"UIDFETCH" if uid_only else b"FETCH"
    flags_form = None
    if not bodies and set(items) <= {UID, FLAGS} and FLAGS in items:
        form = " ".join("UID %s" if item == UID else "FLAGS %s" for item in items)
        line = f"* %d {word.decode()} ({form})\r\n"
        flags_form = line, tuple([0 if item == UID else 1 for item in items])
    printed = b" ".join(forms)
    return Plan(tuple(columns), printed, tuple(getters), bodies, header, preview, word, flags_form)


def _getter(item: RowItem, place: int) -> Getter:
    value = item.value
    if value is None:
        return itemgetter(place)
    if item.column in _TWO_VALUES:
        # A slice would cost more than naming both.
        return lambda row: value(row[place], row[place + 1])
    return lambda row: value(row[place])


# --- items ----------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 14)
def _day(day: int, zone: int) -> tuple[bytes, bytes]:
    """The beginning and the end of a date-time; ``day`` counts from 1970, ``zone`` is minutes."""
    moment = date.fromordinal(day + 719_163)
    hours, minutes = divmod(abs(zone), 60)
    month = b"JanFebMarAprMayJunJulAugSepOctNovDec"[moment.month * 3 - 3 : moment.month * 3]
    begin = b'"%2d-%b-%04d ' % (moment.day, month, moment.year)
    return begin, b' %b%02d%02d"' % (b"-" if zone < 0 else b"+", hours, minutes)


_MINUTES: Final = [b"%02d:%02d:" % divmod(minute, 60) for minute in range(24 * 60)]
_SECONDS: Final = [b"%02d" % second for second in range(60)]


def internal_date(seconds: int, zone: int) -> bytes:
    """INTERNALDATE of seconds since 1970 UTC and minutes east of UTC, with quotes."""
    day, rest = divmod(seconds + zone * 60, 86_400)
    begin, end = _day(day, zone)
    minute, second = divmod(rest, 60)
    return begin + _MINUTES[minute] + _SECONDS[second] + end


_ROW_ITEMS: Final[dict[FetchItem, RowItem]] = {
    FLAGS: RowItem(MessageColumn.FLAGS, b"%b", lru_cache(maxsize=1 << 9)(print_flags)),
    INTERNALDATE: RowItem(MessageColumn.INTERNAL_DATE, b"%b", internal_date),
    RFC822_SIZE: RowItem(MessageColumn.SIZE, b"%d"),
    MODSEQ: RowItem(MessageColumn.MODSEQ, b"(%d)"),
    ENVELOPE: RowItem(MessageColumn.ENVELOPE),
    BODY: RowItem(MessageColumn.BODY),
    BODYSTRUCTURE: RowItem(MessageColumn.BODYSTRUCTURE),
}


def row_item(item: FetchItem, entry: RowItem) -> None:
    """Say how an item of an extension is printed from a stored column."""
    if item in _ROW_ITEMS:
        raise ValueError(f"fetch item {item.label!r} is known already")
    _ROW_ITEMS[item] = entry


def _row_item(item: FetchItem) -> RowItem:
    if isinstance(item, BodySection):
        return RowItem(MessageColumn.HEADER, b"%b", _header_value(item))
    if isinstance(item, Preview):
        return RowItem(MessageColumn.PREVIEW, b"%b", preview_value)
    return _ROW_ITEMS[item]


def _is_stored(item: BodyItem) -> bool:
    if isinstance(item, BodySection):
        return not item.path and item.text.startswith("HEADER")
    return isinstance(item, Preview)


def preview_value(preview: str | None) -> bytes:
    """A preview as it is printed; NIL for none (RFC 8970 section 3.2)."""
    return nstring(None if preview is None else preview.encode())


def _header_value(item: BodySection) -> Callable[[bytes], bytes]:
    if not item.fields or item.partial is not None:
        return lambda header: literal(window(pick(item, header), item.partial))
    fields = picker(*_names(item))

    def value(header: bytes) -> bytes:
        # The same for the most frequent case, done once for each message of a list.
        data = without_nul(fields(header))
        return b"{%d}\r\n%b" % (len(data), data)

    return value


def pick(item: BodySection, header: bytes) -> bytes:
    """What a HEADER section says of a header block, as a literal can hold it."""
    if item.fields:
        names, inverse = _names(item)
        header = header_fields(header, names, inverse=inverse)
    return without_nul(header)


@lru_cache(maxsize=64)
def _names(item: BodySection) -> tuple[frozenset[bytes], bool]:
    names = frozenset([name.lower() for name in item.fields])
    return names, item.text == "HEADER.FIELDS.NOT"


def without_nul(data: bytes) -> bytes:
    """Octets as a literal can hold them, of the same length.

    A literal holds any octet but NUL. Putting 0x80 in its place keeps all sizes and offsets true;
    BINARY gives such messages as they are. # rfc9051#4.3
    """
    return data.replace(b"\0", b"\x80")


def window(data: bytes, partial: tuple[int, int] | None) -> bytes:
    """The part of a section that ``<first.count>`` names; empty behind its end."""
    if partial is None:
        return data
    first, number = partial
    return data[first : first + number]
