"""The other DAV servers, each on a fresh folder, as their manuals set them up for one machine."""

from __future__ import annotations

import abc
import base64
import contextlib
import getpass
import grp
import hashlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.davload import Http, Site
from benchmarks.davserve import CALENDAR, CONTACTS, FILES, DavServer
from benchmarks.load import Failed
from benchmarks.peers_install import Cache
from benchmarks.serve import HOST

NAME, PASSWORD = "person0", "every-letter-of-it-counts"
START_SECONDS = 30.0
_UNPRIVILEGED = "nobody"


class Peer(DavServer):
    """Another server: ``_command`` starts it, and it is there when ``site`` answers."""

    #: What is asked to see whether it works.
    probe = "/"

    def __init__(self, folder: Path, cache: Cache) -> None:
        self.folder = folder / self.name.lower()
        self.folder.mkdir()
        self.cache = cache
        self._process: subprocess.Popen[bytes] | None = None
        self.site = Site(free_port(), NAME, PASSWORD)
        self.environment = dict(os.environ)

    @abc.abstractmethod
    def _prepare(self) -> Sequence[str]:
        """Write what it needs; the command that runs it in the foreground."""

    def _ready(self) -> None:
        """Finish what can be done only when it listens."""

    def start(self) -> None:
        """Start it and wait until it answers. Raises ``RuntimeError``."""
        command = self._prepare()
        with (self.folder / "output").open("wb") as output:
            self._process = process = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=output, cwd=self.folder
            )
        until = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None or time.monotonic() > until:
                self.stop()
                text = (self.folder / "output").read_text(errors="replace")[-1000:]
                raise RuntimeError(f"{self.name} did not start: {text}")
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection((HOST, self.site.port), 1).close()
                break
            time.sleep(0.05)
        try:
            self._ready()
            with Http(self.site) as client:
                client.run("PROPFIND", self.probe, b"", ["Depth: 0"])
        except (OSError, Failed, imaplib.IMAP4.error) as error:
            self.stop()
            raise RuntimeError(f"{self.name} does not answer: {error}") from error

    @property
    @abc.abstractmethod
    def version(self) -> str:
        """Which one it is, before what it makes durable."""

    def _told(self, *command: str) -> str:
        """What a program says, and a semicolon."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        words = (done.stdout or done.stderr).split()
        found = next((word for word in words if any(map(str.isdigit, word))), "unknown")
        return f"{found.rpartition('/')[2]}; "

    def _packaged(self, name: str) -> str:
        """The version of a package of PyPI, and a semicolon."""
        text = f"import importlib.metadata as m; print(m.version({name!r}))"
        return self._told(str(self.cache.python("python")), "-c", text)

    def stop(self) -> None:
        """End it with all its processes."""
        if self._process is None or self._process.poll() is not None:
            return
        family = self.processes()
        self._process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(family, 10)
        for one in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.wait()

    def processes(self) -> list[psutil.Process]:
        """All its processes."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]

    def _write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(text)
        return file


