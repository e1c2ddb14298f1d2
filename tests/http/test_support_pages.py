"""The pages about support, as a browser without scripts uses them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from folkmoot.auth.page_tokens import PageTokens
from folkmoot.storage.types_support import SupportScope, SupportWish
from tests.kit import reactor
from tests.kit.databases import Databases
from tests.kit.http import Answer, HttpClient
from tests.kit.server import PASSWORD, TestAccount, TestAgent, TestServer

ALL = {"tools": ["mail", "calendar", "contacts", "documents"]}
Fields = Mapping[str, str | Sequence[str]]


class Browser:
    """Keeps its cookie, follows where forms lead, and reads tokens from pages."""

    def __init__(self, server: TestServer, area: str) -> None:
        self.http: HttpClient = server.http()
        self.root = f"/support/{area}"
        self.cookie = ""
        self.page = self.get()

    def get(self, name: str = "") -> str:
        """A page of the area as text."""
        answer = self.http.request("GET", self.root + name, self._fields())
        self.status, self.page = answer.status, answer.text
        self._keep(answer)
        return self.page

    def post(self, name: str, fields: Fields, **header: str) -> str:
        """Send the form of a page and look at what follows."""
        answer = self.send(name, fields, **header)
        self.status, self.page = answer.status, answer.text
        if answer.status == 303:
            place = answer.header("Location")
            assert place is not None
            self.get(place.removeprefix(self.root))
        return self.page

    def send(self, name: str, fields: Fields, **header: str) -> Answer:
        """The answer to a form itself."""
        token = re.search(r'name="token" value="([^"]+)"', self.page)
        data = {"token": token[1] if token is not None else "", **fields}
        given = [(key.replace("_", "-"), value) for key, value in header.items()]
        given.append(("Content-Type", "application/x-www-form-urlencoded"))
        answer = self.http.request(
            "POST", f"{self.root}/{name}", [*self._fields(), *given], urlencode(data, doseq=True)
        )
        self._keep(answer)
        return answer

    def sign_in(self, name: str, password: str = PASSWORD) -> str:
        """With the form; what is shown then."""
        return self.post("sign-in", {"name": name, "password": password, "code": ""})

    def _fields(self) -> list[tuple[str, str]]:
        return [("Cookie", f"other=1; {self.cookie}")] if self.cookie else []

    def _keep(self, answer: Answer) -> None:
        cookie = answer.header("Set-Cookie")
        if cookie is not None:
            self.cookie = cookie.partition(";")[0]


@pytest.fixture(scope="module")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    """One for all tests."""
    made = TestServer(databases.fresh("sqlite"), tmp_path_factory.mktemp("support"))
    yield made
    made.stop()


@pytest.fixture
def customer(server: TestServer) -> TestAccount:
    """Somebody with an account."""
    return server.account()


@pytest.fixture
def agent(server: TestServer) -> TestAgent:
    """Somebody of support."""
    return server.agent()


def text(page: str) -> str:
    """What people read of a page."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page))


def key_on(page: str) -> tuple[str, str]:
    """User name and key that a page shows."""
    name, key = re.findall(r"<code>([^<]+)</code>", page)
    return html.unescape(name), key


def test_a_customer_lets_an_agent_in_and_out(
    server: TestServer, customer: TestAccount, agent: TestAgent
) -> None:
    """Grants, the session that they open, what both see of it, and the end."""
    owner, desk = Browser(server, "account"), Browser(server, "desk")
    assert "Nobody of support" in owner.sign_in(customer.address)
    assert "Let support in" in owner.get("/grant")
    told = owner.post("grant", {"to": agent.address, "period": "2h", **ALL, "more": "read-only"})
    assert f"{agent.address} may come in until" in text(told)
    assert "all tools, only reads, without export" in text(owner.get())
    desk.sign_in(agent.address)
    opened = desk.post("open", {"account": customer.address, "reason": "<b>to help</b>"})
    name, key = key_on(opened)
    assert name == f"{customer.address}*{agent.address}"
    assert "<b>" not in opened
    assert key not in desk.get()
    assert "<b>to help</b>" in text(desk.page)
    imap = server.imap()
    assert imap.login(name, key)
    assert "<b>to help</b>" in text(owner.get("/logins"))
    assert "imap" in text(owner.page)
    imap.ok("SELECT INBOX")
    assert imap.cmd("CREATE New").status == "NO"
    done = text(owner.get("/trail"))
    assert "CreateMailbox" in done
    assert "refused" in done
    number = re.search(r'name="grant" value="(\d+)"', owner.get())
    assert number is not None
    assert "withdrawn" in owner.post("withdraw", {"grant": number[1]})
    assert 'name="grant"' not in owner.page
    assert "None." in desk.get()
    assert "no access to such an account" in desk.post(
        "open", {"account": customer.address, "reason": "again"}
    )


