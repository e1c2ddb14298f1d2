"""What one account can make the server hold or answer is bounded, and XML that others can read."""

from __future__ import annotations

import pytest
from lxml import etree

from folkmoot.protocols.dav.xml import MAX_NAME, MAX_NAMES
from folkmoot.protocols.http.xml import MAX_PROLOG
from folkmoot.storage.mutations.tree_properties import MAX_CHARACTERS
from folkmoot.storage.views.tree import PROPERTIES_AT_ONCE
from tests.kit.dav import HOME, Dav, multistatus
from tests.kit.pace import within

LARGE = MAX_CHARACTERS - 1_000
MANY = PROPERTIES_AT_ONCE // LARGE * 2 + 5


def _asks(names: str) -> str:
    return f'<D:propfind xmlns:D="DAV:"><D:prop>{names}</D:prop></D:propfind>'


def _grow(dav: Dav, paths: list[str]) -> None:
    for path in paths:
        value = f'<D:set><D:prop><q xmlns="z">{"v" * LARGE}</q></D:prop></D:set>'
        assert dav.proppatch(path, value).names(200) == {"{z}q"}


def _folder(dav: Dav) -> list[str]:
    """A folder whose members have more properties than are read at once."""
    dav.mkcol("many")
    for number in range(MANY):
        dav.mkcol(f"many/f{number:02}") if number % 3 == 0 else dav.put(f"many/i{number:02}")
    names = [f"many/{'f' if number % 3 == 0 else 'i'}{number:02}" for number in range(MANY)]
    _grow(dav, names)
    return sorted(HOME + name + "/" * name.startswith("many/f") for name in names)


def test_large_properties_are_read_in_pages(any_dav: Dav) -> None:
    """Nothing is left out of listings where properties are many and large."""
    names = _folder(any_dav)
    listed = any_dav.propfind("many/", "getetag", depth=1)
    assert sorted(listed.hrefs[1:]) == names
    everything = multistatus(any_dav.call("PROPFIND", "many/", Depth="1"))
    assert sorted(everything.hrefs[1:]) == names
    assert all(len(each.text("{z}q")) == LARGE for each in everything.responses[1:])


def test_large_properties_are_synced_in_pages(any_dav: Dav) -> None:
    """sync-collection tells of each member once, with the limits of the client too."""
    names = _folder(any_dav)
    found = any_dav.sync("many/")
    assert sorted(found.hrefs) == names
    assert any_dav.sync("many/", found.sync_token).hrefs == []
    token, seen = "", []
    for _ in range(MANY):
        part = any_dav.sync("many/", token, limit=7)
        token = part.sync_token
        hrefs = [each.href for each in part.responses if each.status != 507]
        assert len(hrefs) <= 7
        seen += hrefs
        if len(hrefs) == len(part.responses):
            break
    assert sorted(seen) == names


def test_everything_below_has_an_end_in_length(dav: Dav) -> None:
    """Depth infinity over few resources with much on them is refused, not gathered."""
    # rfc4918#9.1
    dav.mkcol("deep")
    for number in range(140):
        dav.put(f"deep/{number}")
    _grow(dav, [f"deep/{number}" for number in range(140)])
    answer = dav.call("PROPFIND", "deep/", Depth="infinity")
    assert answer.status == 403
    assert "propfind-finite-depth" in answer.text


def test_limits_of_sync_are_met_over_pages(dav: Dav) -> None:
    """A client may ask for more at once than is read at once. # rfc6578#3.7"""
    dav.mkcol("s")
    for number in range(1_100):
        dav.put(f"s/{number}")
    found = dav.sync("s/", limit=999_999_999)
    assert len(found.responses) == 1_100
    part = dav.sync("s/", limit=1_050)
    assert len(part.responses) == 1_051
    assert part.responses[-1].status == 507
    assert len(dav.sync("s/", part.sync_token).responses) == 50


def test_names_of_properties_are_bounded(dav: Dav) -> None:
    """Each name is answered for each member: long ones are refused."""
    assert dav.call("PROPFIND", "", _asks(f"<a{'b' * MAX_NAME}/>"), Depth="1").status == 400
    assert dav.call("PROPFIND", "", _asks(f'<a xmlns="{"b" * MAX_NAME}"/>')).status == 400
    long = "".join(f"<a{number}{'b' * 200}/>" for number in range(MAX_NAMES // 200))
    assert dav.call("PROPFIND", "", _asks(long), Depth="1").status == 400
    assert dav.call("PROPFIND", "", _asks(f"<a{'b' * 500}/>"), Depth="0").status == 207


def test_names_that_only_some_prefixes_can_have(dav: Dav) -> None:
    """An answer is XML also where somebody asks for what is in the namespaces of XML itself."""
    answer = dav.call("PROPFIND", "", _asks("<xml:a/>"), Depth="0")
    assert answer.status == 207
    etree.fromstring(answer.body)
    for namespace in ("http://www.w3.org/2000/xmlns/", "a}b", "a b", "&lt;x>", "&#10;"):
        body = (
            f'<D:expand-property xmlns:D="DAV:"><D:property name="a" namespace="{namespace}"/>'
            "</D:expand-property>"
        )
        assert dav.call("REPORT", "", body).status == 400, namespace


@pytest.mark.parametrize(
    "start", ["<!--" + "a" * 9_000_000 + "-->", "<?a?>" * 1_000_000, " " * 9_000_000]
)
def test_nothing_long_before_the_root(dav: Dav, start: str) -> None:
    """It would be looked through before it is known to be XML."""
    with within(5):
        assert dav.call("REPORT", "", start + "<x/>").status == 400
        assert dav.call("REPORT", "", "<!--" + "a" * (MAX_PROLOG // 2) + "--><x/>").status == 403
