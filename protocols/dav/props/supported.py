"""What can be asked of a resource: computed from what is registered."""

from __future__ import annotations

from folkmoot.protocols.dav.names import dav, element
from folkmoot.protocols.dav.registry import methods_of, prop, props_of, reports_of
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.storage.types import Tool


@prop(dav("supported-report-set"))
def supported_report_set(request: Request, node: Node) -> str:
    """Reports. # rfc3253#3.1.5"""
    return "".join(
        f"<D:supported-report><D:report>{element(name)}</D:report></D:supported-report>"
        for name in reports_of(node.kind, node.tool)
    )


@prop(dav("supported-method-set"))
def supported_method_set(request: Request, node: Node) -> str:
    """Methods. # rfc3253#3.1.3"""
    return "".join(
        f'<D:supported-method name="{name}"/>' for name in methods_of(node.kind, node.tool)
    )


@prop(dav("supported-live-property-set"))
def supported_live_property_set(request: Request, node: Node) -> str:
    """Live properties. # rfc3253#3.1.4"""
    return "".join(
        "<D:supported-live-property><D:prop>"
        f"{element(entry.name)}</D:prop></D:supported-live-property>"
        for entry in props_of(node.kind, node.tool)
    )


@prop(dav("add-member"), Kind.HOME, [Tool.DOCUMENTS])
@prop(dav("add-member"), Kind.FOLDER)
def add_member(request: Request, node: Node) -> str:
    """Where POST adds a member: the collection itself. # rfc5995#3.2.1"""
    return f"<D:href>{node.href}</D:href>"


@prop(dav("supported-query-grammar-set"), Kind.HOME | Kind.FOLDER)
def supported_query_grammar_set(request: Request, node: Node) -> str:
    """What SEARCH understands. # rfc5323#3.3"""
    return (
        "<D:supported-query-grammar><D:grammar><D:basicsearch/></D:grammar>"
        "</D:supported-query-grammar>"
    )
