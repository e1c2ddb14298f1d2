"""XML namespaces, their one fixed prefix each, and names in Clark notation: ``{DAV:}href``."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

DAV: Final = "DAV:"
CALDAV: Final = "urn:ietf:params:xml:ns:caldav"
CARDDAV: Final = "urn:ietf:params:xml:ns:carddav"
CALENDARSERVER: Final = "http://calendarserver.org/ns/"
APPLE: Final = "http://apple.com/ns/ical/"
OWNCLOUD: Final = "http://owncloud.org/ns"
WIN32: Final = "urn:schemas-microsoft-com:"

# Windows' redirector finds nothing in answers where DAV: has another prefix than "D".
PREFIXES: Final = {
    DAV: "D",
    CALDAV: "C",
    CARDDAV: "R",
    CALENDARSERVER: "S",
    APPLE: "I",
    OWNCLOUD: "O",
    WIN32: "Z",
}
XML: Final = "http://www.w3.org/XML/1998/namespace"  # which has its prefix from the beginning
#: Declarations of all prefixes, for the root element of an answer.
DECLARATIONS: Final = "".join(
    f' xmlns:{prefix}="{namespace}"' for namespace, prefix in PREFIXES.items()
)


def dav(name: str) -> str:
    """A name in the namespace ``DAV:``."""
    return f"{{{DAV}}}{name}"


def split(name: str) -> tuple[str, str]:
    """Namespace ("" for none) and local name of a name in Clark notation."""
    if name.startswith("{"):
        namespace, _, local = name[1:].rpartition("}")
        return namespace, local
    return "", name


# Longer ones are nobody's but a client's, and would fill the memory.
_REMEMBERED = 200


def opening(name: str) -> tuple[str, str]:
    """The tag as it is written: (what stands in the opening tag, what in the closing one)."""
    return _known_opening(name) if len(name) <= _REMEMBERED else _opening(name)


@lru_cache(maxsize=1024)
def _known_opening(name: str) -> tuple[str, str]:
    return _opening(name)


def _opening(name: str) -> tuple[str, str]:
    namespace, local = split(name)
    prefix = "xml" if namespace == XML else PREFIXES.get(namespace)
    if prefix is not None:
        return f"{prefix}:{local}", f"{prefix}:{local}"
    if not namespace:
        return f'{local} xmlns=""', local
    return f'x:{local} xmlns:x="{escape(namespace)}"', f"x:{local}"


def escape(text: str) -> str:
    """Text for use in content and in attribute values with double quotes."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text.replace('"', "&quot;") if '"' in text else text


def element(name: str, content: str = "") -> str:
    """An element with finished XML as content."""
    start, end = opening(name)
    return f"<{start}>{content}</{end}>" if content else f"<{start}/>"


def text_element(name: str, text: str) -> str:
    """An element with text as content."""
    return element(name, escape(printable(text)))


def printable(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold."""
    return text if text.isprintable() else "".join(filter(_in_xml, text))


def _in_xml(char: str) -> bool:
    # https://www.w3.org/TR/xml/#charsets
    if char < " ":
        return char in "\t\n\r"
    return not "\ud800" <= char <= "\udfff" and char not in "\ufffe\uffff"
