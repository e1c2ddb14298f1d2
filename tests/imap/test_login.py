"""Signing in: LOGIN, AUTHENTICATE, STARTTLS, and what ends a session from outside."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from OpenSSL import SSL

from folkmoot.protocols.imap.session import ImapLimits
from folkmoot.storage.types import AccountState
from tests.auth.support import ScramClient
from tests.kit import reactor
from tests.kit.imap import ImapClient, Response
from tests.kit.pace import within
from tests.kit.server import PASSWORD, MakeServer, TestAccount, TestServer
from tests.kit.waiting import until


def _context() -> SSL.Context:
    return SSL.Context(SSL.TLS_CLIENT_METHOD)


def _plain(name: str, password: str, authzid: str = "") -> bytes:
    return b64encode(f"{authzid}\0{name}\0{password}".encode())


def _answer(client: ImapClient, response: bytes) -> None:
    assert client.line().startswith(b"+")
    client.send(response + b"\r\n")


def _is_bye(line: bytes) -> bool:
    return line.startswith(b"* BYE")


# --- LOGIN -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ['LOGIN {0} "{1}"', 'LOGIN "{0}" "{1}"', 'login "{0}" "{1}"'])
def test_login_forms(server: TestServer, form: str) -> None:
    """Atoms, quoted strings and any case of the command are what clients send. # rfc9051#6.2.3"""
    account = server.account()
    response = server.imap().ok(form.format(account.address, account.password))
    assert response.code.startswith("CAPABILITY IMAP4rev1 ")
    assert "AUTH=" not in response.code


def test_login_with_literals(server: TestServer) -> None:
    """Name and password as literals, synchronising and not. # rfc9051#4.3"""
    account = server.account()
    client = server.imap()
    tag = client.start(f"LOGIN {{{len(account.address)}}}")
    assert client.line().startswith(b"+")
    client.send(f"{account.address} {{{len(PASSWORD)}+}}\r\n{PASSWORD}\r\n".encode())
    assert client.finish(tag).status == "OK"


def test_login_with_utf8_password(server: TestServer) -> None:
    """A password outside US-ASCII comes as UTF-8, quoted or literal."""
    account = server.account()
    password = "pässwört 密码 lang"
    reactor.call(lambda: server.accounts.set_password(account.address, password))
    octets = password.encode()
    server.imap().ok(f'LOGIN {account.address} "{password}"')
    server.imap().ok(b"LOGIN %b {%d+}\r\n%b" % (account.address.encode(), len(octets), octets))


def test_login_with_escaped_password(server: TestServer) -> None:
    """Quotes and backslashes are escaped in quoted strings."""
    account = server.account()
    reactor.call(lambda: server.accounts.set_password(account.address, 'a "b\\c" d quoted'))
    server.imap().ok(f'LOGIN {account.address} "a \\"b\\\\c\\" d quoted"')


def test_wrong_password(server: TestServer) -> None:
    """Wrong password and unknown name look alike, and the session may try again."""
    account = server.account()
    client = server.imap()
    wrong = client.cmd(f"LOGIN {account.address} wrong")
    unknown = client.cmd("LOGIN nobody@example.test wrong")
    assert (wrong.status, wrong.code) == ("NO", "AUTHENTICATIONFAILED")
    assert (wrong.status, wrong.text) == (unknown.status, unknown.text)
    client.login(account.address, account.password)


def test_login_that_is_not_utf8(server: TestServer) -> None:
    """Octets that are no text get BAD and the session goes on."""
    client = server.imap()
    assert client.cmd(b'LOGIN "\xff\xfe" "\xff"').status == "BAD"
    client.ok("NOOP")


def test_login_twice(server: TestServer) -> None:
    """LOGIN and AUTHENTICATE belong to the state before login. # rfc9051#3"""
    account = server.account()
    client = server.imap(account)
    assert client.cmd(f'LOGIN {account.address} "{PASSWORD}"').status == "BAD"
    assert client.cmd("AUTHENTICATE PLAIN").status == "BAD"


def test_disabled_account(server: TestServer) -> None:
    """A disabled account cannot sign in."""
    account = server.account()
    reactor.call(lambda: server.accounts.set_state(account.address, AccountState.DISABLED))
    response = server.imap().cmd(f'LOGIN {account.address} "{PASSWORD}"')
    assert response.status == "NO"


