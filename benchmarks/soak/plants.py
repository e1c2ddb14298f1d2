"""Faults that a server can be given, to see that a soak finds them."""

from __future__ import annotations

from typing import Final

_LEAK = """
from folkmoot.storage.store import Store
held = []
def leaking(run):
    def call(self, *args, **named):
        held.append(bytearray(4096))
        return run(self, *args, **named)
    return call
Store.run, Store.read = leaking(Store.run), leaking(Store.read)
"""
_UNTOLD = """
import dataclasses, random
from folkmoot.storage.types import UidSet
from folkmoot.storage.views.mailboxes import ChangesSince
read, dice = ChangesSince.read, random.Random(1)
def forgetful(self, context):
    changes = read(self, context)
    if dice.random() < 0.05:
        changes = dataclasses.replace(changes, changed=UidSet.from_ranges([]))
    return changes
ChangesSince.read = forgetful
"""
_UNSYNCED = """
import random
from folkmoot.storage.views.tree_changes import ChangesOf
rows, dice = ChangesOf._rows, random.Random(1)
def forgetful(self, *args):
    found = rows(self, *args)
    return found[:-1] if dice.random() < 0.05 else found
ChangesOf._rows = forgetful
"""
_RACE = """
import random
from folkmoot.protocols.dav import conditions
parse, dice = conditions.parse_tags, random.Random(1)
conditions.parse_tags = lambda *a, **b: None if dice.random() < 0.2 else parse(*a, **b)
"""
PLANTS: Final = {"leak": _LEAK, "untold": _UNTOLD, "unsynced": _UNSYNCED, "race": _RACE}
"""By name: each transaction keeps 4 KiB of memory; now and then IMAP does not tell a
change, DAV's sync leaves out one, and the conditions of a request are not looked at."""
