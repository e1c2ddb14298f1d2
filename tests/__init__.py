"""The tests. The reactor is chosen here, before any module can import another one."""

import asyncio

from twisted.internet import asyncioreactor

LOOP = asyncio.new_event_loop()
asyncioreactor.install(LOOP)  # type: ignore[no-untyped-call]