def test_all_logins_are_shown(server: TestServer, customer: TestAccount, agent: TestAgent) -> None:
    """Page by page, each login once, also when there are many."""
    inside = server.let_in(agent, customer)
    for _ in range(120):
        assert server.imap(inside)
    owner = Browser(server, "account")
    owner.sign_in(customer.address)
    owner.get("/logins")
    earlier = re.search(r'href="/support/account(/logins\?below=\d+)"', owner.page)
    assert earlier is not None
    rows = owner.page.count("<tr><td>") + owner.get(earlier[1]).count("<tr><td>")
    assert rows == len(reactor.call(lambda: server.desk.logins(customer.address))) == 120
    assert "Earlier" not in owner.page


def test_an_agent_ends_a_session(
    server: TestServer, customer: TestAccount, agent: TestAgent
) -> None:
    """One of the own; not those of others."""
    reactor.call(lambda: server.desk.grant(customer.address, agent.address))
    desk, other = Browser(server, "desk"), Browser(server, "desk")
    desk.sign_in(agent.address)
    name, key = key_on(desk.post("open", {"account": customer.address, "reason": "x"}))
    number = re.search(r'name="session" value="(\d+)"', desk.page)
    assert number is not None
    other.sign_in(server.agent().address)
    assert "no such thing" in other.post("end", {"session": number[1]})
    assert server.imap().login(name, key)
    assert "has ended" in desk.post("end", {"session": number[1]})
    assert "None." in desk.get()
    with pytest.raises(AssertionError):
        server.imap().login(name, key)


def test_help(server: TestServer, customer: TestAccount, agent: TestAgent) -> None:
    """A message and one call-back: booked, seen by the desk, called off, answered. # M6.2"""
    owner, desk = Browser(server, "account"), Browser(server, "desk")
    owner.sign_in(customer.address)
    desk.sign_in(agent.address)
    assert "Mon-Fri 09:00-17:00 (UTC)" in text(owner.get("/help"))
    what = {"subject": "<b>Set-up</b>", "phone": "+1 23", "text": "two\r\nlines ä" * 1000}
    assert "has the number" in owner.post("contact", what)
    day = datetime.now(UTC).date() + timedelta(days=7)
    monday = day + timedelta(days=-day.weekday() % 7)
    window = {"day": monday.isoformat(), "from": "09:00", "to": "10:30"}
    assert "invitation" in owner.post("book", {**what, **window})
    assert f"{monday} 09:00–10:30 UTC" in text(owner.page)
    assert "booked already" in owner.post("book", {**what, **window})
    assert owner.status == 409
    for wrong in ({"from": "08:00"}, {"day": "soon"}, {"to": "09:00"}, {"day": "2020-01-06"}):
        owner.post("book", {**what, **window, **wrong})
        assert owner.status == 403
    for page in (owner.get("/help"), desk.get("/help")):
        assert "<b>" not in page
        assert "<b>Set-up</b>" in text(page)
    assert customer.address in desk.page
    assert "two\nlines ä" in text(desk.page).replace("\r", "")
    numbers = re.findall(r'name="number" value="(\d+)"', owner.page)
    contact, booking = sorted(map(int, numbers))
    other = Browser(server, "account")
    other.sign_in(server.account().address)
    other.get("/help")
    assert "no such" in other.post("take-back", {"number": str(booking)})
    assert "taken back" in owner.post("take-back", {"number": str(booking)})
    assert "closed" in owner.page
    assert "invitation" in owner.post("book", {**what, **window})
    assert "is closed" in desk.post("answered", {"number": str(contact)})
    assert f'value="{contact}"' not in desk.page
    imap = server.imap(customer)
    imap.ok("SELECT INBOX")
    found = {
        words: len(imap.ok(f'SEARCH SUBJECT "Call-back {words}"').lines[0].split()) - 2
        for words in ("booked", "called off")
    }
    assert found == {"booked": 2, "called off": 1}
    inside = server.let_in(agent, customer)
    browser = Browser(server, "account")
    browser.sign_in(inside.address, inside.password)
    assert customer.address in browser.page
    assert "not have the right" in browser.post("contact", what)
    browser.get("/help")
    assert browser.status == 403


def test_asking_to_be_let_in(server: TestServer, customer: TestAccount, agent: TestAgent) -> None:
    """A mail with a link, and the same words for an account that is not there."""
    desk = Browser(server, "desk")
    desk.sign_in(agent.address)
    desk.get("/request")
    wish = {"reason": "calendar", "period": "1h", "tools": "calendar"}
    told = [
        desk.post("request", {"account": account, **wish})
        for account in (customer.address, "nobody@example.test", "no address")
    ]
    assert len({re.sub(r'value="[^"]*"', "", each) for each in told}) == 1
    [letter] = [each for each in server.letters if each[0] == customer.address]
    link = re.search(r"/support/(\S+)", letter[2])
    assert link is not None
    page = server.http().request("GET", f"/support/{link[1]}")
    assert "calendar, reads and changes, without export" in page.text
    assert "at least one tool" in desk.post("request", {"account": "x", "reason": "y"})


