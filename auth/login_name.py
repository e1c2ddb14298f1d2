"""What people type as a login name, in the one form that the directory is asked for."""

from __future__ import annotations

from folkmoot.storage.addresses import normalize_address, normalize_local_part
from folkmoot.storage.errors import InvalidName

MAX_LOGIN_NAME = 320


def normalize_login_name(text: str) -> str:
    """A normalised address or bare local part; "" for text that cannot name any account.

    Spaces around it are dropped, and ``%40`` is taken for ``@``, as iOS sends it.
    """
    name = text.strip()
    if len(name) > MAX_LOGIN_NAME:
        return ""
    if "@" not in name:
        name = name.replace("%40", "@")
    try:
        return normalize_address(name) if "@" in name else normalize_local_part(name)
    except InvalidName:
        return ""
