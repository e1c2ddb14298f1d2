"""Evolution's data server, told what to do line by line.

Runs in the Python of the operating system, which has the bindings, on a message bus of its own: one
JSON list on each line of standard input, the name of a method and its arguments, and one JSON value
on standard output.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import gi

for name, version in (("ECal", "2.0"), ("EBook", "1.2"), ("EDataServer", "1.2")):
    gi.require_version(name, version)
from gi.repository import (  # noqa: E402
    EBook,
    EBookContacts,
    ECal,
    EDataServer,
    Gio,
    GLib,
    ICalGLib,
)

SECONDS = 60
NO_FLAGS = ECal.OperationFlags.NONE
EVERYBODY = '(contains "x-evolution-any-field" "")'
VCARD_3 = getattr(EBookContacts.VCardFormat, "30")
KINDS = {
    "Calendar": ECal.ClientSourceType.EVENTS,
    "Task List": ECal.ClientSourceType.TASKS,
    "Memo List": ECal.ClientSourceType.MEMOS,
}


class Evolution:
    """One account and the clients of its calendars and books, by kind and name."""

    def __init__(self) -> None:
        self.registry = EDataServer.SourceRegistry.new_sync(None)
        self.registry.connect("credentials-required", self._sign_in)
        self.credentials = EDataServer.NamedParameters.new()
        self.account: Any = None
        self.clients: dict[tuple[str, str], Any] = {}
        threading.Thread(target=GLib.MainLoop().run, daemon=True).start()

    def _sign_in(self, _registry: Any, source: Any, *_reason: Any) -> None:
        source.invoke_authenticate_sync(self.credentials, None)

    def add(self, port: int, name: str, password: str, certificate: str) -> None:
        """A new account, found by the name of the host alone; its certificate is accepted."""
        self.credentials.set(EDataServer.SOURCE_CREDENTIAL_USERNAME, name)
        self.credentials.set(EDataServer.SOURCE_CREDENTIAL_PASSWORD, password)
        source = EDataServer.Source.new_with_uid("account", None)
        source.set_display_name("Account")
        found = source.get_extension(EDataServer.SOURCE_EXTENSION_COLLECTION)
        found.set_backend_name("webdav")
        found.set_identity(name)
        found.set_calendar_url(f"https://localhost:{port}/")
        found.set_contacts_url(f"https://localhost:{port}/")
        found.set_mail_enabled(False)
        signed = source.get_extension(EDataServer.SOURCE_EXTENSION_AUTHENTICATION)
        signed.set_user(name)
        signed.set_host("localhost")
        signed.set_port(port)
        signed.set_method("plain/password")
        signed.set_remember_password(False)
        source.get_extension(EDataServer.SOURCE_EXTENSION_SECURITY).set_secure(True)
        trust = Gio.TlsCertificate.new_from_pem(certificate, -1)
        dav = source.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND)
        dav.update_ssl_trust("localhost", trust, EDataServer.TrustPromptResponse.ACCEPT)
        self.registry.create_sources_sync([source], None)
        self.account = self.registry.ref_source("account")

    def sources(self, kind: str) -> list[str]:
        """The names of the account's sources of a kind."""
        return [each.get_display_name() for each in self._sources(kind)]

    def _sources(self, kind: str) -> list[Any]:
        found = self.registry.list_sources(kind)
        return [each for each in found if each.get_parent() == "account"]

    def make(self, kind: str, name: str, path: str) -> None:
        """Make a calendar or an address book beside the first one, as the settings do it."""
        session, home = self._home(kind)
        if kind in KINDS:
            events = EDataServer.WebDAVResourceSupports.EVENTS
            session.mkcalendar_sync(home + path, name, "Made", "#ff8800", events, None)
        else:
            session.mkcol_addressbook_sync(home + path, name, "Made", None)
        self.registry.refresh_backend_sync("account", None)

    def drop(self, kind: str, path: str) -> None:
        """Remove a calendar or an address book."""
        session, home = self._home(kind)
        session.delete_sync(home + path, EDataServer.WEBDAV_DEPTH_INFINITY, None, None)

    def browse(self, kind: str) -> list[str]:
        """The names of all that lies beside the first source of a kind."""
        session, home = self._home(kind)
        flags = EDataServer.WebDAVListFlags.ALL
        _, found = session.list_sync(home, EDataServer.WEBDAV_DEPTH_THIS_AND_CHILDREN, flags, None)
        return [each.display_name for each in found]

    def may(self, kind: str, name: str) -> list[str]:
        """What one may do with a source."""
        session = EDataServer.WebDAVSession.new(self._source(kind, name))
        session.set_credentials(self.credentials)
        _, found = session.get_current_user_privilege_set_sync(None, None)
        return [each.name for each in found]

    def _home(self, kind: str) -> tuple[Any, str]:
        """A session at a source, and the URL of what it lies in."""
        source = self._sources(kind)[0]
        session = EDataServer.WebDAVSession.new(source)
        session.set_credentials(self.credentials)
        extension = source.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND)
        return session, extension.dup_uri().to_string().rstrip("/").rpartition("/")[0] + "/"

    def _source(self, kind: str, name: str) -> Any:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for each in self._sources(kind):
                if each.get_display_name() == name:
                    return each
            time.sleep(0.05)
        raise LookupError(f"There is no {kind} {name} among {self.sources(kind)}.")

    def _client(self, kind: str, name: str) -> Any:
        """What works with one source, which is known and up to date when it answers."""
        if (kind, name) not in self.clients:
            source = self._source(kind, name)
            if kind in KINDS:
                made = ECal.Client.connect_sync(source, KINDS[kind], SECONDS, None)
            else:
                made = EBook.BookClient.connect_sync(source, SECONDS, None)
            self.clients[kind, name] = made
        return self.clients[kind, name]

    def writable(self, kind: str, name: str) -> bool:
        """Whether one may change things there."""
        return not self._client(kind, name).is_readonly()

    def refresh(self, kind: str, name: str) -> None:
        """Look for what is new on the server."""
        self._client(kind, name).refresh_sync(None)

    def objects(self, kind: str, name: str, query: str = "#t") -> list[str]:
        """The events, tasks or memos that a query finds."""
        _, found = self._client(kind, name).get_object_list_sync(query, None)
        return [each.as_ical_string() for each in found]

    def create(self, kind: str, name: str, text: str) -> str:
        """Store a new component; its UID."""
        component = ICalGLib.Component.new_from_string(text)
        _, uid = self._client(kind, name).create_object_sync(component, NO_FLAGS, None)
        return str(uid)

    def modify(self, kind: str, name: str, text: str) -> None:
        """Store a changed component."""
        component = ICalGLib.Component.new_from_string(text)
        everything = ECal.ObjModType.ALL
        self._client(kind, name).modify_object_sync(component, everything, NO_FLAGS, None)

    def remove(self, kind: str, name: str, uid: str) -> None:
        """Remove a component."""
        everything = ECal.ObjModType.ALL
        self._client(kind, name).remove_object_sync(uid, None, everything, NO_FLAGS, None)

    def busy(self, name: str, start: int, end: int, people: list[str]) -> list[str]:
        """When people are busy, in seconds since 1970."""
        _, found = self._client("Calendar", name).get_free_busy_sync(start, end, people, None)
        return [each.get_as_string() for each in found or []]

    def contacts(self, name: str, query: str = EVERYBODY) -> list[str]:
        """The cards that a query finds."""
        _, found = self._client("Address Book", name).get_contacts_sync(query, None)
        return [each.to_string(VCARD_3) for each in found]

    def add_contact(self, name: str, card: str) -> str:
        """Store a new card; its UID."""
        contact = EBookContacts.Contact.new_from_vcard(card)
        _, uid = self._client("Address Book", name).add_contact_sync(contact, 0, None)
        return str(uid)

    def modify_contact(self, name: str, uid: str, field: str, value: str) -> None:
        """Change one field of a card."""
        client = self._client("Address Book", name)
        _, contact = client.get_contact_sync(uid, None)
        contact.set_property(field, value)
        client.modify_contact_sync(contact, 0, None)

    def remove_contact(self, name: str, uid: str) -> None:
        """Remove a card."""
        self._client("Address Book", name).remove_contact_by_uid_sync(uid, 0, None)


def main() -> None:
    """Answer until there is nothing more to do."""
    evolution = Evolution()
    for line in sys.stdin:
        method, *words = json.loads(line)
        answer: dict[str, Any] = {"value": None}
        try:
            answer["value"] = getattr(evolution, method)(*words)
        except (GLib.Error, LookupError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()
