"""Bodies of DAV requests: what is asked for in them. ``http.xml`` reads them."""

from __future__ import annotations

import copy
from typing import Final

from lxml import etree

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.http.xml import Element, children, text

#: Octets of a request's body: of most requests, and of those that list what they want.
MAX_BODY: Final = 1 << 20
MAX_LIST_BODY: Final = 10 << 20

#: Characters of the name of a property with its namespace, and of all that are asked for.
MAX_NAME: Final = 1_000
MAX_NAMES: Final = 20_000

_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"


def whole(found: Element) -> str:
    """An element with all that is in it and all the declarations that it needs, to be stored.

    The language in force is kept on it. # rfc4918#4.3
    """
    kept = copy.deepcopy(found)
    kept.tail = None
    if kept.get(_XML_LANG) is None:
        for above in found.iterancestors():
            language = above.get(_XML_LANG)
            if language is not None:
                kept.set(_XML_LANG, language)
                break
    written: str = etree.tostring(kept, encoding="unicode")
    return written


def prop_names(parent: Element | None, limit: int = 500) -> list[str]:
    """Names in a ``DAV:prop`` element, each once.

    Raises ``DavError`` 400 above ``limit``, ``MAX_NAME`` or ``MAX_NAMES``: each is answered for
    each member of a collection.
    """
    if parent is None:
        return []
    names = list(dict.fromkeys(str(found.tag) for found in children(parent)))
    if len(names) > limit:
        raise DavError(400, text="Too many properties are asked for.")
    lengths = [len(name) for name in names]
    if max(lengths, default=0) > MAX_NAME or sum(lengths) > MAX_NAMES:
        raise DavError(400, text="The names of properties are too long.")
    return names


def hrefs(parent: Element, limit: int) -> list[str]:
    """Texts of the ``DAV:href`` children. Raises ``DavError`` 400 above ``limit``."""
    name = dav("href")
    found = [text(entry).strip() for entry in children(parent) if entry.tag == name]
    if len(found) > limit:
        raise DavError(400, text="Too many resources are asked for.")
    return found
