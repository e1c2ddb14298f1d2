"""Tests of the DAV tree: WebDAV, calendars, contacts."""
