"""Debian's Dovecot on loopback, with a configuration and people of its own: the other server."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

HOST = "127.0.0.1"
PASSWORD = "every letter of it counts"
START_SECONDS = 20.0

_UNPRIVILEGED = 64999
"""Who owns the mail when the tests run as root; no such user needs to exist."""

_CONFIG = """\
protocols = imap lmtp
listen = {host}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
{users}
mail_location = {storage}:~/mail
mail_max_userip_connections = 2000
lmtp_save_to_detail_mailbox = no
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {folder}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/homes/%u
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  process_limit = 2000
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
{more}
"""


class Dovecot:
    """A running Dovecot with ``accounts``; ``storage`` is ``sdbox`` or ``maildir``.

    A context manager. ``ports`` has the port of ``imap`` and of ``lmtp``. Raises ``RuntimeError``
    if no Dovecot 2.3 is installed, or if it does not start. ``more`` is further configuration, and
    ``parent`` a folder that any user may enter.
    """

    def __init__(
        self,
        accounts: list[str],
        storage: str = "sdbox",
        *,
        password: str = "{PLAIN}" + PASSWORD,
        more: str = "",
        parent: Path | None = None,
    ) -> None:
        program = shutil.which("dovecot") or shutil.which(
            "dovecot", path="/usr/sbin:/usr/local/sbin"
        )
        if program is None:
            raise RuntimeError("Dovecot is not installed: run tests/e2e/clients.sh")
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        self.version = version.stdout.split()[0]
        if not self.version.startswith("2.3."):
            raise RuntimeError(
                f"Dovecot 2.3 is wanted, its configuration is not that of {self.version}"
            )
        self.storage = storage
        self.ports = dict(zip(("imap", "lmtp"), _free_ports(2), strict=True))
        # Not in a folder of the test runner, which other users may not enter.
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot", dir=parent))
        self.folder.chmod(0o755)
        root = os.geteuid() == 0
        uid = _UNPRIVILEGED if root else os.geteuid()
        gid = _UNPRIVILEGED if root else os.getegid()
        homes = self.folder / "homes"
        homes.mkdir()
        os.chown(homes, uid, gid)
        people = "".join(f"{name}:{password}::::::\n" for name in accounts)
        (self.folder / "passwd").write_text(people)
        config = self.folder / "dovecot.conf"
        config.write_text(
            _CONFIG.format(
                host=HOST,
                folder=self.folder,
                users="first_valid_uid = 1" if root else _own_user(),
                storage=storage,
                uid=uid,
                gid=gid,
                more=more,
                **self.ports,
            )
        )
        self._command = [program, "-F", "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Dovecot:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Its first process, which has the others as children."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has logged."""
        file = self.folder / "dovecot.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = process = subprocess.Popen(self._command)
        try:
            self._wait(process)
        except BaseException:
            self.stop()
            raise

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            while True:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"Dovecot did not start: {self.log}")
                try:
                    socket.create_connection((HOST, port), 1).close()
                    break
                except ConnectionRefusedError:
                    time.sleep(0.05)

    def stop(self) -> None:
        """End it with all its processes; what it wrote stays."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _own_user() -> str:
    """Settings of a Dovecot that is not started by root, and stays one user."""
    user, group = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
    return (
        f"default_internal_user = {user}\ndefault_internal_group = {group}\n"
        f"default_login_user = {user}\nfirst_valid_uid = 1"
    )


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server((HOST, 0)) for _ in range(number)]
    try:
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
