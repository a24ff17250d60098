"""The daemon: wires sources → forwarder → spool → publisher, and lives through its phases."""

import asyncio
import logging
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from bridge.aws_iot.publisher import Publisher
from bridge.aws_iot.subscription import Subscription
from bridge.clock import Clock
from bridge.config import ChirpStack, Config, Downlinks, Http
from bridge.counts import Counts
from bridge.downlinks.check_sender import CheckSender
from bridge.downlinks.dispatcher import Dispatcher
from bridge.downlinks.intake import Intake
from bridge.downlinks.open_downlinks import OpenDownlinks
from bridge.downlinks.reconciler import Reconciler
from bridge.downlinks.store import Store
from bridge.health.systemd import Systemd, report
from bridge.log_limit import LimitedLogger
from bridge.messages.timestamper import Timestamper
from bridge.sources.chirpstack import server as chirpstack
from bridge.sources.chirpstack.server import ChirpStackServer
from bridge.sources.forwarder import Forwarder
from bridge.sources.gaps import Gaps
from bridge.sources.retry import Retry
from bridge.sources.semtech.listener import Listener, parser_of
from bridge.sources.semtech.motes import NAME as SEMTECH
from bridge.sources.source import Parse, Source
from bridge.spool.quarantine import Quarantine
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.timings import Timings
from contract.errors import BridgeError

_log = logging.getLogger(__name__)