class Cyrus(Peer):
    """Cyrus IMAP's httpd with eight processes waiting."""

    name = "Cyrus"
    durable = "about three fsyncs or fdatasyncs for each PUT"

    def __init__(self, folder: Path, cache: Cache) -> None:
        super().__init__(folder, cache)
        self._bin = cache.program("usr/lib/cyrus/bin/httpd").parent
        self._user, self._group = unprivileged()
        self._imap = free_port()
        self.environment["LD_LIBRARY_PATH"] = cache.libraries
        self.probe = f"/dav/calendars/user/{NAME}/"
        self.homes = {
            CALENDAR: self.probe,
            CONTACTS: f"/dav/addressbooks/user/{NAME}/",
            FILES: f"/dav/drive/user/{NAME}/",
        }

    @property
    def version(self) -> str:
        """As its program says."""
        return self._told(str(self._bin / "master"), "-V")

    def _prepare(self) -> Sequence[str]:
        here = self.folder
        for name in ("db", "socket", "proc", "log", "msg", "user", "quota", "lock", "ptclient"):
            (here / "conf" / name).mkdir(parents=True)
        (here / "spool").mkdir()
        config = self._write(
            "imapd.conf",
            f"configdirectory: {here}/conf\n"
            "defaultpartition: default\n"
            f"partition-default: {here}/spool\n"
            f"cyrus_user: {self._user}\ncyrus_group: {self._group}\n"
            "admins: cyrus\nservername: mail.example.test\n"
            "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\n"
            f"sasl_sasldb_path: {here}/sasldb2\nsasl_mech_list: PLAIN\nallowplaintext: yes\n"
            "unixhierarchysep: yes\nhttpmodules: caldav carddav webdav\n",
        )
        services = self._write(
            "cyrus.conf",
            f'START {{\n  recover cmd="{self._bin}/ctl_cyrusdb -C {config} -r"\n}}\n'
            "SERVICES {\n"
            f'  imap cmd="{self._bin}/imapd -C {config}" listen="{HOST}:{self._imap}" prefork=0\n'
            f'  http cmd="{self._bin}/httpd -C {config}" listen="{HOST}:{self.site.port}"'
            " prefork=8\n}\nEVENTS {\n}\n",
        )
        program = self.cache.program("usr/sbin/saslpasswd2")
        for name in ("cyrus", NAME):
            command = [str(program), "-p", "-c", "-f", str(here / "sasldb2")]
            subprocess.run(
                [*command, "-u", "mail.example.test", name],
                input=PASSWORD.encode(),
                env=self.environment,
                check=True,
            )
        give(here, self._user)
        return [str(self._bin / "master"), "-C", str(config), "-M", str(services), "-D"]

    def _ready(self) -> None:
        # DAV answers only to somebody who has an INBOX.
        client = imaplib.IMAP4(HOST, self._imap)
        client.login("cyrus", PASSWORD)
        client.create(f"user/{NAME}")
        client.logout()


class Radicale(Peer):
    """Radicale with its own server and file storage."""

    name = "Radicale"
    durable = "six fsyncs for each PUT"
    tools = frozenset((CALENDAR, CONTACTS))
    probe = f"/{NAME}/"
    homes = dict.fromkeys((CALENDAR, CONTACTS), f"/{NAME}/")

    @property
    def version(self) -> str:
        """As its program says."""
        return self._packaged("radicale")

    def _prepare(self) -> Sequence[str]:
        users = self._write("users", f"{NAME}:{PASSWORD}\n")
        config = self._write(
            "config",
            f"[server]\nhosts = {HOST}:{self.site.port}\nmax_connections = 100\n"
            f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\n"
            f"[storage]\nfilesystem_folder = {self.folder}/data\n[logging]\nlevel = error\n",
        )
        return [str(self.cache.python("radicale")), "--config", str(config)]

    def seed(self, tool: str, url: str, files: Mapping[str, bytes]) -> None:
        """Put the files where it looks for them: a PUT costs it more the more there are."""
        here = self.folder / "data" / "collection-root" / url.strip("/")
        for name, data in files.items():
            (here / name).write_bytes(data)


