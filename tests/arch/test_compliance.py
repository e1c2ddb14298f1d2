"""The RFC map: references that are right, and a page that is up to date."""

from __future__ import annotations

import pytest

from folkmoot.protocols.imap import registry
from tests import compliance

# Capabilities of drafts: XLIST was Gmail's, THREAD=REFS is Dovecot's.
WITHOUT_RFC = {"XLIST", "THREAD=REFS"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# rfc9051#6.4.5: why", [(9051, "6.4.5")]),
        ("# rfc4791#4.2, rfc6352#5.2", [(4791, "4.2"), (6352, "5.2")]),
        ("rfc3744#3.1-3.3, other", [(3744, "3.1"), (3744, "3.2"), (3744, "3.3")]),
        ("RFC 9051 sections 6.3.4 to 6.3.5.", [(9051, "6.3.4"), (9051, "6.3.5")]),
        ("(RFC 4918 sections 6, 7 and 9.10)", [(4918, "6"), (4918, "7"), (4918, "9.10")]),
        ("(RFC 9051\n    # section 9)", [(9051, "9")]),
        ("RFC 6350 appendix A); rfc5321#appendix-C", [(6350, "appendix-A"), (5321, "appendix-C")]),
        ("RFC 5256, then RFC 5957.", [(5256, ""), (5957, "")]),
        ("the item RFC822.SIZE", []),
    ],
)
def test_references_are_read(text: str, expected: list[tuple[int, str]]) -> None:
    """The ways in which comments and docstrings name sections."""
    assert list(compliance.references(text)) == expected


def test_references_are_right() -> None:
    """Each is to an RFC of the table, and to a section that this RFC has."""
    assert compliance.mistakes() == []


def test_every_capability_has_its_rfc() -> None:
    """What IMAP offers stands at an RFC of the table, and nothing else does."""
    registry.load()
    imap = [rfc for rfc in compliance.rfcs().values() if rfc.area.startswith("IMAP")]
    named = {name for rfc in imap for name in rfc.capabilities}
    assert named | WITHOUT_RFC == set(registry.all_capabilities())


def test_the_page_is_up_to_date() -> None:
    """Whoever adds a reference runs ``python -m tests.compliance``."""
    assert compliance.PAGE.read_text(encoding="utf-8") == compliance.page(), (
        "run: python -m tests.compliance"
    )
