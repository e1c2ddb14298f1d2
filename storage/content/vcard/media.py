"""Photos, logos, sounds and keys: `ENCODING=b` of vCard 3.0, `data:` URIs of 4.0."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote_to_bytes

from folkmoot.storage.content.vcard.writing import Line

MEDIA = frozenset(("PHOTO", "LOGO", "SOUND", "KEY"))

_FAMILY = {"PHOTO": "image", "LOGO": "image", "SOUND": "audio", "KEY": "application"}
_NAMED = {"PGP": "application/pgp-keys", "X509": "application/pkix-cert", "JPG": "image/jpeg"}
_SHORT = {media: name for name, media in _NAMED.items() if name != "JPG"}
# First characters in base64 of data whose type was not said.
_SIGNATURES = (
    ("/9j/", "image/jpeg"),
    ("iVBORw0KGgo", "image/png"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
)
_UNKNOWN = "application/octet-stream"
_DATA_URI = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def to_four(line: Line) -> None:
    """Change a line of a 3.0 card. # rfc6350#6.2.4"""
    coded = any(each.upper() in ("B", "BASE64") for each in line.params.get("ENCODING", ()))
    coded = coded or any(each.upper() == "BINARY" for each in line.params.get("VALUE", ()))
    media = _media_of(line)
    line.drop("ENCODING", "TYPE", "VALUE")
    if _is_data(line):
        return
    if coded:
        line.value = f"data:{media or _sniffed(line)};base64,{line.value}"
        return
    if media:
        line.params["MEDIATYPE"] = (media,)
    if not _SCHEME.match(line.value):
        line.params["VALUE"] = ("text",)


def to_three(line: Line) -> None:
    """Change a line of a 4.0 card. # rfc2426#3.1.4"""
    given = line.params.get("MEDIATYPE", ("",))[0]
    line.drop("MEDIATYPE", "TYPE")
    # Some escape the comma of the URI as if it were text.
    uri = line.value.replace("\\,", ",", 1) if _is_data(line) else ""
    match = _DATA_URI.match(uri)
    if match is None:
        _set_type(line, given)
        if "VALUE" not in line.params:
            line.params["VALUE"] = ("uri",)
        return
    line.drop("VALUE")
    line.params["ENCODING"] = ("b",)
    _set_type(line, match[1] or given)
    data = uri[match.end() :]
    if not match[2].lower().endswith(";base64"):
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    elif not _BASE64.fullmatch(data):
        data = _NOT_BASE64.sub(b"", unquote_to_bytes(data)).decode()
    line.value = data


def _is_data(line: Line) -> bool:
    return line.value[:5].lower() == "data:"


def _media_of(line: Line) -> str:
    """Return the media type that TYPE of a 3.0 card says, or an empty one."""
    for each in line.params.get("TYPE", ()):
        if each.upper() in _NAMED:
            return _NAMED[each.upper()]
        if each and each.lower() not in ("pref", "home", "work"):
            return each.lower() if "/" in each else f"{_FAMILY[line.name]}/{each.lower()}"
    return line.params.get("MEDIATYPE", ("",))[0]


def _sniffed(line: Line) -> str:
    for start, media in _SIGNATURES:
        if line.value.startswith(start):
            return media
    return _UNKNOWN


def _set_type(line: Line, media: str) -> None:
    media = media.lower()
    if not media or media == _UNKNOWN:
        return
    family, _, subtype = media.partition("/")
    if media in _SHORT:
        line.params["TYPE"] = (_SHORT[media],)
    elif family == _FAMILY[line.name] and subtype:
        line.params["TYPE"] = (subtype.upper(),)
    else:
        line.params["TYPE"] = (media,)