def test_app_password_for_its_protocol_only(server: TestServer) -> None:
    """An app password opens what it was made for and nothing else."""
    account = server.account()

    def made(name: str, protocol: str) -> str:
        return reactor.call(
            lambda: server.accounts.add_app_password(account.address, name, (protocol,))
        )[1]

    server.imap().ok(f'LOGIN {account.address} "{made("phone", "imap")}"')
    other = server.imap().cmd(f'LOGIN {account.address} "{made("printer", "submission")}"')
    assert (other.status, other.code) == ("NO", "AUTHENTICATIONFAILED")


def test_throttled(server: TestServer) -> None:
    """Many different wrong passwords: the answer says that it is not the password any more."""
    account = server.account()
    client = server.imap()
    for number in range(40):
        response = client.cmd(f"LOGIN {account.address} wrong{number}")
        assert response.status == "NO"
        if response.code == "UNAVAILABLE":
            return
        assert response.code == "AUTHENTICATIONFAILED"
    pytest.fail("never throttled")


# --- AUTHENTICATE ----------------------------------------------------------------------------


def test_authenticate_plain_with_initial_response(server: TestServer) -> None:
    """SASL-IR saves the client a round trip. # rfc4959#3, rfc4616#2"""
    account = server.account()
    client = server.imap()
    response = client.ok(b"AUTHENTICATE PLAIN " + _plain(account.address, PASSWORD))
    assert response.code.startswith("CAPABILITY ")


def test_authenticate_plain_without_initial_response(server: TestServer) -> None:
    """The server asks with an empty challenge. # rfc9051#6.2.2, rfc9051#7.6"""
    account = server.account()
    client = server.imap()
    tag = client.start("authenticate plain")
    assert client.line() == b"+ "
    client.send(_plain(account.address, PASSWORD) + b"\r\n")
    assert client.finish(tag).status == "OK"


def test_authenticate_login(server: TestServer) -> None:
    """The old LOGIN mechanism asks for the name, then for the password."""
    account = server.account()
    client = server.imap()
    tag = client.start("AUTHENTICATE LOGIN")
    for value in (account.address, PASSWORD):
        _answer(client, b64encode(value.encode()))
    assert client.finish(tag).status == "OK"


def test_authenticate_login_with_initial_response(server: TestServer) -> None:
    """Outlook sends the name with the command."""
    account = server.account()
    client = server.imap()
    tag = client.start(b"AUTHENTICATE LOGIN " + b64encode(account.address.encode()))
    _answer(client, b64encode(PASSWORD.encode()))
    assert client.finish(tag).status == "OK"


def test_authenticate_with_wrong_password(server: TestServer) -> None:
    """The same answer as LOGIN gives."""
    account = server.account()
    response = server.imap().cmd(b"AUTHENTICATE PLAIN " + _plain(account.address, "wrong"))
    assert (response.status, response.code) == ("NO", "AUTHENTICATIONFAILED")


@pytest.mark.parametrize("response", [b"*", b"not base64!", b"AAA", b"\xff\xff", b"=" * 5])
def test_authenticate_given_up(server: TestServer, response: bytes) -> None:
    """A star cancels, broken base64 is refused; both with BAD, and the session goes on."""
    # rfc9051#6.2.2
    account = server.account()
    client = server.imap()
    tag = client.start("AUTHENTICATE PLAIN")
    _answer(client, response)
    assert client.finish(tag).status == "BAD"
    client.login(account.address, PASSWORD)


@pytest.mark.parametrize("initial", [b"!!!!", b"AAA", b"="])
def test_authenticate_with_broken_initial_response(server: TestServer, initial: bytes) -> None:
    """Nothing that is sent as initial response breaks the session; "=" is an empty response."""
    # rfc4959#3
    client = server.imap()
    assert client.cmd(b"AUTHENTICATE PLAIN " + initial).status in ("BAD", "NO")
    client.ok("NOOP")


def test_authenticate_with_a_response_too_long(server: TestServer) -> None:
    """A response of any length costs bounded memory."""
    client = server.imap()
    tag = client.start("AUTHENTICATE PLAIN")
    _answer(client, b"A" * 100_000)
    assert client.finish(tag).status == "BAD"
    client.ok("NOOP")


def test_unknown_mechanism(server: TestServer) -> None:
    """What is not offered is refused."""
    client = server.imap()
    for mechanism in ("CRAM-MD5", "SCRAM-SHA-256-PLUS", "EXTERNAL", "GSSAPI"):
        assert client.cmd(f"AUTHENTICATE {mechanism}").status == "NO"


