"""``folkmoot serve`` as an administrator runs it: signals, reloads, refusals."""

from __future__ import annotations

import imaplib
import re
import shutil
import signal
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from folkmoot.server.selfsigned import write_self_signed
from tests.kit.ports import free_base
from tests.server.cli import Running, eventually, run, running

DIRECTORY = """
[plan.small]
mail = { bytes = "1 MB" }

[[domain]]
name = "example.org"

[[account]]
address = "ada@example.org"
password = "correct horse"
plan = "small"
"""
BOB = """
[[account]]
address = "bob@example.org"
password = "battery staple"
"""


@dataclass(frozen=True)
class Installation:
    """Files of a server in a folder."""

    folder: Path
    base: int

    @property
    def config(self) -> Path:
        """The config file."""
        return self.folder / "folkmoot.toml"

    def write_config(self, more: str = "") -> None:
        """Write the config; cheap hashes, because their costs are not what is tested."""
        self.config.write_text(
            '[server]\nhostname = "mail.example.org"\ndata_dir = "data"\n'
            'directory = "directory.toml"\n'
            '[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"\n'
            '[passwords]\nargon2_memory = "64 KiB"\nscram_iterations = 4096\n'
            f'[[listener]]\nprotocol = "imap"\nport = {self.base + 993}\ntls = "implicit"\n'
            f'[[listener]]\nprotocol = "imap"\nport = {self.base + 143}\ntls = "starttls"\n'
            f"[metrics]\nport = {self.base + 100}\n"
            '[log]\nfile = "log"\n' + more
        )

    def write_certificate(self, name: str) -> None:
        """Replace certificate and key."""
        for file in ("certificate.pem", "key.pem"):
            (self.folder / file).unlink(missing_ok=True)
        write_self_signed(self.folder / "certificate.pem", self.folder / "key.pem", [name])

    def log(self) -> str:
        """What was logged into the file."""
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def logged(self, text: str, times: int = 1) -> None:
        """Wait until the log holds a text so many times."""
        eventually(lambda: self.log().count(text) >= times)

    def login(self, address: str, password: str) -> imaplib.IMAP4:
        """A signed-in client; raises ``imaplib.IMAP4.error`` when refused."""
        client = imaplib.IMAP4("127.0.0.1", self.base + 143)
        try:
            client.login(address, password)
        except imaplib.IMAP4.error:
            client.shutdown()
            raise
        return client

    def certificate_names(self) -> list[str]:
        """The names in the certificate that a new connection sees."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.base + 993), timeout=60) as plain,
            context.wrap_socket(plain) as secure,
        ):
            der = secure.getpeercert(binary_form=True)
        assert der is not None
        found = x509.load_der_x509_certificate(der).extensions
        san = found.get_extension_for_class(x509.SubjectAlternativeName).value
        return san.get_values_for_type(x509.DNSName)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A server's files, not started."""
    made = Installation(tmp_path_factory.mktemp("server"), free_base(100, 143, 993))
    made.write_config()
    made.write_certificate("mail.example.org")
    (made.folder / "directory.toml").write_text(DIRECTORY)
    return made


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[Running]:
    """The server of ``installation``, running."""
    with running(installation.folder / "out", "-c", installation.config, "serve") as process:
        installation.logged("listening", times=2)
        yield process
        assert process.stop() == 0
        installation.logged("stopped")


def test_it_logs_to_the_file_and_prints_nothing(
    installation: Installation, server: Running
) -> None:
    """Logs go where the config says; standard output stays empty for service managers."""
    assert server.text() == ""
    assert f"listening protocol=imap address=127.0.0.1 port={installation.base + 993}" in (
        installation.log()
    )
    assert "correct horse" not in installation.log()


def test_sighup_applies_the_directory(installation: Installation, server: Running) -> None:
    """A person added to the file can sign in after SIGHUP; others keep their sessions."""
    ada = installation.login("ada@example.org", "correct horse")
    with pytest.raises(imaplib.IMAP4.error):
        installation.login("bob@example.org", "battery staple")
    file = installation.folder / "directory.toml"
    file.write_text(DIRECTORY + BOB)
    applied = installation.log().count("directory applied")
    server.hup()
    installation.logged("directory applied", times=applied + 1)
    installation.login("bob@example.org", "battery staple").logout()
    assert ada.noop()[0] == "OK"
    # Applied again it changes nothing, and what is no longer there stays.
    file.write_text(DIRECTORY)
    server.hup()
    installation.logged("changes=0 failures=0")
    installation.login("bob@example.org", "battery staple").logout()
    ada.logout()


def test_a_wrong_directory_is_logged_and_the_server_goes_on(
    installation: Installation, server: Running
) -> None:
    """A mistake in the file takes nothing away; the log names file and line."""
    file = installation.folder / "directory.toml"
    file.write_text(DIRECTORY.replace("small", "smal", 1))
    server.hup()
    installation.logged(f"{file}:11: account[0].plan: expected one of default, smal")
    file.write_text(DIRECTORY)
    installation.login("ada@example.org", "correct horse").logout()


