"""What address book programs ask a server that they see for the first time, in their order.

The requests are those that the programs send; a fresh account must be found and used from nothing
but a host name, a name and a password.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tests.dav.books import CS, DATA, Books, R
from tests.dav.cards import APPLE, card
from tests.kit.dav import D, Multistatus, multistatus
from tests.kit.server import TestServer

XML = "application/xml; charset=utf-8"


class Program(Books):
    """Sends what it is told, as one program; ``agent`` is what it calls itself."""

    agent = ""

    def ask(self, method: str, path: str, body: str = "", depth: str | None = None) -> Multistatus:
        """A request that is answered with multistatus."""
        kind = XML if body else None
        answer = self.call(
            method, path, body or None, Depth=depth, User_Agent=self.agent, Content_Type=kind
        )
        return multistatus(answer)

    def redirected(self, path: str = "/.well-known/carddav", method: str = "PROPFIND") -> str:
        """Where a well-known URL leads to, before anybody signs in."""
        with self.server.http() as http:
            answer = http.request(method, path, [("Depth", "0")])
        assert answer.status == 301
        return answer.header("location") or ""


def href(found: Multistatus, name: str, at: int = 0) -> str:
    """The URL in a property of a response."""
    inside = found.responses[at].props[200][name].find(f"{D}href")
    assert inside is not None
    return inside.text or ""


def props(body: str) -> str:
    """PROPFIND of properties with Apple's prefixes."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<A:propfind xmlns:A="DAV:" '
        'xmlns:B="urn:ietf:params:xml:ns:carddav" xmlns:C="http://calendarserver.org/ns/">'
        f"<A:prop>{body}</A:prop></A:propfind>"
    )


def books_in(found: Multistatus) -> list[str]:
    """URLs of the address books in a listing."""
    return [each.href for each in found.responses if f"{R}addressbook" in each.tags("resourcetype")]


def signed_out(program: Program, path: str) -> None:
    """A request without a password is asked for one."""
    with program.server.http() as http:
        answer = http.request("PROPFIND", path, [("Depth", "0")])
    assert answer.status == 401
    assert (answer.header("www-authenticate") or "").startswith("Basic ")


def test_apple(server: TestServer) -> None:
    """Contacts of macOS and iOS: principal, one home, books with limits, multiget, sync."""
    # rfc6764#5
    mac = Program(server)
    mac.agent = "iOS/17.4 (21E219) dataaccessd/1.0"
    start = mac.redirected()
    signed_out(mac, start)
    body = props("<A:current-user-principal/><A:principal-URL/><A:resourcetype/>")
    first = mac.ask("PROPFIND", start, body, "0")
    principal = href(first, f"{D}current-user-principal")
    assert "addressbook" in (mac.call("OPTIONS", principal).header("dav") or "")
    body = props(
        "<B:addressbook-home-set/><B:directory-gateway/><A:displayname/><C:email-address-set/>"
        "<A:principal-collection-set/><A:principal-URL/><A:resource-id/><A:supported-report-set/>"
    )
    second = mac.ask("PROPFIND", principal, body, "0")
    assert href(second, f"{D}principal-URL") == principal
    assert second.only.names(404) == {f"{R}directory-gateway", "resource-id"}
    assert second.only.text(f"{CS}email-address-set") == mac.account.address
    home = href(second, f"{R}addressbook-home-set")
    body = props(
        "<A:add-member/><A:current-user-privilege-set/><A:displayname/><B:max-image-size/>"
        "<B:max-resource-size/><C:me-card/><A:owner/><C:push-transports/><C:pushkey/>"
        "<A:quota-available-bytes/><A:quota-used-bytes/><A:resource-id/><A:resourcetype/>"
        "<A:supported-report-set/><A:sync-token/>"
    )
    third = mac.ask("PROPFIND", home, body, "1")
    [book] = books_in(third)
    found = third[book]
    assert {"add-member", "owner", "quota-available-bytes", "sync-token"} <= found.names()
    assert {f"{R}max-image-size", f"{R}max-resource-size"} <= found.names()
    assert "write" in found.tags("current-user-privilege-set")
    token = found.text("sync-token")
    made = mac.call(
        "PUT",
        f"{book}4C1A2B3D.vcf",
        APPLE,
        Content_Type="text/vcard",
        If_None_Match="*",
        User_Agent=mac.agent,
    )
    assert made.status == 201
    sync = (
        '<A:sync-collection xmlns:A="DAV:"><A:sync-token>{}</A:sync-token>'
        "<A:sync-level>1</A:sync-level><A:prop><A:getetag/></A:prop></A:sync-collection>"
    )
    changed = mac.ask("REPORT", book, sync.format(token))
    assert changed.only.text("getetag") == made.header("etag")
    body = (
        '<B:addressbook-multiget xmlns:B="urn:ietf:params:xml:ns:carddav"><A:prop xmlns:A="DAV:">'
        f'<A:getetag/><B:address-data/></A:prop><A:href xmlns:A="DAV:">{changed.only.href}'
        "</A:href></B:addressbook-multiget>"
    )
    got = mac.ask("REPORT", book, body, "0")
    assert got.only.text(DATA) == APPLE.decode().replace("\r\n", "\n")