class Xandikos(Peer):
    """Xandikos. It takes no passwords without TLS: it runs without any sign-in."""

    name = "Xandikos"
    durable = "two fsyncs for each PUT, of Git's index and reference, none of what was put"
    tools = frozenset((CALENDAR, CONTACTS))
    probe = f"/{NAME}/"
    homes = {CALENDAR: f"/{NAME}/calendars/", CONTACTS: f"/{NAME}/contacts/"}

    @property
    def version(self) -> str:
        """As its program says."""
        return self._packaged("xandikos")

    def _prepare(self) -> Sequence[str]:
        return [
            *(str(self.cache.python("xandikos")), "serve", "-d", str(self.folder / "data")),
            *("-l", HOST, "-p", str(self.site.port), "--no-detect-systemd"),
            *("--defaults", "--current-user-principal", self.probe),
        ]

    def seed(self, tool: str, url: str, files: Mapping[str, bytes]) -> None:
        """Commit the files where it looks for them: a PUT costs it more the more there are."""
        here = self.folder / "data" / url.strip("/")
        for name, data in files.items():
            (here / name).write_bytes(data)
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.test", "-C", str(here)]
        subprocess.run([*git, "add", "--", *files], check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", "Fill"], check=True)


class WsgiDav(Peer):
    """WsgiDAV in cheroot, with its files provider."""

    name = "WsgiDAV"
    durable = "no fsync"
    tools = frozenset((FILES,))
    homes = {FILES: "/"}

    @property
    def version(self) -> str:
        """As its program says."""
        return self._packaged("wsgidav")

    def _prepare(self) -> Sequence[str]:
        root = self.folder / "files"
        root.mkdir()
        config = self._write(
            "wsgidav.yaml",
            f"host: {HOST}\nport: {self.site.port}\nserver: cheroot\nverbose: 1\n"
            f'provider_mapping:\n  "/": "{root}"\nlogging:\n  enable: false\n'
            f'simple_dc:\n  user_mapping:\n    "*":\n      {NAME}:\n        password: {PASSWORD}\n'
            "http_authenticator:\n  accept_basic: true\n  accept_digest: false\n"
            "  default_to_digest: false\n",
        )
        return [str(self.cache.python("wsgidav")), "-c", str(config)]

    def seed(self, tool: str, url: str, files: Mapping[str, bytes]) -> None:
        """Write the files into its folder."""
        for name, data in files.items():
            (self.folder / "files" / url.strip("/") / name).write_bytes(data)


class Apache(Peer):
    """Apache's httpd with mod_dav_fs and the event module."""

    name = "Apache"
    durable = "no fsync"
    tools = frozenset((FILES,))
    homes = {FILES: "/"}
    _MODULES = (
        "mpm_event",
        "authn_core",
        "authn_file",
        "authz_core",
        "authz_user",
        "auth_basic",
        "mime",
        "dav",
        "dav_fs",
    )

    @property
    def version(self) -> str:
        """As its program says."""
        return self._told(str(self.cache.program("usr/sbin/apache2")), "-v")

    def _prepare(self) -> Sequence[str]:
        program = self.cache.program("usr/sbin/apache2")
        self.environment["LD_LIBRARY_PATH"] = self.cache.libraries
        user, group = unprivileged()
        root = self.folder / "files"
        (self.folder / "state").mkdir()
        root.mkdir()
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        users = self._write("users", f"{NAME}:{{SHA}}{digest}\n")
        types = self._write("types", "text/plain txt\n")
        modules = self.cache.root / "usr/lib/apache2/modules"
        lines = [
            f"ServerRoot {self.folder}",
            "ServerName mail.example.test",
            f"Listen {HOST}:{self.site.port}",
            f"PidFile {self.folder}/state/pid",
            f"ErrorLog {self.folder}/state/errors",
            f"DefaultRuntimeDir {self.folder}/state",
            *(f"LoadModule {one}_module {modules}/mod_{one}.so" for one in self._MODULES),
            f"TypesConfig {types}",
            *([f"User {user}", f"Group {group}"] if os.geteuid() == 0 else []),
            f"DavLockDB {self.folder}/state/locks",
            "KeepAlive On",
            "MaxKeepAliveRequests 0",
            f"DocumentRoot {root}",
            f"<Directory {root}>",
            "Dav On",
            "AuthType Basic",
            "AuthName files",
            f"AuthUserFile {users}",
            "Require valid-user",
            "</Directory>",
        ]
        config = self._write("apache.conf", "\n".join(lines) + "\n")
        give(self.folder, user)
        return [str(program), "-f", str(config), "-D", "FOREGROUND"]

    def seed(self, tool: str, url: str, files: Mapping[str, bytes]) -> None:
        """Write the files into its folder."""
        here = self.folder / "files" / url.strip("/")
        for name, data in files.items():
            (here / name).write_bytes(data)
        give(here, unprivileged()[0])


PEERS: dict[str, type[Peer]] = {
    one.name.lower(): one for one in (Cyrus, Radicale, Xandikos, WsgiDav, Apache)
}


def unprivileged() -> tuple[str, str]:
    """User and group of servers that do not want to be root."""
    if os.geteuid() == 0:
        return _UNPRIVILEGED, grp.getgrgid(pwd.getpwnam(_UNPRIVILEGED).pw_gid).gr_name
    return getpass.getuser(), grp.getgrgid(os.getegid()).gr_name


def give(folder: Path, user: str) -> None:
    """Make a folder with all below the user's, if that is not somebody else."""
    if os.geteuid() == 0:
        shutil.chown(folder, user)
        for one in folder.rglob("*"):
            shutil.chown(one, user)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.create_server((HOST, 0)) as one:
        return int(one.getsockname()[1])