def test_sighup_takes_a_new_certificate(installation: Installation, server: Running) -> None:
    """A renewed certificate is used for new connections; a broken one is not."""
    assert installation.certificate_names()[0] == "mail.example.org"
    open_before = installation.login("ada@example.org", "correct horse")
    installation.write_certificate("new.example.org")
    server.hup()
    eventually(lambda: installation.certificate_names()[0] == "new.example.org")
    (installation.folder / "key.pem").write_text("broken")
    server.hup()
    installation.logged("certificate not reloaded")
    assert installation.certificate_names()[0] == "new.example.org"
    assert open_before.noop()[0] == "OK"
    open_before.logout()
    installation.write_certificate("mail.example.org")


def test_sighup_reopens_the_log(installation: Installation, server: Running) -> None:
    """After logrotate moved the file, new lines go to a new one."""
    shutil.move(installation.folder / "log", installation.folder / "log.1")
    server.hup()
    installation.logged("reloading")
    assert "listening" in (installation.folder / "log.1").read_text()


def test_commands_reach_open_sessions(installation: Installation, server: Running) -> None:
    """Disabling an account on the command line ends its sessions in the server at once."""
    client = installation.login("ada@example.org", "correct horse")
    done = run("-c", installation.config, "account", "disable", "ada@example.org")
    assert (done.returncode, done.stderr) == (0, "")

    def ended() -> bool:
        try:
            client.noop()
        except imaplib.IMAP4.error:
            return True
        return False

    eventually(ended)
    with pytest.raises(imaplib.IMAP4.error):
        installation.login("ada@example.org", "correct horse")
    run("-c", installation.config, "account", "enable", "ada@example.org")
    installation.login("ada@example.org", "correct horse").logout()


def test_metrics(installation: Installation, server: Running) -> None:
    """Connections, memory and the end of the certificate can be watched."""
    url = f"http://127.0.0.1:{installation.base + 100}/metrics"
    client = installation.login("ada@example.org", "correct horse")
    with urllib.request.urlopen(url, timeout=60) as answer:
        text = answer.read().decode()
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'folkmoot_connections{protocol="imap"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    assert re.search(r"^folkmoot_certificate_expires_timestamp_seconds 1\.", text, re.MULTILINE)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url.replace("metrics", "other"), timeout=60)
    client.logout()


def test_the_doctor_finds_the_running_server(installation: Installation, server: Running) -> None:
    """Ports answer, and only real problems are failures."""
    done = run("-c", installation.config, "doctor", "--no-dns")
    assert done.returncode == 0, done.stdout
    assert f"port {installation.base + 143}: imap on 127.0.0.1 answers" in done.stdout


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("folkmoot.toml", "[server]\nhostnam = 1\n", ":2: server.hostnam: unknown key"),
        ("directory.toml", "[[acount]]\n", ":1: acount: unknown key"),
        ("certificate.pem", "x", ": expected PEM certificates"),
    ],
)
def test_wrong_files_start_nothing(
    installation: Installation, tmp_path: Path, file: str, text: str, expected: str
) -> None:
    """Exit code 2, file and line on standard error, and no data folder is made."""
    for name in ("folkmoot.toml", "directory.toml", "certificate.pem", "key.pem"):
        shutil.copy(installation.folder / name, tmp_path / name)
    (tmp_path / file).write_text(text)
    done = run("-c", tmp_path / "folkmoot.toml", "serve")
    assert done.returncode == 2
    assert f"{tmp_path / file}{expected}" in done.stderr
    assert not (tmp_path / "data").exists()


def test_data_that_cannot_be_opened_ends_with_1(tmp_path: Path) -> None:
    """A start that fails says why in one line, and stops."""
    other = Installation(tmp_path, free_base(100, 143, 993))
    other.write_config("")
    other.write_certificate("mail.example.org")
    (tmp_path / "directory.toml").write_text("")
    (tmp_path / "data").write_text("a file in the way")
    done = run("-c", other.config, "serve")
    assert done.returncode == 1
    assert "the data cannot be opened" in other.log()
    assert "Traceback" not in other.log()


def test_sigterm_right_after_the_start(installation: Installation, tmp_path: Path) -> None:
    """A stop in the middle of the start is clean too."""
    other = Installation(tmp_path, free_base(100, 143, 993))
    other.write_config()
    other.write_certificate("mail.example.org")
    (tmp_path / "directory.toml").write_text(DIRECTORY)
    with running(tmp_path / "out", "-c", other.config, "serve") as process:
        eventually(lambda: (tmp_path / "data").exists())
        assert process.stop(signal.SIGTERM) == 0
        assert "Traceback" not in other.log()
