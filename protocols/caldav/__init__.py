"""CalDAV (RFC 4791, RFC 6638, RFC 7809) on the WebDAV core: what calendars have beside folders."""
