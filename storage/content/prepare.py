"""Everything that is computed from a message once, before its transaction."""

from __future__ import annotations

from folkmoot.storage.blobs.fs import FileBlobs, Spool, digest
from folkmoot.storage.content.mime import MessageIndex, index_message
from folkmoot.storage.content.preview import preview_text
from folkmoot.storage.content.sortkeys import keys_of
from folkmoot.storage.content.source import BytesSource, FileSource
from folkmoot.storage.types import Content

# Octets of a header block that are stored beside the message. What some hostile message has
# beyond them is read from the body when it is asked for.
HEADER_LIMIT = 256 * 1024


def prepare(data: bytes) -> Content:
    """Content of a message that is small enough to live in the database."""
    source = BytesSource(data)
    index = index_message(source)
    header = data[: min(index.header_size, HEADER_LIMIT)]
    preview = preview_text(source, index.parts, index.entities)
    return _content(index, header, preview, digest(data), data, None)


def prepare_spooled(blobs: FileBlobs, spool: Spool) -> Content:
    """Content of a spooled message; its file is durable when this returns.

    Raises OSError when the disk is full. A crash before the row is committed leaves a file that
    the sweeper removes.
    """
    name, hashed = spool.keep()
    with open(blobs.path(name), "rb") as file:
        source = FileSource(file.fileno())
        index = index_message(source)
        header = source.read(0, min(index.header_size, HEADER_LIMIT))
        preview = preview_text(source, index.parts, index.entities)
    return _content(index, header, preview, hashed, None, name)


def _content(
    index: MessageIndex,
    header: bytes,
    preview: str,
    hashed: bytes,
    data: bytes | None,
    file: str | None,
) -> Content:
    return Content(
        digest=hashed,
        size=index.size,
        data=data,
        file=file,
        envelope=index.envelope,
        body=index.body,
        bodystructure=index.bodystructure,
        header=header,
        parts=index.parts.to_bytes(),
        preview=preview,
        keys=keys_of(index.entities[0].fields),
    )
