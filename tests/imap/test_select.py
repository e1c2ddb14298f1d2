"""SELECT, EXAMINE, CLOSE, UNSELECT; CONDSTORE and QRESYNC (RFC 7162)."""

from __future__ import annotations

import re

from folkmoot.storage.mutations.upkeep import TrimLog
from folkmoot.storage.types import Actor
from tests.kit.imap import ImapClient, Response
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer


def _number(response: Response, name: str) -> int:
    match = re.search(rf"\[{name} (\d+)\]".encode(), b"\n".join(response.lines))
    assert match is not None, (name, response)
    return int(match[1])


def _filled(server: TestServer, count: int) -> tuple[TestAccount, ImapClient]:
    """An account with messages in INBOX, and a client that has it selected."""
    account = server.account()
    client = server.imap(account, "INBOX")
    for number in range(count):
        client.append("INBOX", simple(f"number {number}"))
    client.ok("NOOP")
    return account, client


# --- answers ---------------------------------------------------------------------------------


def test_select_tells_rev1_clients_all_they_need(server: TestServer) -> None:
    """FLAGS, EXISTS, RECENT, UNSEEN, PERMANENTFLAGS, UIDNEXT, UIDVALIDITY, HIGHESTMODSEQ."""
    # rfc3501#6.3.1, rfc3501#2.3.2
    account, client = _filled(server, 3)
    client.ok("STORE 1 +FLAGS.SILENT (\\Seen $Work)")
    response = server.imap(account).ok("SELECT INBOX")
    assert response.code == "READ-WRITE"
    text = b"\n".join(response.lines)
    assert b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)" in text
    assert b"[PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)]" in text
    assert b"* 3 EXISTS" in response.lines
    assert b"* 0 RECENT" in response.lines
    assert b"[UNSEEN 2]" in text
    assert _number(response, "UIDNEXT") == 4
    assert _number(response, "UIDVALIDITY") > 0
    assert _number(response, "HIGHESTMODSEQ") > 0


def test_select_tells_rev2_clients_nothing_that_rev2_dropped(server: TestServer) -> None:
    """No RECENT and UNSEEN, but LIST with the name in the server's spelling. # rfc9051#6.3.2"""
    # rfc9051#appendix-E
    account, _ = _filled(server, 1)
    client = server.imap(account)
    client.ok("ENABLE IMAP4rev2")
    response = client.ok("SELECT inbox")
    assert not response.matching("RECENT")
    assert not response.matching("[UNSEEN")
    [listed] = response.matching("* LIST")
    assert listed.endswith(b' "/" INBOX')


def test_examine_changes_nothing(server: TestServer) -> None:
    """EXAMINE answers READ-ONLY, keeps no flags, and refuses what would change the mailbox."""
    # rfc9051#6.3.3
    account, client = _filled(server, 1)
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    reader = server.imap(account)
    response = reader.ok("EXAMINE INBOX")
    assert response.code == "READ-ONLY"
    assert response.matching("[PERMANENTFLAGS ()]")
    for command in ("STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 Trash"):
        refused = reader.cmd(command)
        assert (refused.status, refused.code) == ("NO", "READ-ONLY"), command
    reader.ok("FETCH 1 BODY[]")
    reader.ok("CLOSE")
    assert client.ok("FETCH 1 FLAGS").lines == [b"* 1 FETCH (FLAGS (\\Deleted))"]


def test_names_of_inbox(server: TestServer) -> None:
    """INBOX has no case. # rfc9051#5.1"""
    client = server.imap(server.account())
    for name in ("INBOX", "inbox", '"InBox"'):
        client.ok(f"SELECT {name}")


def test_closed_separates_two_mailboxes(server: TestServer) -> None:
    """A client that selects another mailbox learns where the old one's responses end."""
    # rfc7162#3.2.11
    client = server.imap(server.account(), "INBOX")
    response = client.ok("SELECT Drafts")
    assert response.lines[0].startswith(b"* OK [CLOSED]")
    assert not server.imap(server.account()).ok("SELECT INBOX").matching("CLOSED")


def test_failed_select_leaves_nothing_selected(server: TestServer) -> None:
    """RFC 9051 section 6.3.2: NO means that no mailbox is selected any more."""
    client = server.imap(server.account(), "INBOX")
    response = client.cmd("SELECT Nowhere")
    assert (response.status, response.code) == ("NO", "NONEXISTENT")
    assert response.lines[0].startswith(b"* OK [CLOSED]")
    assert client.cmd("FETCH 1 FLAGS").status == "BAD"
    assert client.cmd("CLOSE").status == "BAD"


def test_select_that_is_not_understood_keeps_the_mailbox(server: TestServer) -> None:
    """BAD means that nothing was done."""
    _, client = _filled(server, 1)
    assert client.cmd("SELECT INBOX (NONSENSE)").status == "BAD"
    assert client.cmd("SELECT INBOX (QRESYNC (1 1))").status == "BAD"
    client.ok("FETCH 1 FLAGS")


