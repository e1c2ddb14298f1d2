"""REPORT (RFC 3253 section 3.6): finds the report by the root element of the body."""

from __future__ import annotations

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.registry import find_report, method
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import MAX_LIST_BODY


@method("REPORT", Kind.ANY)
async def report(request: Request, resource: Resource) -> None:
    """Answer the report that the body names. # rfc3253#3.6"""
    root = await request.xml(MAX_LIST_BODY)
    if root is None:
        raise DavError(400, text="REPORT needs a body.")
    entry = find_report(str(root.tag), resource.kind, resource.node.tool)
    if entry is None:
        raise refuse("supported-report", text="This report is not known here.")
    await entry.handler(request, resource, root)
