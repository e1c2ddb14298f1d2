"""The index of a message: what IMAP prints about it, computed once when it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.storage.content.scanner import Entity, scan
from folkmoot.storage.content.sections import Part, PartTable
from folkmoot.storage.content.source import BytesSource, Source
from folkmoot.storage.content.wireforms import envelope, structure

# A message up to this size is read once; a larger one is searched where it lies.
_IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class MessageIndex:
    """What is stored beside a message.

    `size` and `header_size` (through the empty line) are octets; `envelope`, `body` and
    `bodystructure` are the parenthesised forms of RFC 9051 section 7.5.2, literals included.
    `entities` is what the scan found, in the order of `parts`; it is not stored, and saves those
    who compute more of the message from reading its headers again.
    """

    size: int
    header_size: int
    envelope: bytes
    body: bytes
    bodystructure: bytes
    parts: PartTable
    entities: tuple[Entity, ...]


def index_message(source: Source) -> MessageIndex:
    """Compute the index of a message. Any octets have one; lines end in CRLF or in bare LF.

    Beyond the limits of `scanner` the rest of a message is opaque content of the part that it
    is in. Raises OSError if the source cannot be read.
    """
    if source.size <= _IN_MEMORY:
        source = BytesSource(source.read(0, source.size))
    entities = scan(source)
    root = entities[0]
    forms = structure(source, entities)
    return MessageIndex(
        size=source.size,
        header_size=root.body_start,
        envelope=envelope(root.fields),
        body=forms.body,
        bodystructure=forms.bodystructure,
        parts=PartTable(tuple([_part(entity) for entity in entities])),
        entities=tuple(entities),
    )


def _part(entity: Entity) -> Part:
    return Part(
        header_offset=entity.header_start,
        header_length=entity.body_start - entity.header_start,
        body_length=entity.body_end - entity.body_start,
        parent=entity.parent,
        kind=entity.kind,
        encoding=entity.encoding,
    )