# --- CLOSE, UNSELECT -------------------------------------------------------------------------


def test_close_removes_without_telling(server: TestServer) -> None:
    """CLOSE expunges silently; others hear of it. # rfc9051#6.4.1"""
    account, client = _filled(server, 3)
    other = server.imap(account, "INBOX")
    client.ok("STORE 2 +FLAGS (\\Deleted)")
    response = client.ok("CLOSE")
    assert not response.lines
    assert not response.code
    assert client.cmd("FETCH 1 FLAGS").status == "BAD"
    assert b"* 2 EXPUNGE" in other.ok("NOOP").lines


def test_unselect_keeps_what_is_marked(server: TestServer) -> None:
    """UNSELECT closes and removes nothing. # rfc9051#6.4.2, rfc3691#2"""
    account, client = _filled(server, 2)
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    assert not client.ok("UNSELECT").lines
    assert client.cmd("UNSELECT").status == "BAD"
    assert b"* 2 EXISTS" in server.imap(account).ok("SELECT INBOX").lines


def test_selected_mailbox_is_deleted_by_another_session(server: TestServer) -> None:
    """The session cannot go on with message numbers of nothing: it gets BYE, idle or not."""
    account = server.account()
    client = server.imap(account)
    client.ok("CREATE Gone")
    idle = server.imap(account, "Gone")
    idle.idle()
    closing = server.imap(account, "Gone")
    quiet = server.imap(account, "Gone")
    client.ok("DELETE Gone")
    assert idle.wait_line("BYE", 1.0)
    closing.ok("CLOSE")
    closing.ok("SELECT INBOX")
    quiet.start("NOOP")
    assert quiet.line().startswith(b"* BYE")
    assert quiet.at_end()


# --- CONDSTORE -------------------------------------------------------------------------------


def test_condstore_parameter_brings_modseqs(server: TestServer) -> None:
    """SELECT (CONDSTORE) makes every FETCH of flags carry MODSEQ, told ones too. # rfc7162#3.1.8"""
    account, client = _filled(server, 1)
    asking = server.imap(account)
    assert _number(asking.ok("SELECT INBOX (CONDSTORE)"), "HIGHESTMODSEQ") > 0
    client.ok("STORE 1 +FLAGS (\\Flagged)")
    [line] = asking.ok("NOOP").matching("FETCH")
    assert re.search(rb"MODSEQ \(\d+\)", line)
    [line] = client.ok("FETCH 1 FLAGS").matching("FETCH")
    assert b"MODSEQ" not in line


# --- QRESYNC ---------------------------------------------------------------------------------


def _resync(
    server: TestServer, account: TestAccount, parameters: str, enable: str = "QRESYNC"
) -> Response:
    client = server.imap(account)
    client.ok(f"ENABLE {enable}")
    return client.ok(f"SELECT INBOX (QRESYNC ({parameters}))")


def _state(server: TestServer, account: TestAccount) -> tuple[int, int]:
    response = server.imap(account).ok("EXAMINE INBOX")
    return _number(response, "UIDVALIDITY"), _number(response, "HIGHESTMODSEQ")


