"""Properties that have one name in vCard 3.0 and another in 4.0, and tables both ways share."""

from __future__ import annotations

FOUR_ONLY = frozenset(
    (
        "LANG",
        "GENDER",
        "ANNIVERSARY",
        "RELATED",
        "XML",
        "CLIENTPIDMAP",
        "BIRTHPLACE",
        "DEATHPLACE",
        "DEATHDATE",
        "EXPERTISE",
        "HOBBY",
        "INTEREST",
        "ORG-DIRECTORY",
    )
)
"""What 3.0 has not; there it is written with `X-` before its name."""

THREE_ONLY = frozenset(("CLASS", "MAILER", "NAME", "AGENT", "LABEL"))
"""What 4.0 has not (RFC 6350 appendix A); there it is written with `X-` before its name."""

DATES = frozenset(("BDAY", "ANNIVERSARY", "DEATHDATE"))

# Apple's properties; where it does not write capitals only, also as it spells them.
APPLE_KIND = "X-ADDRESSBOOKSERVER-KIND"
APPLE_MEMBER = "X-ADDRESSBOOKSERVER-MEMBER"
APPLE_SHOW_AS = "X-ABSHOWAS"
APPLE_RELATED = "X-ABRELATEDNAMES"
APPLE_LABEL = "X-ABLABEL"
SPELLING = {APPLE_LABEL: "X-ABLabel", APPLE_SHOW_AS: "X-ABShowAs"}

OMIT_YEAR = "X-APPLE-OMIT-YEAR"
NO_YEAR = "1604"
"""The year in which Apple puts dates without one: it has a 29th of February."""

RELATIONS = {
    f"_$!<{name}>!$_": name.lower() for name in ("Spouse", "Child", "Parent", "Friend", "Sibling")
}
"""Apple's labels of related people, and the types of RELATED (RFC 6350 section 6.6.6)."""

MESSENGERS = {
    "X-AIM": "aim",
    "X-GADUGADU": "gg",
    "X-GOOGLE-TALK": "xmpp",
    "X-GTALK": "xmpp",
    "X-ICQ": "icq",
    "X-JABBER": "xmpp",
    "X-MSN": "msnim",
    "X-SKYPE": "skype",
    "X-SKYPE-USERNAME": "skype",
    "X-YAHOO": "ymsgr",
}
"""Properties from before IMPP (RFC 4770), and the schemes of the URIs."""