_SECOND = 1_000_000  # microseconds
_MARK_EVERY = 1.0  # seconds
TIMINGS = Timings()
HOST_CLOCK = Clock(wall=lambda: time.time_ns() // 1000, monotonic=time.monotonic)


@dataclass(frozen=True)
class _Bridge:
    """The parts, wired."""

    counts: Counts
    clock: Clock
    spooler: Spooler
    quarantine: Quarantine
    retry: Retry
    sources: tuple[Source, ...]
    publisher: Publisher
    dispatcher: Dispatcher
    reconciler: Reconciler
    subscription: Subscription | None

    def unready(self) -> list[str]:
        """Return why it is not ready, nothing if it is."""
        problem = self.spooler.problem
        return [
            *(reason for source in self.sources for reason in source.unready()),
            *(f"not connected as {name}" for name in self.publisher.unconnected()),
            *(self.subscription.unready() if self.subscription else []),
            *([f"spool: {problem}"] if problem else []),
        ]

    def status(self) -> str:
        """Return in a line how it does."""
        waiting = self.spooler.held.waiting.messages
        unready = "; ".join(self.unready()[:3])
        return f"{unready or 'ready'}: {self.counts.summary()} waiting={waiting}"


async def serve(config: Config, clock: Clock = HOST_CLOCK, timings: Timings = TIMINGS) -> None:
    """Run until SIGTERM, SIGINT or SIGHUP.

    Raises:
        BridgeError: it cannot listen, open the spool, or use its certificate and key.

    """
    stop = _stop_signal()
    asyncio.get_running_loop().set_exception_handler(_log_of_loop())
    systemd = Systemd(os.environ)
    with Spool(config.spool.path, lambda: systemd.alive("mending the spool")) as spool:
        bridge = _wired(config, spool, clock, timings)
        try:
            async with _health(config.http, bridge):
                for source in bridge.sources:
                    await source.start()
                await _work(stop, bridge, spool, systemd, timings)
        finally:
            _flush(bridge.spooler)  # what has come, also where the start failed half-way
            bridge.quarantine.flush()
            bridge.spooler.close()
        _log.info("stopped: %s left=%s", bridge.counts.summary(), _left(bridge.spooler))
    if bridge.spooler.uncommitted:
        left = bridge.spooler.uncommitted
        raise BridgeError(f"{config.spool.path}: {left} frames could not be written")


def _wired(config: Config, spool: Spool, clock: Clock, timings: Timings) -> _Bridge:
    counts = Counts()
    downlinks = config.downlinks or Downlinks()
    try:
        timestamper = Timestamper(spool.placements())
        spooler = Spooler(spool, config.spool.max_bytes, config.spool.max_refused)
        quarantine = Quarantine(spool, config.spool.max_rejected, timings.write_rejected)
        gaps = Gaps(spooler.keep, timestamper, config.aws, clock.wall)
        lost = partial(gaps.tell, "spool", "messages that waited")
        store = Store(spool, spooler, quarantine, timestamper, config.aws.deployment, lost)
    except (sqlite3.Error, OSError) as error:
        raise BridgeError(f"{config.spool.path}: cannot read the spool: {error}") from None
    still_open = _open(downlinks)
    dispatcher = Dispatcher(still_open, store, counts, clock)
    intake = Intake(dispatcher, still_open, store, counts, clock, downlinks, timings.settle)
    reconciler = Reconciler(
        *(still_open, dispatcher.sender_of, dispatcher.answered, clock, timings)
    )
    forwarder = Forwarder(
        *(spooler.keep, quarantine.keep, dispatcher.answered, timestamper, counts, clock),
        deployment=config.aws.deployment,
        joined=reconciler.joined,
    )
    servers = _chirpstack_servers(config, forwarder, gaps, store)
    listeners = _listeners(config, forwarder, gaps, store, dispatcher, spool.ran_until)
    sources: tuple[Source, ...] = (*listeners, *servers)
    retry = Retry(spool, spooler, forwarder, _parser_of(config), timings.look_for_retries)
    publisher = Publisher(config.aws, spooler, counts, timings)
    missed = partial(gaps.tell, "aws", "requests for downlinks")
    subscription = (
        Subscription(config.aws, config.downlinks, intake.take, store, missed, counts)
        if config.downlinks
        else None
    )
    check = CheckSender(config.aws.client_id, dispatcher.answered)
    of_listeners = [each.sender for each in listeners]
    dispatcher.connect([check, *of_listeners, *(each.sender for each in servers)])
    spooler.connect(publisher, [*sources, subscription] if subscription else sources)
    return _Bridge(
        *(
            counts,
            clock,
            spooler,
            quarantine,
            retry,
            sources,
            publisher,
            dispatcher,
            reconciler,
            subscription,
        )
    )


def _listeners(
    config: Config,
    forwarder: Forwarder,
    gaps: Gaps,
    store: Store,
    dispatcher: Dispatcher,
    ran_until: int | None,
) -> list[Listener]:
    """Return what listens for Semtech's servers, if anything does."""
    if not config.listen:
        return []
    claim = partial(dispatcher.claim, SEMTECH)
    others, last_token = config.events.other, store.last_number
    return [
        Listener(
            *(config.listen, forwarder, claim, gaps),
            others=others,
            last_token=last_token,
            ran_until=ran_until,
        )
    ]


def _chirpstack_servers(
    config: Config, forwarder: Forwarder, gaps: Gaps, store: Store
) -> list[ChirpStackServer]:
    def server(settings: ChirpStack, client_id: str) -> ChirpStackServer:
        prefix = chirpstack.claimed_as(settings)

        def claim(application: str, application_id: str) -> None:
            store.claim(f"{prefix}{application_id}", application)

        claims = [(application, rest) for rest, application in store.claims(prefix)]
        return ChirpStackServer(
            *(settings, client_id, forwarder, gaps, claims, claim),
            others=config.events.other,
            downlinks=config.downlinks is not None,
        )

    client_ids = chirpstack.client_ids(config.chirpstack, config.aws)
    return [*map(server, config.chirpstack, client_ids)]


def _parser_of(config: Config) -> Callable[[str], Parse]:
    """Return a function from where a frame came to to what parses it."""
    of_brokers = chirpstack.parser_of(config.chirpstack)
    of_listeners = parser_of(config.listen)
    return lambda origin: of_brokers(origin) or of_listeners(origin)


def _open(downlinks: Downlinks) -> OpenDownlinks:
    answers_within = downlinks.answers_within * _SECOND
    return OpenDownlinks(in_order=downlinks.in_order, answers_within=answers_within)


@asynccontextmanager
async def _health(http: Http | None, bridge: _Bridge) -> AsyncIterator[None]:
    """Serve health and metrics, if that is configured."""
    if http is None:
        yield
        return
    # Only here: a bridge without [http] does not load the library.
    from bridge.health.http import Health  # noqa: PLC0415
    from bridge.health.metrics import Metrics  # noqa: PLC0415

    metrics = Metrics(
        *(bridge.sources, bridge.spooler, bridge.publisher, bridge.counts),
        *(bridge.dispatcher, bridge.clock.wall),
    )
    health = Health(http, bridge.unready, metrics.text)
    _log.info("health and metrics on http://%s", await health.start())
    try:
        yield
    finally:
        health.stop()


async def _work(
    stop: asyncio.Event, bridge: _Bridge, spool: Spool, systemd: Systemd, timings: Timings
) -> None:
    spooler, publisher = bridge.spooler, bridge.publisher
    async with asyncio.TaskGroup() as tasks:
        marking = tasks.create_task(_mark(bridge, spool))
        running = [
            tasks.create_task(publisher.run()),
            tasks.create_task(_announce(publisher)),
            tasks.create_task(bridge.retry.run()),
            tasks.create_task(bridge.dispatcher.run()),
            tasks.create_task(bridge.reconciler.run()),
            tasks.create_task(report(systemd, bridge.status, publisher.stuck)),
        ]
        if bridge.subscription:
            bridge.subscription.start()
        await stop.wait()
        marking.cancel()
        systemd.stopping()
        _log.info("stopping: no more frames are taken; publishing what waits")
        if bridge.subscription:
            with suppress(TimeoutError):
                await asyncio.wait_for(bridge.subscription.stop(), timings.disconnect)
        for source in bridge.sources:
            await source.stop()
        await _drain(spooler, publisher, timings.drain)
        with suppress(TimeoutError):
            await asyncio.wait_for(publisher.stop(), timings.disconnect)
        for task in running:
            task.cancel()


async def _mark(bridge: _Bridge, spool: Spool) -> None:
    """Mark that frames are read, so that the next run knows since when none were."""
    while True:
        if not bridge.spooler.pressed:
            with suppress(OSError):
                spool.mark_running(bridge.clock.wall())
        await asyncio.sleep(_MARK_EVERY)


async def _announce(publisher: Publisher) -> None:
    await publisher.connected()
    _log.info("ready: connected to AWS IoT")


async def _drain(spooler: Spooler, publisher: Publisher, limit: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            _flush(spooler)
            await publisher.drain()


def _flush(spooler: Spooler) -> None:
    try:
        spooler.commit()
    except (sqlite3.Error, OSError) as error:
        _log.error("spool: %s: %d frames are not on disk", error, spooler.uncommitted)


def _left(spooler: Spooler) -> str:
    """Return how many messages wait on disk, or why that is not known."""
    try:
        return str(spooler.count_waiting())
    except (sqlite3.Error, OSError) as error:
        return f"unknown: {error}"


def _log_of_loop() -> Callable[[asyncio.AbstractEventLoop, dict[str, object]], None]:
    """Return what logs the event loop's own errors, such as too many open files, not too often."""
    limited = LimitedLogger(_log)

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        limited.log(
            logging.ERROR, type(error).__name__, "event loop: %s: %r", context["message"], error
        )

    return handle


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
