"""The drive: what file managers need beyond WebDAV itself."""