def test_qresync_tells_what_was_missed(server: TestServer) -> None:
    """Flags and removals since the client's modseq, and nothing else. # rfc7162#3.2.5"""
    account, client = _filled(server, 6)
    validity, modseq = _state(server, account)
    client.ok("STORE 2 +FLAGS (\\Flagged)")
    client.ok("STORE 4,5 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    client.append("INBOX", simple("new"))
    response = _resync(server, account, f"{validity} {modseq}")
    assert response.matching("VANISHED") == [b"* VANISHED (EARLIER) 4:5"]
    fetched = response.matching("FETCH")
    assert re.fullmatch(rb"\* 2 FETCH \(UID 2 FLAGS \(\\Flagged\) MODSEQ \(\d+\)\)", fetched[0])
    assert [re.match(rb"\* \d+ FETCH \(UID (\d+)", line)[1] for line in fetched] == [b"2", b"7"]  # type: ignore[index]
    vanished = response.lines.index(b"* VANISHED (EARLIER) 4:5")
    assert vanished < response.lines.index(fetched[0])
    assert b"* 5 EXISTS" in response.lines


def test_qresync_without_changes(server: TestServer) -> None:
    """A client that missed nothing is told nothing."""
    account, _ = _filled(server, 3)
    validity, modseq = _state(server, account)
    response = _resync(server, account, f"{validity} {modseq}")
    assert not response.matching("VANISHED")
    assert not response.matching("FETCH")


def test_qresync_with_known_uids(server: TestServer) -> None:
    """Only what the client says it knows is told. # rfc7162#3.2.5"""
    account, client = _filled(server, 6)
    validity, modseq = _state(server, account)
    client.ok("STORE 1,6 +FLAGS (\\Seen)")
    client.ok("STORE 3,4 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    response = _resync(server, account, f"{validity} {modseq} 1:3")
    assert response.matching("VANISHED") == [b"* VANISHED (EARLIER) 3"]
    [line] = response.matching("FETCH")
    assert b"UID 1 " in line


def test_qresync_with_another_uidvalidity(server: TestServer) -> None:
    """What the client knows belongs to another mailbox: it is ignored. # rfc7162#3.2.5"""
    account, client = _filled(server, 2)
    validity, modseq = _state(server, account)
    client.ok("STORE 1 +FLAGS (\\Seen)")
    response = _resync(server, account, f"{validity + 1} {modseq} 1:2")
    assert not response.matching("VANISHED")
    assert not response.matching("FETCH")
    assert b"* 2 EXISTS" in response.lines


def _trim(server: TestServer, kept: int) -> None:
    actor = Actor.system("test")
    assert server.store.call(actor, "trim", lambda txn: txn.apply(TrimLog(kept)))


def test_qresync_when_the_log_is_too_short(server: TestServer) -> None:
    """Below the floor of the log everything that is not there counts as vanished."""
    account, client = _filled(server, 8)
    validity, modseq = _state(server, account)
    client.ok("STORE 2,3 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    for _ in range(3):
        client.ok("STORE 1 +FLAGS (\\Seen)")
        client.ok("STORE 1 -FLAGS (\\Seen)")
    _trim(server, 2)
    response = _resync(server, account, f"{validity} {modseq}")
    assert response.matching("VANISHED") == [b"* VANISHED (EARLIER) 2:3"]
    assert [line.split()[1] for line in response.matching("FETCH")] == [b"1"]
    known = _resync(server, account, f"{validity} {modseq} 3:4294967295")
    assert known.matching("VANISHED") == [b"* VANISHED (EARLIER) 3"]


def test_qresync_with_sequence_match_data(server: TestServer) -> None:
    """Numbers and UIDs that still fit spare the removals below them (RFC 7162 3.2.5.2)."""
    # rfc7162#3.2.5.2
    account, client = _filled(server, 8)
    client.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    validity, modseq = _state(server, account)  # the client knows of 2
    client.ok("STORE 6 +FLAGS.SILENT (\\Deleted)")  # UID 7
    client.ok("EXPUNGE")
    for _ in range(2):
        client.ok("STORE 1 +FLAGS (\\Seen)")
        client.ok("STORE 1 -FLAGS (\\Seen)")
    _trim(server, 1)
    response = _resync(server, account, f"{validity} {modseq} 1:8 (1:2,4,7 1,3,5,8)")
    assert response.matching("VANISHED") == [b"* VANISHED (EARLIER) 7"]
    huge = f"{validity} {modseq} 1:8 (1:4294967295 1:4294967295)"
    assert _resync(server, account, huge).matching("VANISHED") == [b"* VANISHED (EARLIER) 2,7"]


def test_qresync_sessions_hear_vanished(server: TestServer) -> None:
    """After ENABLE QRESYNC removals are told as VANISHED, and EXPUNGE gives HIGHESTMODSEQ."""
    # rfc7162#3.2.10, rfc7162#3.2.7
    account, client = _filled(server, 3)
    synced = server.imap(account)
    assert synced.ok("ENABLE QRESYNC").lines == [b"* ENABLED QRESYNC"]
    synced.ok("SELECT INBOX")
    client.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)")
    synced.ok("NOOP")
    response = synced.ok("EXPUNGE")
    assert response.lines == [b"* VANISHED 1,3"]
    assert re.fullmatch(r"HIGHESTMODSEQ \d+", response.code)
    assert sorted(client.ok("NOOP").matching("EXPUNGE")) == [b"* 1 EXPUNGE", b"* 3 EXPUNGE"]


def test_open_session_survives_a_trimmed_log(server: TestServer) -> None:
    """A session whose own modseq fell below the floor compares all, and ends up right."""
    account, client = _filled(server, 5)
    quiet = server.imap(account, "INBOX")
    client.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    client.append("INBOX", simple("new"))
    client.ok("STORE 1 +FLAGS (\\Answered)")
    for _ in range(2):
        client.ok("STORE 3 +FLAGS (\\Seen)")
        client.ok("STORE 3 -FLAGS (\\Seen)")
    _trim(server, 1)
    lines = quiet.ok("NOOP").lines
    assert lines[:2] == [b"* 2 EXPUNGE", b"* 5 EXISTS"]
    assert b"* 1 FETCH (UID 1 FLAGS (\\Answered))" in lines
    assert not [line for line in lines if line.startswith(b"* 2 FETCH")]
    uids = b"* SEARCH 1 3 4 5 6"
    assert quiet.ok("UID SEARCH ALL").lines == [uids] == client.ok("UID SEARCH ALL").lines
