"""The daemon: starts a bridge, works until it is told to stop, and drains it."""

import asyncio
import logging
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from bridge.aws_iot.publisher import Publisher
from bridge.clock import Clock
from bridge.config import Config, Http
from bridge.health.systemd import Systemd, report
from bridge.log_limit import LimitedLogger
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.timings import Timings
from bridge.wiring import Bridge, wired
from contract.errors import BridgeError

_log = logging.getLogger(__name__)

_MARK_EVERY = 1.0  # seconds
TIMINGS = Timings()
HOST_CLOCK = Clock(wall=lambda: time.time_ns() // 1000, monotonic=time.monotonic)


async def serve(config: Config, clock: Clock = HOST_CLOCK, timings: Timings = TIMINGS) -> None:
    """Run until SIGTERM, SIGINT or SIGHUP.

    Raises:
        BridgeError: it cannot listen, open the spool, or use its certificate and key.

    """
    stop = _stop_signal()
    asyncio.get_running_loop().set_exception_handler(_log_of_loop())
    systemd = Systemd(os.environ)
    with Spool(config.spool.path, lambda: systemd.alive("mending the spool")) as spool:
        bridge = wired(config, spool, clock, timings)
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


@asynccontextmanager
async def _health(http: Http | None, bridge: Bridge) -> AsyncIterator[None]:
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
    stop: asyncio.Event, bridge: Bridge, spool: Spool, systemd: Systemd, timings: Timings
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


async def _mark(bridge: Bridge, spool: Spool) -> None:
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
