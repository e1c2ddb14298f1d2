"""How far a grant goes, in forms and in words."""

from __future__ import annotations

from folkmoot.auth.periods import NAMES
from folkmoot.protocols.http.support.forms import Form, boxes, choice
from folkmoot.storage.types import Tool
from folkmoot.storage.types_support import SupportScope

_TOOLS = {tool.value: tool.value for tool in Tool}
_MORE = {
    "read-only": "only to look, and to change nothing",
    "export": "also to take data out, many things at once",
    "groups": "also in the spaces of my groups",
}


def scope_fields() -> str:
    """The fields of a form for how long and how far."""
    tools, more = boxes("tools", _TOOLS, _TOOLS), boxes("more", _MORE)
    return f"{choice('How long', 'period', NAMES)}<p>For which tools</p>{tools}{more}"


def scope_of(given: Form) -> SupportScope:
    """What was chosen; without any tool, a grant is refused."""
    chosen, more = given.all("tools"), given.all("more")
    return SupportScope(
        frozenset(tool for tool in Tool if tool.value in chosen),
        "read-only" in more,
        "export" in more,
        "groups" in more,
    )
