"""Where a password could be left lying about: logs, the process list, files."""

from __future__ import annotations

import base64
import http.client
import imaplib
import smtplib
import ssl
import stat
from pathlib import Path

import click
import pytest

from folkmoot.server.main import main
from tests.security.conftest import PERSON, SECRET, WRONG, Site
from tests.server.cli import eventually


def everywhere(site: Site, password: str) -> list[bool]:
    """Sign in at each door, in several ways; whether each let in."""
    context = ssl.create_default_context(cafile=str(site.data / "certificate.pem"))
    done = []
    for use in ("LOGIN", "PLAIN"):
        with imaplib.IMAP4("127.0.0.1", site.base + 143) as imap:
            try:
                if use == "LOGIN":
                    imap.login(PERSON, password)
                else:
                    token = f"\0{PERSON}\0{password}".encode()
                    imap.authenticate("PLAIN", lambda _, token=token: token)  # type: ignore[misc]
                done.append(True)
            except imaplib.IMAP4.error:
                done.append(False)
    with smtplib.SMTP("localhost", site.base + 587) as smtp:
        smtp.starttls(context=context)
        try:
            smtp.login(PERSON, password)
            done.append(True)
        except smtplib.SMTPAuthenticationError:
            done.append(False)
    web = http.client.HTTPSConnection("localhost", site.base + 443, context=context)
    login = base64.b64encode(f"{PERSON}:{password}".encode()).decode()
    web.request("PROPFIND", "/dav/", headers={"Authorization": f"Basic {login}", "Depth": "0"})
    answer = web.getresponse()
    answer.read()
    done.append(answer.status == 207)
    web.request("GET", f"/dav/drive/?password={password}", headers={"Authorization": "Basic !"})
    web.getresponse().read()
    web.close()
    return done


@pytest.mark.slow
def test_no_secret_is_logged_or_listed(site: Site) -> None:
    """Right and wrong passwords, however they come, are in no log and in no process list."""
    assert everywhere(site, SECRET) == [True] * 4
    assert everywhere(site, WRONG) == [False] * 4
    eventually(lambda: site.log().count("failed") >= 4)
    folder = Path("/proc") / str(site.process.process.pid)
    seen = [site.log()]
    seen += [(folder / name).read_text(errors="replace") for name in ("cmdline", "environ")]
    for password in (SECRET, WRONG):
        plain = f"\0{PERSON}\0{password}".encode()
        basic = f"{PERSON}:{password}".encode()
        forms = [password, *(base64.b64encode(each).decode() for each in (plain, basic))]
        assert not [form for form in forms if any(form in text for text in seen)]


@pytest.mark.slow
def test_data_is_for_the_server_only(site: Site) -> None:
    """Whatever the umask of whoever starts it: no other user of the machine reads anything."""
    everywhere(site, SECRET)
    body = b"x" * 400_000  # large enough to be a file of its own
    web = http.client.HTTPConnection("localhost", site.base + 80)
    login = base64.b64encode(f"{PERSON}:{SECRET}".encode()).decode()
    place = "/dav/drive/My%20documents/large"
    web.request("PUT", place, body, {"Authorization": f"Basic {login}"})
    assert web.getresponse().status == 201
    found = [site.data, *site.data.rglob("*")]
    assert any(file.is_file() and file.stat().st_size == len(body) for file in found)
    written = {"certificate.pem", "folkmoot.toml"}  # by whoever set it up
    open_to_others = [
        file.name
        for file in found
        if stat.S_IMODE(file.lstat().st_mode) & 0o077 and file.name not in written
    ]
    assert open_to_others == []


@pytest.mark.slow
def test_passwords_are_kept_as_hashes(site: Site) -> None:
    """No file of the data folder holds a password, or a verified one's unkeyed digest."""
    everywhere(site, SECRET)
    files = [file for file in site.data.rglob("*") if file.is_file()]
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]


def _options(command: click.Command, context: click.Context) -> list[tuple[str, click.Parameter]]:
    found = [(command.name or "", parameter) for parameter in command.params]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found += _options(below, context)
    return found


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """The process list shows arguments to everybody: secrets come from a prompt or from stdin."""
    secret = ("password", "secret", "token", "code", "passphrase")
    found = _options(main, click.Context(main))
    assert len(found) > 100
    taken = [
        (command, parameter.name)
        for command, parameter in found
        if any(word in (parameter.name or "") for word in secret)
        and not getattr(parameter, "is_flag", False)
    ]
    assert taken == []
