"""Address books with real programs: vdirsyncer both ways, and khard on what it brought."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.dav.cards import APPLE, APPLE_GROUP, GOOGLE, card
from tests.e2e.conftest import Demo

pytestmark = pytest.mark.e2e

NAME, PASSWORD = "carol@example.test", "carol-demo"
BOOK = "choir friends"
CONFIG = """
[general]
status_path = "{status}"

[pair contacts]
a = "local"
b = "remote"
collections = {collections}
metadata = ["displayname"]
conflict_resolution = "b wins"

[storage local]
type = "filesystem"
path = "{local}"
fileext = ".vcf"

[storage remote]
type = "carddav"
url = "https://localhost:{port}/"
username = "{name}"
password = "{password}"
verify = "{certificate}"
"""


class Synced:
    """A folder of cards that vdirsyncer keeps like an account's address books.

    ``collections`` is what its configuration says of them.
    """

    def __init__(self, demo: Demo, folder: Path, collections: str) -> None:
        self.demo = demo
        self.folder = folder
        self.local = folder / "local"
        self.local.mkdir(parents=True)
        certificate = folder / "server.pem"
        certificate.write_text(demo.certificate)
        self.config = folder / "config"
        self.config.write_text(
            CONFIG.format(
                status=folder / "status",
                local=self.local,
                collections=collections,
                port=demo.port(443),
                name=NAME,
                password=PASSWORD,
                certificate=certificate,
            )
        )

    def run(self, *command: str, answers: str = "") -> str:
        """Run vdirsyncer, which must succeed."""
        return program("vdirsyncer", "-c", self.config, *command, stdin=answers)

    def octets(self, collection: str) -> dict[str, bytes]:
        """The cards of a local collection by UID."""
        found = {}
        for file in (self.local / collection).glob("*.vcf"):
            octets = file.read_bytes()
            match = re.search(rb"^UID:(\S+)", octets, re.MULTILINE)
            assert match is not None
            found[match[1].decode()] = octets.replace(b"\r\n", b"\n").strip()
        return found


def program(name: str, *words: str | Path, stdin: str = "") -> str:
    """The output of a program that was installed with the tests."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(name)), *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def call(demo: Demo, method: str, path: str, body: bytes | None = None) -> bytes:
    """A request of another program in the meantime."""
    url = f"http://127.0.0.1:{demo.port(80)}{quote(path)}"
    request = urllib.request.Request(url, body, method=method)
    password = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    request.add_header("Authorization", f"Basic {password}")
    request.add_header("Depth", "1" if method == "REPORT" else "0")
    if body is not None:
        request.add_header("Content-Type", "text/vcard" if method == "PUT" else "text/xml")
    with urllib.request.urlopen(request, timeout=60) as answer:
        octets: bytes = answer.read()
    return octets


def home(demo: Demo) -> str:
    """The URL of the account's address books."""
    body = (
        b'<propfind xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><prop>'
        b"<current-user-principal/></prop></propfind>"
    )
    match = re.search(rb"/dav/principals/users/(\d+)/", call(demo, "PROPFIND", "/dav/", body))
    assert match is not None
    return f"/dav/contacts/{match[1].decode()}/"


def plain(octets: bytes) -> bytes:
    """Octets as vdirsyncer writes them."""
    return octets.replace(b"\r\n", b"\n").strip()


