"""Wires sources → forwarder → spool → publisher, and the way back to the sources."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bridge.aws_iot.publisher import Publisher
from bridge.aws_iot.subscription import Subscription
from bridge.clock import Clock
from bridge.config import ChirpStack, Config, Downlinks
from bridge.counts import Counts
from bridge.downlinks.check_sender import CheckSender
from bridge.downlinks.dispatcher import Dispatcher
from bridge.downlinks.intake import Intake
from bridge.downlinks.open_downlinks import OpenDownlinks
from bridge.downlinks.reconciler import Reconciler
from bridge.downlinks.store import Store
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

_SECOND = 1_000_000  # microseconds


@dataclass(frozen=True)
class Bridge:
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


def wired(config: Config, spool: Spool, clock: Clock, timings: Timings) -> Bridge:
    """Return the bridge of a configuration, which does nothing yet.

    Raises:
        BridgeError: the spool cannot be read, or a certificate, key or CA cannot be used.

    """
    counts = Counts()
    kept = _kept(config, spool, clock, timings)
    downlinks = config.downlinks or Downlinks()
    still_open = _open(downlinks)
    dispatcher = Dispatcher(still_open, kept.store, counts, clock)
    intake = Intake(dispatcher, still_open, kept.store, counts, clock, downlinks, timings.settle)
    reconciler = Reconciler(
        *(still_open, dispatcher.sender_of, dispatcher.answered, clock, timings)
    )
    forwarder = Forwarder(
        *(kept.spooler.keep, kept.quarantine.keep, dispatcher.answered, kept.timestamper),
        *(counts, clock),
        deployment=config.aws.deployment,
        joined=reconciler.joined,
    )
    listeners = _listeners(config, forwarder, kept, dispatcher)
    servers = _chirpstack_servers(config, forwarder, kept)
    check = CheckSender(config.aws.client_id, dispatcher.answered)
    of_listeners = [each.sender for each in listeners]
    dispatcher.connect([check, *of_listeners, *(each.sender for each in servers)])
    bridge = Bridge(
        counts=counts,
        clock=clock,
        spooler=kept.spooler,
        quarantine=kept.quarantine,
        retry=Retry(
            *(spool, kept.spooler, forwarder, _parser_of(config), timings.look_for_retries)
        ),
        sources=(*listeners, *servers),
        publisher=Publisher(config.aws, kept.spooler, counts, timings),
        dispatcher=dispatcher,
        reconciler=reconciler,
        subscription=_subscription(config, intake, kept, counts),
    )
    asking = [bridge.subscription] if bridge.subscription else []
    kept.spooler.connect(bridge.publisher, [*bridge.sources, *asking])
    return bridge


@dataclass(frozen=True)
class _Kept:
    """What goes on from where an earlier run ended. ``ran_until`` is when, see ``Spool``."""

    timestamper: Timestamper
    spooler: Spooler
    quarantine: Quarantine
    gaps: Gaps
    store: Store
    ran_until: int | None


def _kept(config: Config, spool: Spool, clock: Clock, timings: Timings) -> _Kept:
    try:
        timestamper = Timestamper(spool.placements())
        spooler = Spooler(spool, config.spool.max_bytes, config.spool.max_refused)
        quarantine = Quarantine(spool, config.spool.max_rejected, timings.write_rejected)
        gaps = Gaps(spooler.keep, timestamper, config.aws, clock.wall)
        lost = partial(gaps.tell, "spool", "messages that waited")
        store = Store(spool, spooler, quarantine, timestamper, config.aws.deployment, lost)
    except (sqlite3.Error, OSError) as error:
        raise BridgeError(f"{config.spool.path}: cannot read the spool: {error}") from None
    return _Kept(timestamper, spooler, quarantine, gaps, store, spool.ran_until)


def _open(downlinks: Downlinks) -> OpenDownlinks:
    answers_within = downlinks.answers_within * _SECOND
    return OpenDownlinks(in_order=downlinks.in_order, answers_within=answers_within)


def _listeners(
    config: Config, forwarder: Forwarder, kept: _Kept, dispatcher: Dispatcher
) -> list[Listener]:
    """Return what listens for Semtech's servers, if anything does."""
    if not config.listen:
        return []
    claim = partial(dispatcher.claim, SEMTECH)
    return [
        Listener(
            *(config.listen, forwarder, claim, kept.gaps),
            others=config.events.other,
            last_token=kept.store.last_number,
            ran_until=kept.ran_until,
        )
    ]


def _chirpstack_servers(
    config: Config, forwarder: Forwarder, kept: _Kept
) -> list[ChirpStackServer]:
    def server(settings: ChirpStack, client_id: str) -> ChirpStackServer:
        prefix = chirpstack.claimed_as(settings)

        def claim(application: str, application_id: str) -> None:
            kept.store.claim(f"{prefix}{application_id}", application)

        claims = [(application, rest) for rest, application in kept.store.claims(prefix)]
        return ChirpStackServer(
            *(settings, client_id, forwarder, kept.gaps, claims, claim),
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


def _subscription(
    config: Config, intake: Intake, kept: _Kept, counts: Counts
) -> Subscription | None:
    """Return what takes requests for downlinks, if that is configured."""
    if config.downlinks is None:
        return None
    missed = partial(kept.gaps.tell, "aws", "requests for downlinks")
    return Subscription(config.aws, config.downlinks, intake.take, kept.store, missed, counts)
