"""A client of one account's address books, and requests as programs send them."""

from __future__ import annotations

from tests.kit.dav import Dav, Multistatus, Response, multistatus
from tests.kit.http import Answer
from tests.kit.server import TestAccount, TestServer

R = "{urn:ietf:params:xml:ns:carddav}"
CS = "{http://calendarserver.org/ns/}"
DATA = f"{R}address-data"
ROOT = 'xmlns:D="DAV:" xmlns:R="urn:ietf:params:xml:ns:carddav"'
NEW_BOOK = (
    f"<D:mkcol {ROOT}><D:set><D:prop><D:resourcetype><D:collection/><R:addressbook/>"
    "</D:resourcetype>{props}</D:prop></D:set></D:mkcol>"
)


class Books(Dav):
    """``home`` is the account's home, ``book`` an address book of its own that is empty.

    Paths without a slash in front are in the book.
    """

    home = ""
    book = ""

    def __init__(self, server: TestServer, account: TestAccount | None = None) -> None:
        super().__init__(server, account)
        self.server = server

    def begin(self) -> Books:
        """Make the book."""
        self.home = f"/dav/contacts/{self.account.space_id}/"
        self.book = self.home + "Test/"
        answer = self.new_book("Test")
        assert answer.status == 201, answer.text
        return self

    def new_book(self, name: str, props: str = "") -> Answer:
        """An extended MKCOL."""
        return self.call("MKCOL", self.home + name, NEW_BOOK.format(props=props))

    def call(
        self, method: str, path: str = "", body: bytes | str | None = None, **fields: str | None
    ) -> Answer:
        """A request; PUT and POST say that it is a card unless they say otherwise."""
        if method in ("PUT", "POST"):
            fields.setdefault("Content_Type", "text/vcard")
        full = path if path.startswith("/") else self.book + path
        return super().call(method, full, body, **fields)

    def query(
        self,
        filters: str = "",
        *,
        path: str = "",
        data: str = "",
        test: str = "",
        more: str = "",
        **fields: str | None,
    ) -> Multistatus:
        """addressbook-query; ``filters`` are prop-filters."""
        fields.setdefault("Depth", "1")
        return multistatus(
            self.call("REPORT", path, query(filters, data=data, test=test, more=more), **fields)
        )

    def names(self, filters: str = "", **given: str) -> list[str]:
        """Names of the cards that match, sorted."""
        found = self.query(filters, **given).responses
        return sorted(each.href.rpartition("/")[2] for each in found)

    def multiget(self, *hrefs: str, data: str = "<R:address-data/>", path: str = "") -> Multistatus:
        """addressbook-multiget; hrefs without a slash in front are in the book."""
        listed = "".join(
            f"<D:href>{href if '/' in href else self.book + href}</D:href>" for href in hrefs
        )
        return self.report(
            path,
            f"<R:addressbook-multiget {ROOT}><D:prop><D:getetag/>{data}</D:prop>{listed}"
            "</R:addressbook-multiget>",
        )

    def data(self, name: str, data: str = "<R:address-data/>") -> str:
        """What multiget says of one card, with line ends as XML has them."""
        return self.multiget(name, data=data).only.text(DATA)


def query(filters: str = "", *, data: str = "", test: str = "", more: str = "") -> str:
    """The body of addressbook-query."""
    attribute = f' test="{test}"' if test else ""
    return (
        f"<R:addressbook-query {ROOT}><D:prop><D:getetag/>{data}</D:prop>"
        f"<R:filter{attribute}>{filters}</R:filter>{more}</R:addressbook-query>"
    )


def limit(count: object) -> str:
    """A bound for addressbook-query."""
    return f"<R:limit><R:nresults>{count}</R:nresults></R:limit>"


def prop_filter(name: str, inside: str = "", test: str = "") -> str:
    """A prop-filter."""
    attribute = f' test="{test}"' if test else ""
    return f'<R:prop-filter name="{name}"{attribute}>{inside}</R:prop-filter>'


def contains(name: str, text: str, **attributes: str) -> str:
    """A prop-filter with one text-match."""
    return prop_filter(name, text_match(text, **attributes))


def text_match(text: str, **attributes: str) -> str:
    """A text-match; ``match_type="equals"`` is an attribute."""
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<R:text-match{given}>{text}</R:text-match>"


def lines(octets: bytes) -> str:
    """Octets of a card as XML gives them back."""
    return octets.decode().replace("\r\n", "\n")


def failed(response: Response) -> tuple[int, list[str]]:
    """The status of a response as a whole, and what its error names."""
    return response.status, response.errors
