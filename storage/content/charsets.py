"""Octets to text in any charset that mail names, without ever failing."""

from __future__ import annotations

from encodings.aliases import aliases

_EXTRA = {
    # What Python has but lists no alias for.
    **{name: name for name in ("cp720", "cp737", "cp856", "cp874", "cp875", "cp1006")},
    **{name: name for name in ("koi8_r", "koi8_t", "koi8_u", "utf_8_sig")},
    # Names seen in mail. The larger set is right for what claims the smaller one.
    "windows_874": "cp874",
    "x_sjis": "cp932",
    "shift_jis": "cp932",
    "x_gbk": "gb18030",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601_1987": "cp949",
    "euc_kr": "cp949",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "x_mac_roman": "mac_roman",
    "unicode_1_1_utf_7": "utf_7",
    "x_unknown": "latin_1",
    # rfc2046#4.1.2 makes it 7-bit, but what is sent under the name has more.
    "ascii": "utf_8",
    "us_ascii": "utf_8",
    "ansi_x3.4_1968": "utf_8",
}

# Not charsets of text, or too slow on hostile input.
_REFUSED = frozenset(
    ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem")
)


def _is_text(name: str) -> bool:
    try:
        b"aaaa".decode(name, "replace")
    except (LookupError, ValueError):
        return False
    return True


# Only known names are looked up: the codec registry remembers every other one for ever.
_KNOWN = {
    alias: codec
    for alias, codec in {
        **aliases,
        **{codec: codec for codec in aliases.values()},
        **_EXTRA,
    }.items()
    if codec not in _REFUSED and _is_text(codec)
}


def decode(data: bytes, charset: bytes | None) -> str:
    """Return octets as text; what the charset cannot hold becomes U+FFFD.

    None is what mail without a charset means: UTF-8, else latin-1. An unknown charset is latin-1.
    """
    if charset is None and data.isascii():
        return data.decode("ascii")
    name = (charset or b"us-ascii")[:60].decode("latin-1").strip().lower()
    codec = _KNOWN.get(name.replace("-", "_").replace(" ", "_"), "latin_1")
    if codec == "utf_8":
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            if charset is None or b"ascii" in charset.lower():
                return data.decode("latin-1")
    try:
        return data.decode(codec, "replace")
    except ValueError:
        return data.decode("latin-1")
