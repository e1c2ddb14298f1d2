"""The two pages for people who come with a browser: what this is, and how to set up programs."""

from __future__ import annotations

import base64
import hashlib
import html
from urllib.parse import urlsplit

from folkmoot.protocols.http.exchange import Exchange

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#eee;padding:.1em .3em;overflow-wrap:anywhere}dt{font-weight:bold}"
    "dd{margin:0 0 .8rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}code{background:#333}"
    "a{color:#8bf}}"
    "table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;"
    "padding:.2rem .8rem .2rem 0;overflow-wrap:anywhere}td form p{margin:0}"
)
#: What a Content-Security-Policy allows of styles: this one.
STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
_FIELDS = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src {STYLE_SOURCE}; form-action 'self'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "max-age=300"),
)
# What finds the settings by itself, and how to have it do so.
_BY_THEMSELVES = (
    (
        "Thunderbird, Evolution, KMail, K-9 Mail",
        "Add a mail account; enter your name, your address and your password. Thunderbird then "
        "offers your calendars and address books too.",
    ),
    (
        "Outlook",
        "File, Add Account; enter your address, and your password when it asks. Where it finds "
        "nothing, choose IMAP and enter what stands under Mail.",
    ),
)
_PROFILE = (
    '<form action="/mail/apple.mobileconfig"><dl><dt>iPhone, iPad, Mac</dt><dd>'
    '<label>Your address: <input type="email" name="email" required></label> '
    "<button>Download the profile</button><br>"
    "Then open Settings and install the downloaded profile; it sets up mail, calendars and "
    "contacts, and asks for your password.</dd></dl></form>"
)
# Program and what to enter; words in braces are filled in.
_CALENDARS = (
    (
        "iPhone, iPad",
        "Settings, Apps, Calendar, Calendar Accounts, Add Account, Other, Add CalDAV Account; then "
        "the same under Contacts with Add CardDAV Account. Server: {host_port}",
    ),
    (
        "Mac",
        "System Settings, Internet Accounts, Add Other Account, CalDAV Account, type Manual; the "
        "same with CardDAV Account. Server: {host_port}",
    ),
    ("Android (DAVx5)", "Add account, Login with URL and user name. Base URL: {base}/"),
    (
        "Thunderbird",
        "New Calendar, On the Network; and New Address Book, Add CardDAV Address Book. "
        "Location: {base}/",
    ),
    (
        "Evolution, GNOME",
        "New, Collection Account; as server under Advanced Options: {base}/",
    ),
    ("KDE (Merkuro, KOrganizer)", "Add a DAV groupware resource. Remote URL: {base}/dav/"),
    (
        "Outlook (CalDav Synchronizer)",
        "Add a generic CalDAV/CardDAV profile, then Test or discover settings. "
        "DAV URL: {base}/dav/",
    ),
)
_DRIVES = (
    ("Windows", "This PC, Map network drive. Folder: {drive} or {unc}"),
    ("Mac", "Finder, Go, Connect to Server. Address: {drive}"),
    ("GNOME Files", "Other Locations. Address: {davs}"),
    ("KDE Dolphin", "Address: {webdavs}"),
    ("Linux (davfs2)", "mount -t davfs {drive} /mnt/drive"),
    (
        "rclone",
        "rclone config create drive webdav url={drive} vendor=owncloud user=YOUR-ADDRESS "
        "pass=YOUR-PASSWORD",
    ),
)


class Pages:
    """``base_url`` is the address under which clients reach the server, without a slash at the
    end. ``mail`` are lines on the mail ports, as ``("IMAP, TLS", "mail.example.org, port 993")``.
    """

    def __init__(self, base_url: str, mail: tuple[tuple[str, str], ...] = ()) -> None:
        self._pages = {(): _welcome(), ("help",): _help(base_url, mail)}

    def has(self, path: tuple[str, ...]) -> bool:
        """Whether there is a page."""
        return path in self._pages

    async def answer(self, exchange: Exchange) -> None:
        """Send a page that there is."""
        await exchange.respond(200, _FIELDS, self._pages[exchange.path])


def _welcome() -> bytes:
    return document(
        "Folkmoot",
        "<p>This server keeps mail, calendars, contacts and documents of people and groups. "
        "They are used with the programs that your computer and telephone have already.</p>"
        '<p><a href="/help">How to set up your programs</a>: Thunderbird, Outlook, iPhone and Mac, '
        "Android, calendars, contacts, and your documents as a drive.</p>"
        '<p><a href="/support">Who of support may look into your account</a></p>',
    )


def _help(base_url: str, mail: tuple[tuple[str, str], ...]) -> bytes:
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port
    tls = parts.scheme == "https"
    words = {
        "base": base_url,
        "host_port": host if port is None else f"{host}:{port}",
        "drive": f"{base_url}/dav/drive/",
        "davs": f"dav{'s' if tls else ''}://{parts.netloc}/dav/drive/",
        "webdavs": f"webdav{'s' if tls else ''}://{parts.netloc}/dav/drive/",
        "unc": _unc(host, port, tls),
    }
    filled = [
        [(name, text.format_map(words)) for name, text in group] for group in (_CALENDARS, _DRIVES)
    ]
    sections = [
        "<p>Sign in with your whole mail address, and your password or an app password.</p>",
        "<h2>Programs that find the settings</h2>",
        _list(_BY_THEMSELVES),
        _PROFILE,
        "<h2>Calendars, tasks and contacts</h2>",
        _list(filled[0]),
        "<h2>Documents</h2>",
        _list(filled[1]),
    ]
    if mail:
        sections += ["<h2>Mail</h2>", _list(mail)]
    return document("Set up your programs", "".join(sections))


def _unc(host: str, port: int | None, tls: bool) -> str:
    """The address as Windows' WebClient writes it itself."""
    place = host + ("@SSL" if tls else "") + (f"@{port}" if port is not None else "")
    return f"\\\\{place}\\DavWWWRoot\\dav\\drive"


def _list(rows: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
    items = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in rows
    )
    return f"<dl>{items}</dl>"


def document(title: str, content: str) -> bytes:
    """A page with a heading; ``content`` is finished HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{content}</body></html>\n"
    ).encode()
