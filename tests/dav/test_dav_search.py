"""SEARCH with DAV:basicsearch (RFC 5323)."""

from __future__ import annotations

import pytest

from folkmoot.protocols.dav.basicsearch import _pattern, like
from tests.kit.dav import HOME, Dav, conditions, multistatus
from tests.kit.pace import within

QUERY = (
    '<D:searchrequest xmlns:D="DAV:"><D:basicsearch>'
    "<D:select><D:prop><D:getcontentlength/></D:prop></D:select>"
    "<D:from><D:scope><D:href>{href}</D:href><D:depth>{depth}</D:depth></D:scope></D:from>"
    "{where}{rest}</D:basicsearch></D:searchrequest>"
)


def compare(how: str, name: str, literal: str, more: str = "") -> str:
    """A comparison of a property with a literal."""
    inside = f"<D:prop><D:{name}/></D:prop><D:literal>{literal}</D:literal>"
    return f"<D:{how}{more}>{inside}</D:{how}>"


@pytest.fixture
def files(dav: Dav) -> Dav:
    """Files of known names, sizes and dates on two levels."""
    dav.mkcol("Folder")
    dav.mkcol("Folder/below")
    for name, size, date in (
        ("Report%20one.txt", 10, 784111777),
        ("report%20two.TXT", 200, 884111777),
        ("Folder/notes.md", 3000, 984111777),
        ("Folder/below/100%25_report.txt", 0, 1084111777),
    ):
        dav.put(name, b"x" * size, X_OC_MTime=str(date), Content_Type="text/plain")
    return dav


def found(
    dav: Dav, where: str, depth: str = "infinity", rest: str = "", href: str = HOME
) -> list[str]:
    """What a search answers, relative to the drive."""
    inside = f"<D:where>{where}</D:where>" if where else ""
    body = QUERY.format(href=href, depth=depth, where=inside, rest=rest)
    hrefs = multistatus(dav.call("SEARCH", "", body)).hrefs
    return [href.removeprefix(HOME) for href in hrefs]


ONE, TWO = "Report%20one.txt", "report%20two.TXT"
NOTES, DEEP = "Folder/notes.md", "Folder/below/100%25_report.txt"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (compare("like", "displayname", "%report%"), {ONE, TWO, DEEP}),
        (compare("like", "displayname", "report%"), {ONE, TWO}),
        (compare("like", "displayname", "report%", ' caseless="no"'), {TWO}),
        (compare("like", "displayname", "_eport one.txt"), {ONE}),
        (compare("like", "displayname", r"100\%\_%"), {DEEP}),
        (compare("eq", "displayname", "notes.MD"), {NOTES}),
        (compare("gt", "getcontentlength", "10"), {TWO, NOTES}),
        (compare("gte", "getcontentlength", "10"), {ONE, TWO, NOTES}),
        (compare("lt", "getcontentlength", "10"), {DEEP}),
        (compare("lte", "getcontentlength", "10"), {ONE, DEEP}),
        (f"<D:not>{compare('gt', 'getcontentlength', '10')}</D:not>", {ONE, DEEP}),
        (compare("lt", "getlastmodified", "1995-01-01T00:00:00Z"), {ONE}),
        (compare("gt", "getlastmodified", "Thu, 01 Jan 2004 00:00:00 GMT")
         .join(("<D:and>", compare("lt", "getlastmodified", "2010-01-01T00:00:00Z") + "</D:and>")),
         {DEEP}),
        (f"<D:or>{compare('eq', 'getcontentlength', '0')}"
         f"{compare('like', 'displayname', '%two%')}</D:or>", {DEEP, TWO}),
        (f"<D:and><D:not><D:is-collection/></D:not>{compare('like', 'getcontenttype', 'text/%')}"
         "</D:and>", {ONE, TWO, NOTES, DEEP}),
        ("<D:is-collection/>", {"", "Folder/", "Folder/below/"}),
        ("<D:is-defined><D:prop><D:getcontentlength/></D:prop></D:is-defined>",
         {ONE, TWO, NOTES, DEEP}),
    ],
)  # fmt: skip
def test_where(files: Dav, where: str, expected: set[str]) -> None:
    """Names, sizes, dates and logic; folders have no size, and so do not count as small."""
    # rfc5323#5.5, rfc5323#5.5.3, rfc5323#5.15, rfc5323#5.18
    assert set(found(files, where)) == expected


