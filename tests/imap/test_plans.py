"""What the plan of an account allows over IMAP; changes of it act at once."""

from __future__ import annotations

from folkmoot.storage.types import Feature, Limit, Tool
from folkmoot.storage.types_accounts import Terms
from tests.kit.messages import simple
from tests.kit.server import TestServer

NO_IMAP = Terms(withheld=frozenset({Feature.IMAP}))
SIZE = len(simple())


def test_not_in_the_plan(server: TestServer) -> None:
    """The right password hears what lacks and counts as no failure; a wrong one hears nothing."""
    account = server.account()
    server.update(account, terms=NO_IMAP)
    for _ in range(30):
        answer = server.imap().cmd(f'LOGIN {account.address} "{account.password}"')
        assert (answer.status, answer.code) == ("NO", "CONTACTADMIN")
        assert "plan" in answer.text
    wrong = server.imap().cmd(f'LOGIN {account.address} "wrong"')
    assert wrong.code == "AUTHENTICATIONFAILED"
    server.update(account, terms=Terms())
    server.imap(account).ok("NOOP")


def test_open_sessions_end_when_the_plan_loses_imap(server: TestServer) -> None:
    """In IDLE too, at once; a plan that only gets better disturbs nobody."""
    account = server.account()
    client = server.imap(account, "INBOX")
    server.update(account, terms=Terms(mail_per_day=5))
    server.update(account, terms=Terms(withheld=frozenset({Feature.DRIVE})))
    assert client.wait_line("BYE").startswith(b"* BYE [EXPIRED]")
    client = server.imap(account, "INBOX")
    client.idle()
    server.update(account, terms=NO_IMAP)
    assert client.wait_line("BYE").startswith(b"* BYE [EXPIRED]")
    server.update(account, terms=Terms())
    client = server.imap(account, "INBOX")
    server.update(account, terms=Terms(groups=3, members=4))
    client.ok("NOOP")


def test_the_largest_item(server: TestServer) -> None:
    """APPEND, COPY and REPLACE of one octet more than allowed are refused, and leave nothing."""
    account = server.account(limits={Tool.MAIL: Limit(None, None, SIZE)})
    client = server.imap(account, "INBOX")
    client.append("INBOX", simple())
    larger = simple() + b"x"
    for command in ("APPEND INBOX", "REPLACE 1 INBOX"):
        answer = client.cmd(command.encode() + b" {%d+}\r\n%b" % (len(larger), larger))
        assert (answer.status, answer.code) == ("NO", "TOOBIG")
    server.update(account, limits={Tool.MAIL: Limit(None, None, SIZE - 1)})
    assert client.cmd("COPY 1 Archive").code == "TOOBIG"
    client.ok("MOVE 1 Archive")  # it stays where it is: in the space
    server.update(account, limits={Tool.MAIL: Limit(None, None, SIZE)})
    client.append("INBOX", simple())
    assert client.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 1")


def test_a_smaller_plan_keeps_what_is_there(server: TestServer) -> None:
    """All can be read, moved and removed; nothing is added until there is room again."""
    account = server.account()
    client = server.imap(account, "INBOX")
    for _ in range(3):
        client.append("INBOX", simple())
    server.update(account, limits={Tool.MAIL: Limit(None, 2)})
    append = b"APPEND INBOX {%d+}\r\n%b" % (SIZE, simple())
    answer = client.cmd(append)
    assert (answer.status, answer.code) == ("NO", "OVERQUOTA")
    assert "mailboxes are full" in answer.text
    assert len(client.ok("FETCH 1:3 (UID)").matching("UID")) == 3
    # The fourth is from the server, which tells it in spite of the limit.
    assert client.ok("FETCH 4 BODY[TEXT]").matching("4 of 2 messages") == []
    assert client.ok("FETCH 4 BODY[TEXT]").matching("3 of 2 messages")
    client.ok("MOVE 1 Archive")
    for _ in range(2):
        assert client.cmd(append).code == "OVERQUOTA"
        client.ok("STORE 1 +FLAGS (\\Deleted)")
        client.ok("EXPUNGE")
    assert client.cmd(append).code == "OVERQUOTA"
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    client.ok(append)