def test_until_midnight_where_the_customer_is(
    server: TestServer, customer: TestAccount, agent: TestAgent
) -> None:
    """A link for "today" asks for the time zone; the grant ends at midnight there. # M7.4"""
    wish = SupportWish("calendar", "today", SupportScope())
    signed_in = reactor.call(lambda: server.staff.sign_in(agent.address, PASSWORD, "", "local"))
    reactor.call(lambda: server.desk.request_as(signed_in, customer.address, wish))
    [letter] = [each for each in server.letters if each[0] == customer.address]
    link = re.search(r"/support/(\S+)", letter[2])
    assert link is not None
    http, path = server.http(), f"/support/{link[1]}"
    assert 'name="zone" value="UTC"' in http.request("GET", path).text

    def confirm(zone: str) -> Answer:
        body = urlencode({"password": PASSWORD, "zone": zone})
        kind = [("Content-Type", "application/x-www-form-urlencoded")]
        return http.request("POST", path, kind, body)

    assert "no time zone" in confirm("Nowhere").text
    assert confirm("Pacific/Kiritimati").status == 200
    [grant] = reactor.call(lambda: server.desk.grants(customer.address))
    assert grant.ends is not None
    until = datetime.fromtimestamp(grant.ends, ZoneInfo("Pacific/Kiritimati"))
    assert (until.hour, until.minute) == (0, 0)


def test_no_way_in(server: TestServer, customer: TestAccount, agent: TestAgent) -> None:
    """Wrong, absent and foreign credentials look the same; customers are no agents."""
    for area, names in (
        ("account", (customer.address, "nobody@example.test", agent.address, "")),
        ("desk", (agent.address, "nobody@support.test", "")),
    ):
        browser = Browser(server, area)
        pages = {browser.sign_in(name, "wrong") for name in names}
        assert len(pages) == 1
        assert browser.status == 401
        assert browser.cookie == ""
        assert "<h2>" not in browser.get()
    browser = Browser(server, "desk")
    assert "wrong" in browser.sign_in(customer.address)
    browser = Browser(server, "account")
    assert "wrong" in browser.sign_in(agent.address)
    assert browser.post("grant", {"to": agent.address, **ALL}) == browser.get()


def test_guessing_is_slowed_down(server: TestServer, agent: TestAgent) -> None:
    """Like everywhere."""
    browser = Browser(server, "desk")
    for number in range(30):
        browser.sign_in(agent.address, f"wrong {number}")
        if browser.status == 503:
            break
    assert browser.status == 503
    browser.sign_in(agent.address)
    assert browser.status == 503


def test_forms_of_others(server: TestServer, customer: TestAccount, agent: TestAgent) -> None:
    """What a page of another site sends does nothing, whatever the browser adds to it."""
    owner = Browser(server, "account")
    owner.sign_in(customer.address)
    owner.get("/grant")
    grant = {"to": agent.address, **ALL}
    for header in (
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
    ):
        assert owner.send("grant", grant, **header).status == 403
    for token in ("", "x", "ä"):
        assert owner.send("grant", {**grant, "token": token}).status == 403
    assert owner.send("sign-in", {}, Origin="https://evil.test").status == 403
    assert owner.send("grant", {"to": "x" * 140_000}).status == 413
    assert owner.send("grant", {str(number): "" for number in range(50)}).status == 400
    typed = [("Content-Type", "text/plain"), ("Cookie", owner.cookie)]
    assert owner.http.request("POST", "/support/account/grant", typed, "to=x").status == 415
    assert "Nobody of support" in owner.get()
    host = owner.http.host
    assert owner.send("grant", grant, Origin=f"http://{host}").status == 200
    assert agent.address in owner.get()


