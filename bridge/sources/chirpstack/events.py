"""Takes a ChirpStack server's events from its broker, and acknowledges what is on disk.

The session at the broker outlives the process: what comes while the bridge is away waits there.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial

from bridge.config import ChirpStack
from bridge.log_limit import LimitedLogger
from bridge.messages.event import Notice
from bridge.messages.rejection import EXCERPT, BrokenFrame, Reason
from bridge.messages.uplink import Uplink
from bridge.mqtt.subscriber import TAKEN_OVER, Hearing, Subscriber
from bridge.mqtt.told import Acknowledge, Delivery, Failure, Session
from bridge.sources.chirpstack.notices import NAME_OF_SOURCE
from bridge.sources.chirpstack.parsing import Parser
from bridge.sources.chirpstack.sending import ChirpStackSender
from bridge.sources.forwarder import Forwarder
from bridge.sources.gaps import Gaps
from bridge.spool.batch import Receipt

_log = logging.getLogger(__name__)
_LARGEST = 262_144  # bytes of an event; ChirpStack's have some thousand
_LONGEST_TOPIC = 512  # bytes that are noted of what is rejected; ids and what is around them
_AGAIN_AFTER = 30.0  # seconds, after the broker has refused the subscription
_STAY_AWAY = 60.0  # seconds, after another client has taken the session
_BRIEF, _BRIEF_ONES = 20.0, 3
"""Seconds, and how many connections in a row that end before: Mosquitto 2.0.11 does not say that it
gave the session to another client with this ID, but closes the connection."""
_STOP_LIMIT = 2.0  # seconds
_REMEDIES = {
    0x84: ": the broker must speak MQTT 5",
    0x86: ": check username and password_file",
    0x87: ": check username and password_file, or the certificate",
}
"""By reason code of CONNACK (MQTT 5.0, 3.2.2.2)."""
DROPPED = "$SYS/broker/publish/messages/dropped"
"""Where Mosquitto tells how many messages it has dropped since it started (mosquitto(8))."""


class Events:
    """The connection on which events come. A ``Source``.

    ``known`` says that an earlier run had events of this server, so that a session without its past
    is a gap.

    Raises:
        BridgeError: the password, certificate, key or CA cannot be used.

    """

    def __init__(  # noqa: PLR0913  # what comes over a connection goes many ways
        self,
        settings: ChirpStack,
        client_id: str,
        parser: Parser,
        forwarder: Forwarder,
        sender: ChirpStackSender,
        gaps: Gaps,
        *,
        known: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.address = settings.address
        self._client_id = client_id
        self._expiry = settings.session_expiry
        self._parser = parser
        self._forwarder = forwarder
        self._sender = sender
        self._gaps = gaps
        self._known = known
        self._limited = LimitedLogger(_log)
        self._owed = 0  # acknowledgements that wait for the disk
        self._settled = asyncio.Event()
        self._stopping = False
        self._staying_away: asyncio.Task[None] | None = None  # another client has the session
        self._joined_at = 0.0
        self._brief_ones = 0  # connections in a row that ended soon
        self.at_qos_0 = False
        """Whether events have come at QoS 0: then some may not have come."""
        self._connected = False
        self._lost_at: int | None = None
        self._kept = False  # the session, by the broker
        self._dropped: int | None = None  # by the broker, of anybody's messages
        self._problem = "not connected"
        hearing = Hearing(
            joined=self._on_joined,
            failed=self._on_failed,
            lost=self._on_lost,
            subscribed=self._on_answer,
            received=self._take,
        )
        expiry = settings.session_expiry
        self._subscriber = Subscriber(settings, client_id, expiry, hearing)

    async def start(self) -> None:
        """Connect, and reconnect for ever."""
        self._subscriber.start()

    async def stop(self) -> None:
        """Take nothing more, acknowledge what is on disk in a moment, and part from the broker."""
        self._stopping = True
        if self._owed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), _STOP_LIMIT)
        if self._staying_away is not None:
            self._staying_away.cancel()
        await self._subscriber.stop()

    def pause(self) -> None:
        """Bring nothing until ``resume``."""
        self._subscriber.hold()

    def resume(self) -> None:
        """Go on."""
        self._subscriber.release()

    @property
    def connections(self) -> int:
        """Whether there is a connection, as a number."""
        return int(self._connected)

    def unready(self) -> list[str]:
        """Return that no events can come, if they cannot."""
        return [f"{self._problem} to ChirpStack's broker {self.address}"] if self._problem else []

    def _take(self, delivery: Delivery) -> None:
        if self._stopping:
            return  # it comes again
        try:
            self._give(delivery)
        except Exception as error:  # noqa: BLE001  # whatever it is, the event comes again
            self._limited.log(
                logging.ERROR, "failed", "an event is not taken: %s: it comes again", error
            )

    def _give(self, delivery: Delivery) -> None:
        if delivery.topic == DROPPED:
            self._note_dropped(delivery.payload)
            return
        if delivery.acknowledge is None and not delivery.retained:
            self.at_qos_0 = True
            self._limited.log(
                logging.WARNING,
                "QoS",
                "events come at QoS 0: some are lost whenever a connection is: set qos = 1 in"
                " ChirpStack's [integration.mqtt]",
            )
        origin = f"{self.address} {delivery.topic[:_LONGEST_TOPIC]}"
        frame: bytes | BrokenFrame = delivery.payload
        if len(delivery.payload) > _LARGEST:
            frame = BrokenFrame(Reason.OVERSIZED, delivery.payload[:EXCERPT])
        parse = partial(self._parse, delivery.topic, delivery.retained)
        acknowledge = delivery.acknowledge
        receipt = None if acknowledge is None else self._receipt(acknowledge)
        self._forwarder.accept(frame, origin, parse, receipt)

    def _receipt(self, acknowledge: Acknowledge) -> Receipt:
        self._owed += 1
        return partial(self._acknowledge, acknowledge)

    def _acknowledge(self, acknowledge: Acknowledge) -> None:
        self._owed -= 1
        acknowledge()
        if self._stopping and not self._owed:
            self._settled.set()

    def _parse(self, topic: str, retained: bool, frame: bytes) -> Uplink | Notice | None:  # noqa: FBT001  # of partial
        read = self._parser.read(topic, frame, retained=retained)
        self._sender.note(read.application, read.device, read.application_id)
        return read.content

    def _on_joined(self, session: Session) -> None:
        _log.info(
            "connected to ChirpStack's broker %s as %s: %s session",
            *(self.address, self._client_id, "its earlier" if session.kept else "a new"),
        )
        if session.expiry < self._expiry:
            self._limited.log(
                logging.WARNING,
                "expiry",
                "the broker %s keeps events for %d s, not for session_expiry = %d",
                *(self.address, session.expiry, self._expiry),
            )
        if self._known and not session.kept:
            self._gaps.tell(
                NAME_OF_SOURCE, "events", "the broker had given up the session", self._lost_at
            )
        self._joined_at = self._loop.time()
        self._kept = session.kept
        self._known = self._connected = True
        self._lost_at = None
        self.at_qos_0 = False
        self._problem = "not subscribed"
        self._subscribe()  # each time: an earlier session may be without it

    def _subscribe(self) -> None:
        self._subscriber.subscribe(self._parser.filter, qos=1)
        # At QoS 0: in a full queue it would be dropped itself, and counted.
        self._subscriber.subscribe(DROPPED, qos=0, retained=True)

    def _on_answer(self, topic: str, failure: Failure | None) -> None:
        if topic == DROPPED:
            return  # who may not read it has no less of events
        if failure is None:
            self._problem = ""
            _log.info("ready for events of ChirpStack: subscribed to %s", self._parser.filter)
        else:
            self._limited.log(
                logging.ERROR,
                failure.reason,
                "the broker %s refuses the subscription to %s: %s: let its ACL allow it",
                *(self.address, self._parser.filter, failure.reason),
            )
            self._loop.call_later(_AGAIN_AFTER, self._subscribe)

    def _note_dropped(self, payload: bytes) -> None:
        """Note how many messages the broker has dropped since it started.

        It tells when one subscribes, and when it changes. At first it may have been while the
        bridge was away, if the session was there before.
        """
        try:
            dropped = int(payload)
        except ValueError:
            return
        before = self._dropped if self._dropped is not None else 0 if self._kept else dropped
        more = dropped - before if dropped >= before else dropped  # the broker started anew
        self._dropped = dropped
        if more:
            reason = f"the broker has dropped {more} messages of its clients"
            self._gaps.tell(NAME_OF_SOURCE, "events", reason)
            self._limited.log(
                logging.ERROR, "dropped", "%s: raise max_queued_messages in its file", reason
            )

    def _on_failed(self, failure: Failure) -> None:
        self._brief_ones = 0  # it is the broker that is away, or refuses
        self._say_lost(failure)

    def _say_lost(self, failure: Failure) -> None:
        remedy = _REMEDIES.get(failure.code, "") if failure.code is not None else ""
        self._limited.log(
            logging.WARNING,
            failure.reason,
            "no connection to ChirpStack's broker %s: %s%s; trying again",
            *(self.address, failure.reason, remedy),
        )

    def _on_lost(self, failure: Failure) -> None:
        self._problem = "not connected"
        self._connected = False
        self._lost_at = self._gaps.now()
        if self._stopping:
            return
        brief = self._loop.time() - self._joined_at < _BRIEF
        self._brief_ones = self._brief_ones + 1 if brief else 0
        if failure.code == TAKEN_OVER or self._brief_ones == _BRIEF_ONES:
            self._stay_away()
        else:
            self._say_lost(failure)

    def _stay_away(self) -> None:
        """Leave the session to the other client: each would take it from the other for ever."""
        self._brief_ones = 0
        self._problem = f"another client has the session of {self._client_id}: not connected"
        _log.error(
            "the broker %s ends connections as %s as soon as they are there: another client with"
            " this ID gets the events. Is there a second bridge? This one looks again in %.0f s",
            *(self.address, self._client_id, _STAY_AWAY),
        )
        self._staying_away = self._loop.create_task(self._come_back())

    async def _come_back(self) -> None:
        await self._subscriber.stop()
        await asyncio.sleep(_STAY_AWAY)
        self._subscriber.start()
