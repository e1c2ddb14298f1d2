"""The demo: a whole server with people and mail, made at the first start and found at the next."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from folkmoot.server.demo_mail import DOMAIN, Sample, address, display_name, samples
from folkmoot.server.demo_tree import TreeSample, group_samples, tree_samples
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.server.wiring import Server
from folkmoot.sharing.tree import Tree
from folkmoot.storage.errors import AlreadyExists
from folkmoot.storage.types import Tool
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient
from folkmoot.storage.types_tree import TreePath

log = logging.getLogger("folkmoot.demo")

PEOPLE = {"alice": "business", "bob": "business", "carol": "business", "dave": "free"}
PEOPLE["eve"] = "business"
AGENTS = {"sam": "Support", "dora": "Development"}
SUPPORT_DOMAIN = "support.test"
GROUP = "choir"  # alice administers it, bob may add and edit, carol reads
_LISTENERS = (
    ("imap", 143, "starttls", "IMAP, STARTTLS or plain"),
    ("imap", 993, "implicit", "IMAP, TLS"),
    ("submission", 587, "starttls", "Submission, STARTTLS or plain"),
    ("submission", 465, "implicit", "Submission, TLS"),
    ("lmtp", 24, "none", "LMTP"),
    ("http", 80, "none", "HTTP (calendars, contacts, documents)"),
    ("http", 443, "implicit", "HTTPS (the same with TLS)"),
)
_MARK = "sample-mail-delivered"
_TREE_MARK = "sample-items-stored"
_GROUP_MARK = "sample-items-of-the-group-stored"


def config_text(base_port: int) -> str:
    """The config file of a demo, for a folder that holds everything."""
    listeners = "".join(
        f'\n[[listener]]\nprotocol = "{protocol}"\nport = {base_port + port}\ntls = "{tls}"\n'
        for protocol, port, tls, _ in _LISTENERS
    )
    return (
        "# Written anew at each start of the demo.\n"
        '[server]\nhostname = "localhost"\ndata_dir = "."\ndirectory = "directory.toml"\n\n'
        '[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"\n\n'
        "# Nothing that is written here may leave this machine.\n"
        "[relay]\nhold = true\n" + listeners
    )


def directory_text() -> str:
    """The people and plans of the demo."""
    accounts = "".join(
        f'\n[[account]]\naddress = "{address(person)}"\nname = "{display_name(person)}"\n'
        f'password = "{password(person)}"\nplan = "{plan}"\n'
        f"domain_admin = {json.dumps(person == 'alice')}\n"
        for person, plan in PEOPLE.items()
    )
    return (
        "# The people of the demo. Change this file and send SIGHUP to see it applied.\n"
        '[plan.free]\nmail = { bytes = "20 MB" }\ndocuments = { bytes = "10 MB" }\n'
        "calendar = { items = 1000 }\ncontacts = { items = 1000 }\ngroups = 0\n\n"
        '[plan.business]\nmail = { bytes = "10 GB" }\ndocuments = { bytes = "10 GB" }\n'
        'calendar = { bytes = "10 GB" }\ncontacts = { bytes = "10 GB" }\n'
        "groups = 3\nmembers = 50\n\n"
        f'[[domain]]\nname = "{DOMAIN}"\n' + accounts + "\n[[group]]\n"
        f'address = "{address(GROUP)}"\nname = "Choir"\nadmin = "{address("alice")}"\n'
        f'editors = ["{address("bob")}"]\nmembers = ["{address("carol")}"]\n' + support_text()
    )


def support_text() -> str:
    """Who works for support in the demo, without a second factor."""
    return "".join(
        f'\n[[support_department]]\nname = "{department}"\n\n[[support_agent]]\n'
        f'address = "{person}@{SUPPORT_DOMAIN}"\nname = "{person.title()}"\n'
        f'department = "{department}"\npassword = "{password(person)}"\n'
        for person, department in AGENTS.items()
    )


def password(person: str) -> str:
    """The password of one of the demo's people."""
    return f"{person}-demo"