def test_davx5(server: TestServer) -> None:
    """DAVx5: properties of the URL itself, of the principal and of the home; vCard 4.0."""
    phone = Program(server)
    phone.agent = "DAVx5/4.4-ose (dav4jvm; okhttp/4.12.0) Android/14"
    body = (
        "<propfind xmlns='DAV:' xmlns:CARD='urn:ietf:params:xml:ns:carddav'><prop><resourcetype />"
        "<displayname /><CARD:addressbook-description /><CARD:addressbook-home-set />"
        "<current-user-principal /></prop></propfind>"
    )
    principal = href(
        phone.ask("PROPFIND", phone.redirected(), body, "0"), f"{D}current-user-principal"
    )
    body = (
        "<propfind xmlns='DAV:' xmlns:CARD='urn:ietf:params:xml:ns:carddav'><prop>"
        "<CARD:addressbook-home-set /><group-membership /><resourcetype /><displayname />"
        "</prop></propfind>"
    )
    home = href(phone.ask("PROPFIND", principal, body, "0"), f"{R}addressbook-home-set")
    body = (
        "<propfind xmlns='DAV:' xmlns:CARD='urn:ietf:params:xml:ns:carddav' "
        "xmlns:CS='http://calendarserver.org/ns/'><prop><resourcetype /><displayname /><owner />"
        "<current-user-privilege-set /><CARD:addressbook-description /><CS:source />"
        "<CARD:supported-address-data /><CS:getctag /><sync-token /></prop></propfind>"
    )
    listing = phone.ask("PROPFIND", home, body, "1")
    [book] = books_in(listing)
    found = listing[book]
    assert href(listing, f"{D}owner", listing.hrefs.index(book)) == principal
    assert {"write", "write-content", "bind", "unbind"} <= {
        *found.tags("current-user-privilege-set")
    }
    body = (
        "<propfind xmlns='DAV:' xmlns:CARD='urn:ietf:params:xml:ns:carddav'><prop>"
        "<CARD:max-resource-size /><CARD:supported-address-data /><supported-report-set />"
        "<sync-token /></prop></propfind>"
    )
    able = phone.ask("PROPFIND", book, body, "0").only
    assert "sync-collection" in able.tags("supported-report-set")
    versions = {each.get("version") for each in able.props[200][f"{R}supported-address-data"]}
    assert "4.0" in versions
    made = phone.call(
        "PUT",
        f"{book}a.vcf",
        card(version="4.0"),
        Content_Type="text/vcard;version=4.0",
        If_None_Match="*",
    )
    assert (made.status, made.header("etag") is not None) == (201, True)
    body = (
        "<sync-collection xmlns='DAV:'><sync-token />"
        "<sync-level>1</sync-level><limit><nresults>5000</nresults></limit>"
        "<prop><getetag /></prop></sync-collection>"
    )
    synced = phone.ask("REPORT", book, body, "0")
    assert synced.hrefs == [f"{book}a.vcf"]
    body = (
        "<CARD:addressbook-multiget xmlns='DAV:' xmlns:CARD='urn:ietf:params:xml:ns:carddav'>"
        "<prop><getcontenttype /><getetag /><CARD:address-data content-type='text/vcard' "
        f"version='4.0' /></prop><href>{book}a.vcf</href></CARD:addressbook-multiget>"
    )
    assert "VERSION:4.0" in phone.ask("REPORT", book, body).only.text(DATA)