@pytest.mark.client("vdirsyncer")
def test_vdirsyncer_both_ways(demo: Demo, tmp_path: Path) -> None:
    """A folder becomes an address book, and what changes on either side reaches the other."""
    first = Synced(demo, tmp_path / "first", f'["{BOOK}"]')
    mine = first.local / BOOK
    mine.mkdir()
    four = card("FN:Zoë", "ANNIVERSARY:20100620", version="4.0", uid="zoe")
    sent = {"apple": APPLE, "google": GOOGLE, "group": APPLE_GROUP, "four": four}
    for name, octets in sent.items():
        (mine / f"{name}.vcf").write_bytes(octets)
    first.run("discover", answers="y\n" * 4)
    first.run("sync")
    other = Synced(demo, tmp_path / "other", f'["{BOOK}"]')
    other.run("discover", answers="y\n" * 4)
    other.run("sync")
    assert sorted(other.octets(BOOK).values()) == sorted(map(plain, sent.values()))

    # Changed here, removed there, new on both sides and by a third program.
    changed = GOOGLE.replace(b"Souza", b"Sousa")
    (mine / "google.vcf").write_bytes(changed)
    (mine / "new.vcf").write_bytes(card(uid="here"))
    next(each for each in (other.local / BOOK).iterdir() if b"Zo" in each.read_bytes()).unlink()
    (other.local / BOOK / "there.vcf").write_bytes(card(uid="there"))
    path = f"{home(demo)}{BOOK}/third.vcf"
    call(demo, "PUT", path, card(uid="third"))
    for each in (other, first, other):
        each.run("sync")
    assert first.octets(BOOK) == other.octets(BOOK)
    assert {"here", "there", "third"} <= {*first.octets(BOOK)}
    assert "zoe" not in first.octets(BOOK)
    assert plain(changed) in other.octets(BOOK).values()

    # The same card changed on both sides: the server's stays, as the configuration says.
    for each, note in ((other, "NOTE:server"), (first, "NOTE:lost")):
        file = next(f for f in (each.local / BOOK).iterdir() if b"UID:third" in f.read_bytes())
        file.write_bytes(card(note, uid="third"))
        each.run("sync")
    assert b"NOTE:server" in first.octets(BOOK)["third"]
    assert b"NOTE:server" in call(demo, "GET", path)


@pytest.mark.client("vdirsyncer")
def test_vdirsyncer_finds_what_is_there(demo: Demo, tmp_path: Path) -> None:
    """From nothing but a host name: the books of the account, their cards and their names."""
    synced = Synced(demo, tmp_path / "all", '["from b"]')
    synced.run("discover", answers="y\n" * 20)
    synced.run("sync")
    books = [each for each in synced.local.iterdir() if each.is_dir()]
    assert books
    assert any(synced.octets(each.name) for each in books)
    synced.run("metasync")
    assert all((each / "displayname").read_text().strip() for each in books)
    (books[0] / "displayname").write_text("Äsop & friends")
    synced.run("metasync")
    body = b'<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>'
    found = call(demo, "PROPFIND", f"{home(demo)}{books[0].name}/", body)
    assert "Äsop &amp; friends" in found.decode()


@pytest.mark.client("khard", "vdirsyncer")
def test_khard_reads_the_book(demo: Demo, tmp_path: Path) -> None:
    """Shows cards that were synchronised, with telephones and birthdays; makes and removes some."""
    synced = Synced(demo, tmp_path / "khard", '["khard"]')
    book = synced.local / "khard"
    book.mkdir()
    synced.run("discover", answers="y\n" * 4)
    path = f"{home(demo)}khard/"
    call(demo, "PUT", f"{path}a.vcf", APPLE)
    lines = ("EMAIL:jane@example.org", "TEL;TYPE=CELL:+1 23", "BDAY:1985-04-12")
    call(demo, "PUT", f"{path}b.vcf", card(*lines, uid="jane"))
    synced.run("sync")
    config = tmp_path / "khard.conf"
    config.write_text(f"[addressbooks]\n[[book]]\npath = {book}\n")
    listed = program("khard", "-c", config, "list", "--parsable")
    assert "Jörg Müller" in listed
    assert "Jane Doe" in listed
    shown = program("khard", "-c", config, "email", "--parsable", "jane")
    assert "jane@example.org" in shown
    assert "+1 23" in program("khard", "-c", config, "phone", "--parsable", "jane")
    assert "Jane Doe" in program("khard", "-c", config, "birthdays")
    assert "BDAY" in program("khard", "-c", config, "show", "--format", "vcard", "jane")
    text = "First name : New\nLast name : Person\nEmail :\n    work : new@example.org\n"
    program("khard", "-c", config, "new", "-a", "book", "-i", "-", stdin=text)
    synced.run("sync")
    query = (
        b'<r:addressbook-query xmlns:r="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop>'
        b'<r:address-data/></prop><r:filter><r:prop-filter name="EMAIL"><r:text-match>new@example'
        b"</r:text-match></r:prop-filter></r:filter></r:addressbook-query>"
    )
    assert b"Person" in call(demo, "REPORT", path, query)
    program("khard", "-c", config, "remove", "--force", "jane")
    synced.run("sync")
    found = call(
        demo, "PROPFIND", path, b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    )
    assert b"b.vcf" not in found