def _scram(
    client: ImapClient, mechanism: str, scram: ScramClient, *, with_initial: bool
) -> Response:
    first = b64encode(scram.first())
    if with_initial:
        tag = client.start(b"AUTHENTICATE %b %b" % (mechanism.encode(), first))
    else:
        tag = client.start(f"AUTHENTICATE {mechanism}")
        _answer(client, first)
    challenge = client.line()
    if not challenge.startswith(b"+ "):
        return Response(status=challenge.split()[1].decode())
    client.send(b64encode(scram.final(b64decode(challenge[2:]))) + b"\r\n")
    last = client.line()
    if not last.startswith(b"+ "):
        return Response(status=last.split()[1].decode())
    assert b64decode(last[2:]) == b"v=" + b64encode(scram.server_signature)
    client.send(b"\r\n")
    return client.finish(tag)


@pytest.mark.parametrize("with_initial", [True, False])
def test_scram(server: TestServer, with_initial: bool) -> None:
    """SCRAM proves the password without sending it. # rfc5802#3, rfc7677#3"""
    account = server.account()
    client = server.imap()
    scram = ScramClient(account.address, PASSWORD)
    assert _scram(client, "SCRAM-SHA-256", scram, with_initial=with_initial).status == "OK"
    client.ok("SELECT INBOX")


def test_scram_with_wrong_password(server: TestServer) -> None:
    """A wrong proof is refused."""
    account = server.account()
    client = server.imap()
    scram = ScramClient(account.address, "wrong")
    assert _scram(client, "SCRAM-SHA-256", scram, with_initial=True).status == "NO"
    client.ok("NOOP")


def _exporter(client: ImapClient) -> bytes:
    return bytes(client.socket.export_keying_material(b"EXPORTER-Channel-Binding", 32, b""))


@pytest.mark.parametrize("implicit", [True, False])
def test_scram_plus_is_bound_to_the_tls_connection(make: MakeServer, implicit: bool) -> None:
    """SCRAM-PLUS with tls-exporter (RFC 9266), over implicit TLS and STARTTLS. # rfc5802#6"""
    with make(tls=True, plaintext_logins=False) as server:
        account = server.account()
        if implicit:
            client = ImapClient("127.0.0.1", server.imaps_port, tls=_context())
        else:
            client = server.imap()
            client.ok("STARTTLS")
            client.start_tls(_context())
        capabilities = client.ok("CAPABILITY").lines[0]
        assert b"AUTH=SCRAM-SHA-256-PLUS" in capabilities
        header = "p=tls-exporter,,"
        wrong = ScramClient(account.address, PASSWORD, header=header, channel=b"x" * 32)
        assert _scram(client, "SCRAM-SHA-256-PLUS", wrong, with_initial=True).status == "NO"
        scram = ScramClient(account.address, PASSWORD, header=header, channel=_exporter(client))
        assert _scram(client, "SCRAM-SHA-256-PLUS", scram, with_initial=True).status == "OK"


# --- TLS -------------------------------------------------------------------------------------


def test_plaintext_is_refused_where_it_is_not_allowed(make: MakeServer) -> None:
    """Without TLS no password is taken; the client is told before and after it tries."""
    # rfc9051#6.2.3
    with make(tls=True, plaintext_logins=False) as server:
        account = server.account()
        client = server.imap()
        assert b" LOGINDISABLED " in client.greeting
        assert b" STARTTLS" in client.greeting
        assert b"AUTH=PLAIN" not in client.greeting
        for command in (
            f'LOGIN {account.address} "{PASSWORD}"'.encode(),
            b"AUTHENTICATE PLAIN " + _plain(account.address, PASSWORD),
            b"AUTHENTICATE LOGIN",
        ):
            response = client.cmd(command)
            assert (response.status, response.code) == ("NO", "PRIVACYREQUIRED")


def test_starttls(make: MakeServer) -> None:
    """After STARTTLS the capabilities are others, and passwords are taken. # rfc9051#6.2.1"""
    with make(tls=True, plaintext_logins=False) as server:
        account = server.account()
        client = server.imap()
        client.ok("STARTTLS")
        client.start_tls(_context())
        capabilities = client.ok("CAPABILITY").lines[0]
        assert b"LOGINDISABLED" not in capabilities
        assert b"STARTTLS" not in capabilities
        assert b"AUTH=PLAIN" in capabilities
        assert client.cmd("STARTTLS").status == "BAD"
        client.login(account.address, PASSWORD)
        client.ok("SELECT INBOX")


