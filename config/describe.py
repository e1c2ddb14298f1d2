"""The config explained from its own schema: ``describe`` lists all keys, ``sample`` writes a file.

Both work for any config class (``Config``, ``Directory``).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot.config.directory import Directory
from folkmoot.config.fields import REQUIRED, Array, Key, Named, Section, nodes
from folkmoot.config.schema import Config

_WIDTH = 96


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One key: ``path`` such as ``listener[].port``; ``default`` as TOML, "" for none."""

    path: str
    type: str
    default: str
    required: bool
    help: str


def describe(cls: type) -> list[KeyInfo]:
    """All keys of a config class, sections included, in the order of the sample file."""
    return list(_keys(cls, ""))


def _keys(cls: type, prefix: str) -> Iterator[KeyInfo]:
    for name, node in nodes(cls).items():
        match node:
            case Key():
                required = node.default is REQUIRED
                unset = required or node.default is None
                default = "" if unset else node.kind.show(node.default)
                yield KeyInfo(prefix + name, node.kind.name, default, required, node.help)
            case Section():
                yield from _keys(node.cls, f"{prefix}{name}.")
            case Array():
                yield from _keys(node.cls, f"{prefix}{name}[].")
            case Named():
                yield from _keys(node.cls, f"{prefix}{name}.NAME.")


def sample_config() -> str:
    """A config file with every key, those with a default commented out; it loads as it stands."""
    head = (
        "Configuration of Folkmoot. Lines that begin with # name what can be set, with the "
        "default or an example. `folkmoot config check` tells what is wrong with this file. "
        'Sizes: 512, "20 MB", "10 GiB". Times: 90, "30 min", "4 h", "5 days". '
        "Paths are relative to the folder of this file."
    )
    return "\n".join([*_comment(head), "", *_tables(Config, "", ())]) + "\n"


def sample_directory() -> str:
    """A directory file with every key, commented out: it loads, and changes nothing."""
    head = (
        "Domains, accounts and plans. The server applies this file at start and on SIGHUP: it "
        "adds and changes what stands here, and removes nothing that does not."
    )
    return "\n".join([*_comment(head), "", *_tables(Directory, "", ())]) + "\n"


def _tables(cls: type, prefix: str, needed: tuple[str, ...]) -> Iterator[str]:
    for name, node in nodes(cls).items():
        path = prefix + name
        match node:
            case Section():
                yield from _comment(node.help)
                yield f"[{path}]"
                yield from _entries(node.cls, off="# ")
            case Array():
                # The one list that must not be empty is shown as a first member that works.
                off = "" if path == "listener" else "# "
                yield from _comment(node.help)
                yield f"{off}[[{path}]]"
                yield from _entries(node.cls, off="# ", required=off)
            case Named():
                yield from _comment(node.help)
                yield f"# [{path}.{node.example}]"
                yield from _entries(node.cls, off="# ", required="# ")
            case Key():
                continue
        yield ""


def _entries(cls: type, off: str, required: str = "") -> Iterator[str]:
    for name, node in nodes(cls).items():
        match node:
            case Key():
                yield ""
                yield from _comment(node.help)
                mark = required if node.default is REQUIRED else off
                yield f"{mark}{name} = {_shown(node)}"
            case Section():
                yield ""
                yield from _comment(node.help)
                inner = ", ".join(
                    f"{key} = {_shown(value)}"
                    for key, value in nodes(node.cls).items()
                    if isinstance(value, Key)
                )
                yield f"{off}{name} = {{ {inner} }}"
            case Array() | Named():
                raise TypeError("a sample of lists inside tables is not written")


def _shown(node: Key) -> str:
    shown = node.default if node.example is None else node.example
    return node.kind.show(shown)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]
