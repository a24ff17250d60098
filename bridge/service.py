"""The daemon: wires source → forwarder → spool → publisher, and lives through its phases."""

import asyncio
import logging
import signal
import sqlite3
import time
from contextlib import suppress

from bridge.config import Config
from bridge.counts import Counts
from bridge.errors import BridgeError
from bridge.forwarder import Clock, Forwarder
from bridge.publisher import Publisher
from bridge.quarantine import Quarantine
from bridge.second_reading import SecondReading
from bridge.source import Source
from bridge.spool import Spool
from bridge.spooler import Spooler
from bridge.timestamps import Timestamper

_log = logging.getLogger(__name__)
_DRAIN_LIMIT = 10.0  # seconds
_DISCONNECT_LIMIT = 5.0  # seconds

HOST_CLOCK = Clock(wall=lambda: time.time_ns() // 1000, monotonic=time.monotonic)


async def serve(config: Config, clock: Clock = HOST_CLOCK) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        BridgeError: it cannot listen, open the spool, or use its certificate and key.

    """
    stop = _stop_signal()
    counts = Counts()
    with Spool(config.spool.path) as spool:
        try:
            timestamper = Timestamper(spool.placements())
            spooler = Spooler(spool, config.spool.max_bytes)
        except (sqlite3.Error, OSError) as error:
            raise BridgeError(f"{config.spool.path}: cannot read the spool: {error}") from None
        quarantine = Quarantine(spool, config.spool.max_rejected)
        forwarder = Forwarder(spooler.keep, quarantine.keep, timestamper, counts, clock)
        applications = {listen.address: listen.application for listen in config.listen}
        second_reading = SecondReading(spool, spooler, forwarder, applications)
        source = Source(config.listen, forwarder)
        spooler.on_pressure = lambda pressed: source.pause() if pressed else source.resume()
        try:
            publisher = Publisher(config.aws, spooler, counts)
            await source.start()
            _log.info("listening on %s", ", ".join(source.addresses()))
            await _work(stop, source, spooler, publisher, second_reading)
            quarantine.flush()
            _log.info("stopped: %s left=%s", counts.summary(), _left(spooler))
        finally:
            spooler.close()
    if spooler.uncommitted:
        raise BridgeError(f"{config.spool.path}: {spooler.uncommitted} frames could not be written")


async def _work(
    stop: asyncio.Event,
    source: Source,
    spooler: Spooler,
    publisher: Publisher,
    second_reading: SecondReading,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(publisher.run()),
            tasks.create_task(_announce(source, publisher)),
            tasks.create_task(second_reading.run()),
        ]
        await stop.wait()
        _log.info("stopping: no more frames are taken; publishing what waits")
        await source.stop()
        await _drain(spooler, publisher)
        with suppress(TimeoutError):
            await asyncio.wait_for(publisher.stop(), _DISCONNECT_LIMIT)
        for task in running:
            task.cancel()
    _flush(spooler)


async def _announce(source: Source, publisher: Publisher) -> None:
    await publisher.connected()
    _log.info("ready: connected, and listening on %s", ", ".join(source.addresses()))


async def _drain(spooler: Spooler, publisher: Publisher) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_LIMIT):
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
        return str(spooler.count())
    except (sqlite3.Error, OSError) as error:
        return f"unknown: {error}"


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
