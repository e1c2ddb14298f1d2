"""Numbers for Prometheus, on a port of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry
from twisted.web.resource import Resource
from twisted.web.server import Site


class Gauges(Collector):
    """Reads the server's numbers when they are asked for.

    ``connections`` counts open ones by protocol; ``expires`` is when the certificate ends, in
    seconds since 1970, None without TLS.
    """

    def __init__(
        self, connections: Callable[[], Mapping[str, int]], expires: Callable[[], float | None]
    ) -> None:
        self._connections = connections
        self._expires = expires

    def collect(self) -> Iterator[Metric]:
        """The numbers now."""
        connections = GaugeMetricFamily(
            "folkmoot_connections", "Open client connections.", labels=["protocol"]
        )
        for protocol, count in self._connections().items():
            connections.add_metric([protocol], count)
        yield connections
        expires = self._expires()
        if expires is not None:
            yield GaugeMetricFamily(
                "folkmoot_certificate_expires_timestamp_seconds",
                "When the TLS certificate ends.",
                value=expires,
            )


class _Page(Resource):
    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._registry = registry

    def render_GET(self, request: Any) -> bytes:  # noqa: N802 - Twisted's name
        """The metrics as text."""
        request.setHeader(b"Content-Type", CONTENT_TYPE_LATEST.encode())
        return generate_latest(self._registry)


def metrics_site(gauges: Gauges) -> Any:
    """The factory of a listener that answers ``GET /metrics``."""
    registry = CollectorRegistry()
    registry.register(gauges)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    root = Resource()  # type: ignore[no-untyped-call]
    root.putChild(b"metrics", _Page(registry))  # type: ignore[arg-type]
    site: Any = Site(root, timeout=60)  # type: ignore[no-untyped-call]
    site.noisy = False
    return site
