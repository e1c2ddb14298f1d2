"""Reports of success, for recipients whose copy is in its mailbox at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from folkmoot.protocols.smtp.dsn import Action, Report, notification, wanted
from folkmoot.protocols.smtp.intake import MailIntake
from folkmoot.storage.errors import StorageError
from folkmoot.storage.types_mail import Delivered, MailEnvelope, Octets

log = logging.getLogger(__name__)


async def report_delivered(
    intake: MailIntake,
    hostname: str,
    envelope: MailEnvelope,
    message: Octets,
    outcomes: Sequence[Delivered],
) -> None:
    """Tell the sender of recipients for whom NOTIFY=SUCCESS was said (RFC 3461 section 5.2.3).

    The mail itself is safe by then, so a report that cannot be queued is only logged.
    """
    now = datetime.now().astimezone()
    stored = {outcome.address for outcome in outcomes if outcome.error is None}
    reports = [
        Report(one, Action.DELIVERED, "2.1.5", attempted=now)
        for one in envelope.recipients
        if one.address in stored and wanted(envelope.sender, one, Action.DELIVERED)
    ]
    if not reports:
        return
    notice = notification(hostname, envelope, now, reports, message.header, now)
    try:
        await intake.notify([notice])
    except StorageError as error:
        log.warning("cannot queue a delivery report: %s", error)
