"""Nobody gets an octet past the limit, however many write at once; what is cut off is free."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from folkmoot.storage.types import Limit, Tool, Usage
from tests.kit import reactor
from tests.kit.dav import HOME, Dav
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer
from tests.kit.waiting import until

WRITERS = 32
FIT = 10
SIZE = len(simple())


def usage(server: TestServer, account: TestAccount, tool: Tool) -> Usage:
    """What an account is charged."""
    details = reactor.call(lambda: server.accounts.show(account.address))
    return next(used for used in details.usage if used.tool is tool)


def at_once(write: Callable[[int], str]) -> Counter[str]:
    """What comes of many writers that begin together."""
    outcomes: list[str] = []
    ready = threading.Barrier(WRITERS)

    def work(number: int) -> None:
        ready.wait(30)
        outcomes.append(write(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return Counter(outcomes)


@pytest.mark.parametrize("spare", [0, SIZE - 1])
def test_append(any_server: TestServer, spare: int) -> None:
    """Exactly as many messages as fit are taken, all others are refused with OVERQUOTA."""
    server = any_server
    account = server.account(limits={Tool.MAIL: Limit(FIT * SIZE + spare, None)})
    clients = [server.imap(account) for _ in range(WRITERS)]
    command = b"APPEND INBOX {%d+}\r\n%b" % (SIZE, simple())

    def append(number: int) -> str:
        answer = clients[number].cmd(command)
        return answer.status if answer.status == "OK" else answer.code

    assert at_once(append) == {"OK": FIT, "OVERQUOTA": WRITERS - FIT}
    found = usage(server, account, Tool.MAIL)
    assert (found.bytes_used, found.items_used) == (FIT * SIZE, FIT)


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_put(any_server: TestServer, size: int) -> None:
    """The same for files, small and spooled ones; some of which replace what is there."""
    server = any_server
    account = server.account(limits={Tool.DOCUMENTS: Limit(FIT * size + size - 1, None)})
    clients = [Dav(server, account) for _ in range(WRITERS)]

    def put(number: int) -> str:
        return str(clients[number].call("PUT", f"file-{number}", b"x" * size).status)

    assert at_once(put) == {"201": FIT, "507": WRITERS - FIT}
    found = usage(server, account, Tool.DOCUMENTS)
    assert (found.bytes_used, found.items_used) == (FIT * size, FIT)
    # All to one name, in turn larger and smaller than what is there: none passes the limit.
    first = clients[0].propfind("", "getcontentlength", depth=1).hrefs[1]

    def replace(number: int) -> str:
        body = b"x" * (size + (number % 2) * size)
        return str(clients[number].call("PUT", first, body).status)

    outcome = at_once(replace)
    assert set(outcome) <= {"204", "507"}
    assert outcome["507"] == WRITERS // 2
    assert usage(server, account, Tool.DOCUMENTS).bytes_used == FIT * size


def test_items(any_server: TestServer) -> None:
    """Numbers of items are as exact as octets."""
    server = any_server
    account = server.account(limits={Tool.DOCUMENTS: Limit(None, FIT)})
    clients = [Dav(server, account) for _ in range(WRITERS)]
    outcome = at_once(lambda n: str(clients[n].call("PUT", f"file-{n}", b"").status))
    assert outcome == {"201": FIT, "507": WRITERS - FIT}


def test_cut_off(server: TestServer) -> None:
    """Half a PUT and half an APPEND give back what they would have taken."""
    limits = {Tool.DOCUMENTS: Limit(400_000, 1), Tool.MAIL: Limit(400_000, 1)}
    account = server.account(limits=limits)
    for _ in range(3):
        http = server.http(account)
        http.head("PUT", HOME + "a", length=400_000)
        http.send(b"x" * 300_000)
        http.socket.shutdown(socket.SHUT_RDWR)
        http.close()
        imap = server.imap(account)
        imap.start(b"APPEND INBOX {400000+}\r\n" + b"x" * 300_000)
        imap.close()
    temporary = server.folder / "blobs" / "tmp"
    until(lambda: not any(temporary.glob("*")))
    for tool in (Tool.DOCUMENTS, Tool.MAIL):
        found = usage(server, account, tool)
        assert (found.bytes_used, found.items_used) == (0, 0)
    Dav(server, account).put("a", b"x" * 400_000)
    server.imap(account).append("INBOX", b"x" * 400_000)