def test_implicit_tls(make: MakeServer) -> None:
    """TLS from the first octet; STARTTLS is not offered there."""
    with make(tls=True, plaintext_logins=False) as server:
        account = server.account()
        client = ImapClient("127.0.0.1", server.imaps_port, tls=_context())
        assert b"STARTTLS" not in client.greeting
        client.login(account.address, PASSWORD)
        message = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 40_000
        client.append("INBOX", message)
        client.ok("SELECT INBOX")
        assert message in client.ok("FETCH 1 BODY.PEEK[]").lines[0]


def test_starttls_injection(make: MakeServer) -> None:
    """What came in the same packet behind STARTTLS was not protected and is not obeyed."""
    # rfc9051#6.2.1
    with make(tls=True, plaintext_logins=False) as server:
        client = server.imap()
        client.send(b'a STARTTLS\r\nb ID ("name" "injected")\r\nc NOOP\r\nd LOG')
        assert client.line().startswith(b"a OK")
        client.start_tls(_context())
        client.send(b"e NOOP\r\n")
        assert client.line() == b"e OK NOOP completed"


def test_starttls_where_there_is_none(server: TestServer) -> None:
    """Not offered and not taken."""
    client = server.imap()
    assert b"STARTTLS" not in client.greeting
    assert client.cmd("STARTTLS").status == "BAD"


# --- ended from outside ----------------------------------------------------------------------


def _ends_within_a_second(server: TestServer, end: Callable[[TestAccount], object]) -> None:
    account = server.account()
    idle = server.imap(account, "INBOX")
    idle.idle()
    quiet = server.imap(account)
    other = server.imap(server.account())
    with within(1.5):
        end(account)
        assert _is_bye(idle.wait_line("BYE", 1.0))
        assert idle.at_end()
        assert _is_bye(quiet.wait_line("BYE", 1.0))
    other.ok("NOOP")


def test_password_change_ends_sessions(server: TestServer) -> None:
    """Whoever had the old password is put out at once, also while idle."""
    _ends_within_a_second(
        server,
        lambda account: reactor.call(
            lambda: server.accounts.set_password(account.address, "another good password")
        ),
    )


def test_disabling_ends_sessions(server: TestServer) -> None:
    """A disabled account's sessions end at once."""
    _ends_within_a_second(
        server,
        lambda account: reactor.call(
            lambda: server.accounts.set_state(account.address, AccountState.DISABLED)
        ),
    )


def test_deleting_ends_sessions(server: TestServer) -> None:
    """A deleted account's sessions end at once."""
    _ends_within_a_second(
        server, lambda account: reactor.call(lambda: server.accounts.delete(account.address))
    )


# --- how many --------------------------------------------------------------------------------


def test_too_many_connections_of_an_address(make: MakeServer) -> None:
    """One more than allowed is told so and closed; a place that becomes free is given again."""
    with make(ImapLimits(connections_per_address=3)) as server:
        clients = [server.imap() for _ in range(3)]
        refused = server.imap()
        assert refused.greeting.startswith(b"* BYE [LIMIT]")
        assert refused.at_end()
        clients.pop().ok("LOGOUT")
        until(lambda: server.imap().greeting.startswith(b"* OK"))


def test_too_many_connections_of_an_account(make: MakeServer) -> None:
    """The login is refused; other accounts are not concerned."""
    with make(ImapLimits(connections_per_account=2)) as server:
        account = server.account()
        first, _ = server.imap(account), server.imap(account)
        third = server.imap()
        response = third.cmd(f'LOGIN {account.address} "{PASSWORD}"')
        assert (response.status, response.code) == ("NO", "LIMIT")
        server.imap(server.account())
        first.ok("LOGOUT")
        until(lambda: third.cmd(f'LOGIN {account.address} "{PASSWORD}"').status == "OK")


def test_clients_that_leave_while_they_sign_in_are_not_counted(make: MakeServer) -> None:
    """A connection that dies while its password is checked gives its place back."""
    with make(ImapLimits(connections_per_account=2)) as server:
        account = server.account()
        for _ in range(6):
            client = server.imap()
            client.start(f'LOGIN {account.address} "{PASSWORD}"')
            client.close()
        until(lambda: not server.factory.connections)
        time.sleep(0.2)
        server.imap(account)
        server.imap(account)