def prepare(data: Path, base_port: int) -> Path:
    """Make what is missing in the data folder; returns the config file. Raises ``OSError``."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate, key = data / "certificate.pem", data / "key.pem"
    if not (certificate.exists() and key.exists()):
        certificate.unlink(missing_ok=True)
        key.unlink(missing_ok=True)
        write_self_signed(certificate, key, ["localhost"])
    config, directory = data / "folkmoot.toml", data / "directory.toml"
    config.write_text(config_text(base_port))
    if not directory.exists():
        directory.write_text(directory_text())
    return config


@dataclass(slots=True)
class Demo:
    """A server that greets: it delivers the sample mail once, and prints how to sign in."""

    data: Path
    reactor: Any
    server: Server

    async def start(self) -> None:
        """Come up and print the table, then ``ready``."""
        await self.server.start()
        try:
            await self._deliver_samples()
            await self._put_samples()
            await self._put_group_samples()
        except BaseException:
            await self.server.stop()
            raise
        self._print()

    async def reload(self) -> None:
        """Nothing of a demo is meant to be changed but the certificate."""
        await self.server.reload()

    async def stop(self) -> None:
        """End cleanly."""
        await self.server.stop()

    async def _deliver_samples(self) -> None:
        mark = self.data / _MARK
        if mark.exists():
            return
        for sample in samples(datetime.datetime.now(datetime.UTC)):
            recipients = tuple(MailRecipient(one) for one in sample.recipients)
            await self.server.delivery.deliver(
                MailEnvelope(sample.sender, recipients), _InMemory(sample)
            )
        mark.touch(mode=0o600)

    async def _put_samples(self) -> None:
        mark = self.data / _TREE_MARK
        if mark.exists():
            return
        now = datetime.datetime.now(datetime.UTC)
        for person in PEOPLE:
            tree = await self._tree(person)
            await _put(tree, tree.actor.space_id, tree_samples(person, now))
        mark.touch(mode=0o600)

    async def _put_group_samples(self) -> None:
        mark, loop = self.data / _GROUP_MARK, asyncio.get_running_loop()
        groups = {
            one.address: one.space_id
            for one in await self.server.core.groups.groups().asFuture(loop)
        }
        if mark.exists() or address(GROUP) not in groups:
            return
        samples_ = group_samples(datetime.datetime.now(datetime.UTC))
        await _put(await self._tree("alice"), groups[address(GROUP)], samples_)
        mark.touch(mode=0o600)

    async def _tree(self, person: str) -> Tree:
        actor = await self.server.authenticator.authenticate(
            address(person), password(person), "dav", "127.0.0.1"
        ).asFuture(asyncio.get_running_loop())
        return Tree(self.server.core.store, actor)

    def _print(self) -> None:
        console = Console(markup=False, highlight=False)
        ports = Table(title="Listening on 127.0.0.1", title_justify="left")
        ports.add_column("Service")
        ports.add_column("Port", justify="right")
        for bound, (_, _, _, title) in zip(self.server.bound, _LISTENERS, strict=True):
            ports.add_row(title, str(bound.port))
        logins = Table(title="Logins", title_justify="left")
        for column in ("Address", "Password", "Plan"):
            logins.add_column(column)
        for person, plan in PEOPLE.items():
            logins.add_row(address(person), password(person), plan)
        console.print(ports)
        console.print(logins)
        console.print(f"Group: {address(GROUP)} with alice (administrator), bob (edits), carol.")
        agents = ", ".join(
            f"{person}@{SUPPORT_DOMAIN} ({AGENTS[person]}, password {password(person)})"
            for person in AGENTS
        )
        console.print(f"Support: {agents}; they see nothing unless somebody lets them in.")
        console.print("Mail to other domains is kept back. To manage the demo:", soft_wrap=True)
        console.print(f"  folkmoot -c {self.data / 'folkmoot.toml'} COMMAND", soft_wrap=True)
        print("ready", flush=True)  # the line that scripts wait for


async def _put(tree: Tree, space: int, samples_: list[TreeSample]) -> None:
    """Put items at their places, with the folders above them."""
    loop = asyncio.get_running_loop()
    for sample in samples_:
        path = TreePath(space, sample.tool, sample.names)
        with contextlib.suppress(AlreadyExists):
            if sample.tool is Tool.DOCUMENTS and len(sample.names) > 1:
                await tree.make(path.parent).asFuture(loop)
        await tree.put(path, sample.octets, sample.media_type).asFuture(loop)


class _InMemory:
    """A sample as ``Octets``."""

    def __init__(self, sample: Sample) -> None:
        self.data = sample.octets
        self.size = len(sample.octets)
        self.header = sample.octets[: sample.octets.index(b"\r\n\r\n") + 4]
        self.file = None