def test_cookies(server: TestServer, customer: TestAccount) -> None:
    """Neither scripts nor other sites get them; made up ones and those after the end are none."""
    owner = Browser(server, "account")
    answer = owner.send("sign-in", {"name": customer.address, "password": PASSWORD})
    cookie = answer.header("Set-Cookie")
    assert cookie is not None
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert customer.address in owner.get()
    again = owner.send("sign-in", {"name": customer.address, "password": PASSWORD})
    assert again.header("Set-Cookie") != cookie
    known, owner.cookie = owner.cookie, cookie.partition(";")[0]
    owner.get()
    page, owner.cookie = owner.page, known
    owner.page = page  # the form of one session is no form of another
    assert owner.send("withdraw", {"grant": "1"}).status == 403
    owner.get()
    kept, page = owner.cookie, owner.page
    owner.post("sign-out", {})
    assert owner.cookie == "support-account="
    assert customer.address not in owner.get()
    for copy in (known, kept):  # the session is over, and not the browser's cookie alone
        owner.cookie, owner.page = copy, page
        assert owner.send("sign-out", {}).header("Location") == "/support/account"
        assert customer.address not in owner.get()
        assert "Sign in" in owner.page
    other = Browser(server, "account")
    other.cookie = cookie.partition(";")[0]
    assert customer.address in other.get()  # that of another browser is not
    name, _, value = known.partition("=")
    packed, _, signature = value.partition(".")
    for made_up in ("x", "x.y", f"{packed}x.{signature}", f"{packed}.{signature}x", f"{packed}."):
        owner.cookie = f"{name}={made_up}"
        assert customer.address not in owner.get()
    owner.cookie = f"support-desk={value}"
    owner.root = "/support/desk"
    assert "Open a session" not in owner.get()


@pytest.mark.parametrize("later", [-120, 1801, 8 * 3600 + 1])
def test_tokens_end(later: int) -> None:
    """Half an hour after the last page, and before the end of a day's work."""

    async def secret() -> bytes:
        return b"secret"

    def at(seconds: int) -> PageTokens:
        return PageTokens("area", secret, lambda: 1_000_000.0 + seconds)

    token = reactor.call(lambda: at(0).begin({"name": "x"}))
    text = reactor.call(lambda: at(0).text(token))
    found = reactor.call(lambda: at(100).read(text))
    assert found is not None
    assert (found.who, found.form_token) == ({"name": "x"}, token.form_token)
    assert reactor.call(lambda: at(later).read(text)) is None
    kept = reactor.call(lambda: at(1700).text(found))
    assert (reactor.call(lambda: at(later).read(kept)) is not None) is (later == 1801)
    assert reactor.call(lambda: PageTokens("other", secret).read(text)) is None


def test_what_pages_allow(server: TestServer) -> None:
    """No scripts, no frames, nothing from elsewhere, nothing kept; wrong methods and names."""
    http = server.http()
    for path in ("", "/account", "/desk"):
        answer = http.request("GET", f"/support{path}")
        policy = answer.header("Content-Security-Policy") or ""
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.header("Cache-Control") == "no-store"
        assert "<script" not in answer.text
        assert answer.text.count("<style>") == 1
    statuses = {
        ("POST", "/support"): 405,
        ("GET", "/support/account/withdraw"): 405,
        ("POST", "/support/account/logins"): 405,
        ("PUT", "/support/desk"): 405,
        ("GET", "/support/account/no"): 404,
        ("GET", "/support/desk/request/more"): 404,
        ("GET", "/support/no"): 404,
    }
    for (method, path), status in statuses.items():
        assert http.request(method, path).status == status, path


def test_as_an_agent_in_the_account(
    server: TestServer, customer: TestAccount, agent: TestAgent
) -> None:
    """The agent sees the own grant and its logins, changes nothing, and is out at the end."""
    other = server.agent()
    server.let_in(other, customer)
    inside = server.let_in(agent, customer)
    browser = Browser(server, "account")
    browser.sign_in(inside.address, inside.password)
    assert agent.address in text(browser.page)
    assert other.address not in browser.page
    assert 'name="grant"' not in browser.page
    assert "portal" in browser.get("/logins")
    assert other.address not in browser.page
    assert browser.get("/trail")
    assert browser.status == 403
    browser.get()
    for name, fields in (("grant", {"to": other.address, **ALL}), ("withdraw", {"grant": "1"})):
        assert "not have the right" in browser.post(name, fields)
    reactor.call(lambda: server.desk.withdraw(customer.address))
    assert "Sign in" in browser.get()
    assert browser.status == 401


def test_a_disabled_agent_is_out(server: TestServer, agent: TestAgent) -> None:
    """Whoever changes the password or takes the agent away ends what is signed in on pages."""
    browser = Browser(server, "desk")
    browser.sign_in(agent.address)
    assert "Open a session" in browser.get()
    reactor.call(lambda: server.staff.update_agent(agent.address, password="another horse battery"))
    assert "Open a session" not in browser.get()


def test_a_new_password_ends_the_customers_pages(server: TestServer, customer: TestAccount) -> None:
    """Like all sessions of the account."""
    browser = Browser(server, "account")
    browser.sign_in(customer.address)
    reactor.call(lambda: server.accounts.set_password(customer.address, "another horse battery"))
    assert "Sign in" in browser.get()
    assert browser.status == 401
