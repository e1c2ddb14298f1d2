"""How a config class says what its keys are: ``key``, ``section``, ``array`` and ``named``.

Each returns a dataclass field whose metadata holds a ``Key``, ``Section``, ``Array`` or ``Named``;
the loader and ``describe`` read the schema from there, so that a key is written down once.
"""

from __future__ import annotations

import dataclasses
import keyword
from dataclasses import dataclass
from typing import Any

from folkmoot.config.kinds import Kind

_METADATA = "folkmoot"
REQUIRED: Any = object()  # the default of a key that must be given


@dataclass(frozen=True, slots=True)
class Key:
    """One value. ``default`` is ``REQUIRED``, None (not set) or a parsed value of ``kind``.

    ``example`` is a parsed value for the sample file, where the default says too little.
    """

    kind: Kind
    help: str
    default: Any
    example: Any


@dataclass(frozen=True, slots=True)
class Section:
    """One table of keys, ``[name]``."""

    cls: type
    help: str


@dataclass(frozen=True, slots=True)
class Array:
    """Any number of tables, ``[[name]]``."""

    cls: type
    help: str


@dataclass(frozen=True, slots=True)
class Named:
    """Any number of tables, each with a name of its own, ``[name.NAME]``."""

    cls: type
    help: str
    example: str


Node = Key | Section | Array | Named


def key(kind: Kind, help: str, *, default: Any = REQUIRED, example: Any = None) -> Any:
    """A key of a section, as a dataclass field. Secrets stay out of its ``repr``."""
    metadata = {_METADATA: Key(kind, help, default, example)}
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata, repr=not kind.secret)
    return dataclasses.field(default=default, metadata=metadata, repr=not kind.secret)


def section(cls: type, help: str) -> Any:
    """A table of keys, as a dataclass field; all its keys need defaults unless it is required."""
    return dataclasses.field(default_factory=cls, metadata={_METADATA: Section(cls, help)})


def required_section(cls: type, help: str) -> Any:
    """A table of keys with at least one that must be given."""
    return dataclasses.field(metadata={_METADATA: Section(cls, help)})


def array(cls: type, help: str) -> Any:
    """A list of tables (a tuple of ``cls``), as a dataclass field."""
    return dataclasses.field(default=(), metadata={_METADATA: Array(cls, help)})


def named(cls: type, help: str, example: str) -> Any:
    """Tables with names (a dict from name to ``cls``), as a dataclass field."""
    return dataclasses.field(default_factory=dict, metadata={_METADATA: Named(cls, help, example)})


def nodes(cls: type) -> dict[str, Node]:
    """The keys and sections of a config class, by name, in the order of the class."""
    return {
        field.name.removesuffix("_"): field.metadata[_METADATA]
        for field in dataclasses.fields(cls)
        if _METADATA in field.metadata
    }


def attribute(name: str) -> str:
    """The attribute of a key; behind one that is a word of Python stands ``_``."""
    return name + "_" if keyword.iskeyword(name) else name