def test_scope_order_and_limit(files: Dav) -> None:
    """Depth, starting point, ascending and descending order, and how many."""
    # rfc5323#5.4, rfc5323#5.6, rfc5323#5.17
    files_only = "<D:not><D:is-collection/></D:not>"
    assert set(found(files, files_only, depth="1")) == {ONE, TWO}
    assert found(files, files_only, depth="0") == []
    assert set(found(files, "", href=HOME + "Folder/")) == {
        "Folder/", NOTES, "Folder/below/", DEEP,
    }  # fmt: skip
    order = "<D:orderby><D:order><D:prop><D:getcontentlength/></D:prop>{}</D:order></D:orderby>"
    assert found(files, files_only, rest=order.format("")) == [DEEP, ONE, TWO, NOTES]
    assert found(files, files_only, rest=order.format("<D:descending/>")) == [NOTES, TWO, ONE, DEEP]
    limit = "<D:limit><D:nresults>2</D:nresults></D:limit>"
    cut = multistatus(
        files.call(
            "SEARCH",
            "",
            QUERY.format(
                href=HOME, depth="infinity", where="", rest=order.format("<D:descending/>") + limit
            ),
        )
    )
    assert cut.hrefs[:2] == [HOME + NOTES, HOME + TWO]
    assert [one.status for one in cut.responses] == [0, 0, 507]


def test_refusals(files: Dav) -> None:
    """Grammars, scopes and conditions that there are not; nesting and patterns that explode."""
    # rfc5323#2
    assert files.call("SEARCH", "").status == 400
    assert files.call("SEARCH", "", "<x/>").status == 400
    other = '<D:searchrequest xmlns:D="DAV:"><D:sql/></D:searchrequest>'
    assert conditions(files.call("SEARCH", "", other)) == ["search-grammar-supported"]
    for href, status in (
        ("http://other.example/", 502), ("/dav/drive/", 409), (HOME + "nothing", 409), ("/x", 404),
    ):  # fmt: skip
        body = QUERY.format(href=href, depth="1", where="", rest="")
        assert files.call("SEARCH", "", body).status == status, href
    for where, status in (
        ("<D:contains>x</D:contains>", 422),
        ("<D:eq><D:prop><D:acl/></D:prop><D:literal>1</D:literal></D:eq>", 422),
        (compare("eq", "getcontentlength", "many"), 400),
        (compare("lt", "creationdate", "soon"), 400),
        ("<D:eq><D:literal>1</D:literal></D:eq>", 400),
        ("<D:not/>", 400),
        ("<D:or>" + "<D:is-collection/>" * 200 + "</D:or>", 400),
        (compare("like", "displayname", "%" * 2000), 400),
    ):
        body = QUERY.format(href=HOME, depth="1", where=f"<D:where>{where}</D:where>", rest="")
        assert files.call("SEARCH", "", body).status == status, where
    files.put("a" * 200)
    assert found(files, compare("like", "displayname", "%a" * 400 + "b")) == []


@pytest.mark.parametrize(
    ("literal", "value", "fits"),
    [
        ("", "", True),
        ("%", "", True),
        ("%%", "anything", True),
        ("a%", "ab", True),
        ("%a", "ba", True),
        ("a%a", "a", False),
        ("a%b%a", "aba", True),
        ("%b_%", "ab", False),
        ("_", "\n", True),
        ("\\%", "%", True),
        ("\\%", "x", False),
        ("%.%", "ab", False),
    ],
)
def test_patterns(literal: str, value: str, fits: bool) -> None:
    """Wildcards at each end, beside each other, escaped; what regular expressions mean is text."""
    # rfc5323#5.15.1
    assert like(value, _pattern(literal)) is fits


def test_patterns_cost_little(files: Dav) -> None:
    """Patterns that make simple matchers go back and forth are answered at once, or refused."""
    files.put("a" * 250)
    where = compare("like", "displayname", "%a" * 490 + "b")
    with within(2):
        assert found(files, where) == []
    many = f"<D:or>{compare('like', 'displayname', '%a' * 20) * 90}</D:or>"
    body = QUERY.format(href=HOME, depth="1", where=f"<D:where>{many}</D:where>", rest="")
    assert files.call("SEARCH", "", body).status == 400
