"""CardDAV (RFC 6352) on the WebDAV core: what address books have beside folders."""
