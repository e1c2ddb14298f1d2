"""Cards as responses of a report."""

from __future__ import annotations

from folkmoot.protocols.carddav.data import DataAsked, unconvertible
from folkmoot.protocols.dav.answering import Answering
from folkmoot.protocols.dav.plan import Plan
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Node, Resource
from folkmoot.storage.content.vcard.intake import CardError


def answering(request: Request, book: Resource, plan: Plan, data: DataAsked) -> Answering:
    """What answers for the cards of one address book."""

    def respond(node: Node) -> str:
        try:
            return plan.response(node)
        except CardError:
            return unconvertible(node)

    return Answering(request, book, plan, respond, data.wanted)