def test_thunderbird(server: TestServer) -> None:
    """Thunderbird: rights of the URL, the home by the principal, then all cards of a book."""
    bird = Program(server)
    bird.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"
    body = (
        '<propfind xmlns="DAV:" xmlns:cs="http://calendarserver.org/ns/"><prop><resourcetype/>'
        "<displayname/><current-user-principal/><current-user-privilege-set/></prop></propfind>"
    )
    first = bird.ask("PROPFIND", bird.redirected(), body, "0")
    assert "collection" in first.only.tags("resourcetype")
    principal = href(first, f"{D}current-user-principal")
    body = (
        '<propfind xmlns="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav"><prop><resourcetype/>'
        "<card:addressbook-home-set/></prop></propfind>"
    )
    second = bird.ask("PROPFIND", principal, body, "0")
    assert "principal" in second.only.tags("resourcetype")
    body = (
        '<propfind xmlns="DAV:"><prop><resourcetype/><displayname/><current-user-privilege-set/>'
        "</prop></propfind>"
    )
    home = href(second, f"{R}addressbook-home-set")
    listing = bird.ask("PROPFIND", home, body, "1")
    [book] = books_in(listing)
    assert listing[book].text("displayname")
    assert "write-content" in listing[book].tags("current-user-privilege-set")
    made = bird.call(
        "PUT", f"{book}a.vcf", card(version="4.0"), Content_Type="text/vcard", If_None_Match="*"
    )
    body = (
        '<propfind xmlns="DAV:" xmlns:cs="http://calendarserver.org/ns/"><prop><resourcetype/>'
        "<getetag/><cs:getctag/></prop></propfind>"
    )
    cards = bird.ask("PROPFIND", book, body, "1")
    assert cards[f"{book}a.vcf"].text("getetag") == made.header("etag")
    body = (
        '<card:addressbook-multiget xmlns="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav">'
        f"<prop><getetag/><card:address-data/></prop><href>{book}a.vcf</href>"
        "</card:addressbook-multiget>"
    )
    assert "VERSION:4.0" in bird.ask("REPORT", book, body, "1").only.text(DATA)


