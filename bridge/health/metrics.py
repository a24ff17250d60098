"""What Prometheus reads: the counts of the bridge, looked at when it asks. Does no I/O of its own.

No series is for one device, and only the applications of ``Counts`` have one: otherwise frames
could make any number of series.
"""

import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence, Sized
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bridge.aws_iot.latencies import BOUNDS
from bridge.aws_iot.publisher import Publisher
from bridge.counts import Counts
from bridge.messages.message import time_of
from bridge.sources.source import Source
from bridge.spool.spooler import Spooler

_MICROS = 1_000_000


class Metrics(Collector):
    """All metrics of a bridge.

    ``downlinks`` are those that are open. ``wall`` returns microseconds since 1970.
    """

    def __init__(  # it looks at every part
        self,
        sources: Sequence[Source],
        spooler: Spooler,
        publisher: Publisher,
        counts: Counts,
        downlinks: Sized,
        wall: Callable[[], int],
    ) -> None:
        self._sources = sources
        self._spooler = spooler
        self._publisher = publisher
        self._counts = counts
        self._downlinks = downlinks
        self._wall = wall
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)  # memory, CPU and open files

    def text(self) -> bytes:
        """Return them as Prometheus reads them (text format 0.0.4)."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield them."""
        yield self._frames()
        yield self._publishes()
        yield self._latencies()
        yield from self._spool()
        yield from self._of_downlinks()
        yield self._last_uplinks()
        yield GaugeMetricFamily(
            "lora_bridge_network_servers",
            "Connections that network servers have open.",
            sum(source.connections for source in self._sources),
        )
        yield GaugeMetricFamily(
            "lora_bridge_connected",
            "Connections to AWS IoT that are up.",
            self._publisher.size - len(self._publisher.unconnected()),
        )
        yield CounterMetricFamily(
            "lora_bridge_reconnects",
            "Connections to AWS IoT that were made anew.",
            self._counts.reconnects,
        )

    def _frames(self) -> Metric:
        family = CounterMetricFamily(
            "lora_bridge_frames",
            "Frames from network servers, by what became of them; the reason if rejected.",
            labels=["outcome", "reason"],
        )
        family.add_metric(["accepted", ""], self._counts.accepted)
        family.add_metric(["noticed", ""], self._counts.noticed)
        family.add_metric(["ignored", ""], self._counts.ignored)
        for reason, count in sorted(self._counts.rejected.items()):
            family.add_metric(["rejected", reason], count)
        return family

    def _publishes(self) -> Metric:
        family = CounterMetricFamily(
            "lora_bridge_publishes",
            "Publishes by how they ended: all but published are tried again.",
            labels=["result"],
        )
        for result in ("published", "events", "refused", "throttled", "unanswered"):
            family.add_metric([result], getattr(self._counts, result))
        return family

    def _latencies(self) -> Metric:
        latencies = self._publisher.latencies()
        counts = accumulate(latencies.counts)
        bounds = [*map(str, BOUNDS), "+Inf"]
        return HistogramMetricFamily(
            "lora_bridge_puback_seconds",
            "From a publish to its PUBACK.",
            buckets=list(zip(bounds, map(float, counts), strict=True)),
            sum_value=latencies.seconds,
        )

    def _spool(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "lora_bridge_spool_messages",
            "Messages that wait on disk.",
            self._spooler.held.waiting.messages,
        )
        yield GaugeMetricFamily(
            "lora_bridge_spool_bytes",
            "Bytes of the messages that wait on disk.",
            self._spooler.held.waiting.bytes,
        )
        yield GaugeMetricFamily(
            "lora_bridge_refused_messages",
            "Of these messages, those that AWS IoT refused.",
            self._spooler.held.refused.messages,
        )
        yield CounterMetricFamily(
            "lora_bridge_refused_dropped",
            "Refused messages that were dropped, for more than max_refused.",
            self._spooler.held.dropped,
        )
        yield GaugeMetricFamily(
            "lora_bridge_spool_oldest_seconds",
            "Age of the uplink that waits for longest, 0 where none does.",
            self._oldest(),
        )

    def _of_downlinks(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "lora_bridge_downlinks",
            "Downlinks by the states that they came to, and requests that were not taken.",
            labels=["state"],
        )
        for state, count in sorted(self._counts.downlinks.items()):
            family.add_metric([state], count)
        yield family
        yield GaugeMetricFamily(
            "lora_bridge_downlinks_open", "Downlinks that have not ended.", len(self._downlinks)
        )
        yield CounterMetricFamily(
            "lora_bridge_events_dropped",
            "Events of devices that came too fast and were dropped.",
            self._counts.events_dropped,
        )

    def _oldest(self) -> float:
        try:
            oldest = self._spooler.oldest()
        except (sqlite3.Error, OSError):
            return math.nan
        time = time_of(oldest.payload) if oldest else None
        return 0.0 if time is None else max(0.0, (self._wall() - time) / _MICROS)

    def _last_uplinks(self) -> Metric:
        family = GaugeMetricFamily(
            "lora_bridge_last_uplink_timestamp_seconds",
            "When the last uplink of an application came; beyond the first applications: other.",
            labels=["application"],
        )
        for application, time in self._counts.last_uplinks.items():
            family.add_metric([application], time / _MICROS)
        return family
