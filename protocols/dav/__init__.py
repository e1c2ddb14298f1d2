"""WebDAV (RFC 4918) and what CalDAV, CardDAV and the drive share.

Methods, live properties and reports are registered one by one (``registry``); what the server
claims in ``DAV:``, ``Allow`` and the ``supported-…-set`` properties is computed from there.
"""