def test_evolution(server: TestServer) -> None:
    """Evolution: OPTIONS of the URL, books one level below the home, versions by ctag."""
    gnome = Program(server)
    gnome.agent = "Evolution/3.52.3"
    start = gnome.redirected()
    options = gnome.call("OPTIONS", start, User_Agent=gnome.agent)
    assert "addressbook" in (options.header("dav") or "")
    body = (
        '<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:prop>'
        "<D:current-user-principal/><D:principal-URL/><D:resourcetype/><C:addressbook-home-set/>"
        "</D:prop></D:propfind>"
    )
    principal = href(gnome.ask("PROPFIND", start, body, "0"), f"{D}current-user-principal")
    home = href(gnome.ask("PROPFIND", principal, body, "0"), f"{R}addressbook-home-set")
    body = (
        '<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav" '
        'xmlns:CS="http://calendarserver.org/ns/"><D:prop><D:displayname/><D:resourcetype/>'
        "<C:addressbook-description/><D:supported-report-set/><D:current-user-privilege-set/>"
        "<CS:getctag/></D:prop></D:propfind>"
    )
    listing = gnome.ask("PROPFIND", home, body, "1")
    [book] = books_in(listing)
    before = listing[book].text(f"{CS}getctag")
    made = gnome.call(
        "PUT",
        f"{book}a.vcf",
        card(),
        Content_Type="text/vcard; charset=utf-8",
        If_None_Match="*",
    )
    etag = (made.header("etag") or "").replace('"', '\\"')
    body = '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    assert f"{book}a.vcf" in gnome.ask("PROPFIND", book, body, "1").hrefs
    assert gnome.propfind(book, f"{CS}getctag").only.text(f"{CS}getctag") != before
    changed = gnome.call("PUT", f"{book}a.vcf", card("NOTE:x"), If_Match=etag)
    assert changed.status == 204
    found = gnome.query(path=book, data='<R:address-data version="3.0"/>')
    assert "NOTE:x\n" in found.only.text(DATA)


def test_kde(server: TestServer) -> None:
    """KAddressBook: a query without a filter gives all cards."""
    kde = Program(server)
    kde.agent = "Mozilla/5.0 (X11; Linux x86_64) KHTML/5.115.0 (like Gecko) Konqueror/5 KIO/5.115"
    body = (
        "<propfind xmlns='DAV:'><prop><current-user-principal/><principal-URL/></prop></propfind>"
    )
    principal = href(kde.ask("PROPFIND", kde.redirected(), body, "0"), f"{D}current-user-principal")
    body = (
        "<propfind xmlns='DAV:'><prop><addressbook-home-set "
        "xmlns='urn:ietf:params:xml:ns:carddav'/></prop></propfind>"
    )
    home = href(kde.ask("PROPFIND", principal, body, "0"), f"{R}addressbook-home-set")
    body = (
        "<propfind xmlns='DAV:'><prop><displayname/><resourcetype/><sync-token/>"
        "<current-user-privilege-set/><getctag xmlns='http://calendarserver.org/ns/'/></prop>"
        "</propfind>"
    )
    [book] = books_in(kde.ask("PROPFIND", home, body, "1"))
    assert kde.call("PUT", f"{book}a.vcf", card(), Content_Type="text/vcard").status == 201
    body = (
        "<addressbook-query xmlns='urn:ietf:params:xml:ns:carddav'><prop xmlns='DAV:'><getetag/>"
        "<resourcetype/></prop></addressbook-query>"
    )
    assert kde.ask("REPORT", book, body, "1").hrefs == [f"{book}a.vcf"]


@pytest.mark.parametrize("path", ["/", "/dav/", "/dav/contacts/", "/dav/principals/"])
def test_any_start_will_do(server: TestServer, path: str) -> None:
    """People type all kinds of addresses: each leads to the principal. # rfc6764#5"""
    program = Program(server)
    found = program.ask("PROPFIND", path, props("<A:current-user-principal/>"), "0")
    assert href(found, f"{D}current-user-principal").startswith("/dav/principals/users/")


def test_one_home_lists_each_book_once(server: TestServer) -> None:
    """Programs that list what is advertised twice show it twice."""
    program = Program(server).begin()
    listing = program.propfind(program.home, "resourcetype", depth=1)
    assert len(listing.hrefs) == len({*listing.hrefs}) == 3
    assert all(re.fullmatch(r"/dav/contacts/\d+/(?:[^/]+/)?", each) for each in listing.hrefs)
    name = f"{R}addressbook-home-set"
    found = program.propfind(f"/dav/principals/users/{program.account.space_id}/", name).only
    assert [each.tag for each in found.props[200][name]] == [f"{D}href"]
    assert isinstance(found.props[200][name], ElementTree.Element)
