"""One connection to AWS IoT, and the devices that use it."""

import asyncio
import logging

from bridge.aws_iot.connection import Connection, Events, Outcome, Result
from bridge.aws_iot.latencies import Latencies
from bridge.aws_iot.refused import RefusedMessages
from bridge.aws_iot.suspect import Suspect, Verdict
from bridge.config import Aws
from bridge.counts import Counts
from bridge.log_limit import LimitedLogger
from bridge.messages.trace import trace
from bridge.mqtt.client import TIMEOUT
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from bridge.timings import Timings
from contract.names import client_id, is_event

_log = logging.getLogger(__name__)

_MAX_READY = 1_048_576  # bytes of messages held in memory, ready to be published
_MAX_SILENCE = 120.0  # seconds: four times what the SDK itself waits for a PUBACK

_ADVICE = {
    "NOT_AUTHORIZED (0x87)": ": check the policy attached to its certificate",
    "AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE": ": check root_ca, certificate and endpoint",
    "AWS_ERROR_MQTT_UNEXPECTED_HANGUP": ": check that the certificate is active, and its policy",
}


class Lane:
    """A connection, and the messages on their way through it.

    arrived → window → PUBACK → forgotten. What arrives while the window holds enough is in the
    spool alone: the lane is behind then, and reads it from there when there is room.
    """

    def __init__(
        self,
        aws: Aws,
        share: Share,
        spooler: Spooler,
        refused: RefusedMessages,
        counts: Counts,
        timings: Timings,
    ) -> None:
        self.name = client_id(aws.client_id, share.number + 1)
        self._where = f"{aws.endpoint}:{aws.port}"
        self._max_backoff = aws.max_backoff
        self._timings = timings
        self._max_ready = _MAX_READY
        self._share = share
        self._spooler = spooler
        self._refused = refused
        self._counts = counts
        self._limited = LimitedLogger(_log)
        self._taken_up_to = 0  # id: what came before is in the window, or was
        self._behind = True  # the spool may hold messages after _taken_up_to
        self._room = asyncio.Event()
        self._room.set()
        self._progress = asyncio.Event()
        self._pause = 0.0
        self._resuming: asyncio.TimerHandle | None = None
        self._connected = False
        self._stopping = False
        self._heard_at = asyncio.get_running_loop().time()
        self.connected_once = asyncio.Event()
        events = Events(connected=self._on_connected, lost=self._on_lost, ended=self._on_ended)
        self._connection = Connection(aws, self.name, events, timings.ack)
        self._window = self._connection.window
        self._suspect = Suspect()
        self._set_aside: set[int] = set()  # ids of what the SDK still has under way

    @property
    def connected(self) -> bool:
        """Whether the connection is up."""
        return self._connected

    @property
    def latencies(self) -> Latencies:
        """How long its publishes took to be acknowledged."""
        return self._connection.latencies

    @property
    def stuck(self) -> bool:
        """Whether the SDK owes answers, and has said nothing at all for much too long."""
        silence = asyncio.get_running_loop().time() - self._heard_at
        # Within max_backoff the SDK tells of one attempt to connect.
        return self._window.under_way > 0 and silence > max(_MAX_SILENCE, 2 * self._max_backoff)

    def start(self) -> None:
        """Begin to connect."""
        _log.info("connecting to %s as %s", self._where, self.name)
        self._connection.start()

    def arrived(self, messages: list[Waiting]) -> None:
        """Publish those of the lane that it has not taken yet, when it is their turn.

        They are on their way to the disk. The lane does not wait for that.
        """
        if messages[-1].id <= self._taken_up_to:
            return  # offered once more, all were taken when they came
        if self._behind or self._window.ready_bytes >= self._max_ready:
            self._behind = True
            return
        taken = max(0, self._taken_up_to + 1 - messages[0].id)  # ids have no gaps
        self._window.add(self._share.of(messages[taken:]))
        self._taken_up_to = messages[-1].id

    def publish_first(self, messages: list[Waiting]) -> None:
        """Publish those of the lane before all that is newer."""
        self._window.take_back(self._share.of(messages))

    async def read_ahead(self) -> None:
        """Catch up with the spool whenever the lane is behind, for ever."""
        while True:
            await self._room.wait()
            stretch = await self._spooler.read(self._taken_up_to, self._max_ready, self._share)
            # What it took before a commit that failed may be newer than all that is on disk.
            self._taken_up_to = max(self._taken_up_to, stretch.up_to)
            self._behind = stretch.up_to < self._spooler.committed_up_to
            trace(stretch.messages, "taken from the spool")
            self._window.add(stretch.messages)
            self._look()
            await asyncio.sleep(0)  # a long backlog must not keep everything else waiting

    async def drained(self) -> None:
        """Return when nothing is left to read or to publish."""
        while self._behind or not self._window.empty:
            self._progress.clear()
            await self._progress.wait()

    async def stop(self) -> None:
        """Disconnect; what is not acknowledged stays in the spool."""
        self._stopping = True
        self._connected = False
        await self._connection.stop()

    def _look(self) -> None:
        if self._behind and self._window.ready_bytes < self._max_ready // 2:
            self._room.set()
        else:
            self._room.clear()
        self._progress.set()

    def _on_connected(self) -> None:
        self._heard()
        _log.info("connected to %s as %s", self._where, self.name)
        self._connected = True
        self._counts.reconnects += self.connected_once.is_set()
        self.connected_once.set()
        self._resume()

    def _on_lost(self, reason: str) -> None:
        self._heard()
        if self._connected and not self._stopping:
            self._judge(reason)
        self._connected = False
        self._window.close()
        if not self._stopping:
            self._limited.log(
                logging.WARNING,
                reason,
                "no connection to %s as %s: %s; frames are kept, trying again%s",
                *(self._where, self.name, reason, _ADVICE.get(reason, "")),
            )

    def _judge(self, reason: str) -> None:
        """Look whether the broker ends connections at one message, and set that aside."""
        first = self._window.first_under_way
        verdict = self._suspect.ended(first, reason)
        if first is None or verdict is Verdict.INNOCENT:
            return
        if verdict is Verdict.TRY_ALONE:
            self._window.one_at_a_time(self._window.under_way)
        else:
            self._window.one_at_a_time(0)
            self._set_aside.add(first.id)
            detail = f"the connection ends each time that it is published: {reason}"
            self._put_aside(Outcome(first, Result.REFUSED, detail, final=True))
        self._connection.restart()  # the SDK would publish all that has no answer at once

    def _on_ended(self, outcomes: list[Outcome]) -> None:
        self._heard()
        delivered = [each.waiting for each in outcomes if each.result is Result.DELIVERED]
        if delivered:
            events = sum(is_event(each.topic) for each in delivered)
            self._counts.events += events
            self._counts.published += len(delivered) - events
            trace(delivered, "published: PUBACK")
            self._pause = 0.0
            self._spooler.forget(delivered)
            self._refused.accepted(delivered)
            self._window.delivered(len(delivered))
        if len(delivered) < len(outcomes):
            self._deal_with([each for each in outcomes if each.result is not Result.DELIVERED])
        self._look()

    def _heard(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()

    def _deal_with(self, failed: list[Outcome]) -> None:
        for outcome in failed:
            trace([outcome.waiting], f"{outcome.result.name.lower()}: {outcome.detail}")
            if outcome.result is Result.REFUSED:
                self._put_aside(outcome)
        halted = [
            each
            for each in failed
            if each.result is not Result.REFUSED and each.waiting.id not in self._set_aside
        ]
        self._set_aside.difference_update(each.waiting.id for each in failed)
        self._counts.throttled += sum(each.result is Result.THROTTLED for each in halted)
        self._counts.unanswered += sum(each.result is Result.UNANSWERED for each in halted)
        if halted and not self._stopping:
            self._publish_again(halted)

    def _put_aside(self, outcome: Outcome) -> None:
        self._counts.refused += 1
        waiting = outcome.waiting
        again = (
            "not tried again by itself: see 'lora-bridge refused list'"
            if outcome.final
            else f"tried again every {self._timings.probe_every:.0f} s"
        )
        self._limited.log(
            logging.ERROR,
            outcome.detail,
            "publish to %s as %s refused: %s; kept, %s%s",
            *(waiting.topic, self.name, outcome.detail, again, _ADVICE.get(outcome.detail, "")),
        )
        self._spooler.refuse(waiting, outcome.detail, final=outcome.final)
        self._refused.refused_again(waiting)

    def _publish_again(self, halted: list[Outcome]) -> None:
        """Take the messages back in order, and go on slower or on a new connection."""
        self._window.close()
        self._window.take_back(outcome.waiting for outcome in halted)
        timeouts = sum(each.detail == TIMEOUT for each in halted)
        if timeouts:
            # Also when it is not connected: later ones, which the SDK still has, would go first.
            self._connected = False
            self._warn(f"{timeouts} publishes unanswered, connecting anew", TIMEOUT)
            self._connection.restart()
        elif halted[0].result is Result.THROTTLED:
            self._slow_down(halted[0].detail)

    def _slow_down(self, detail: str) -> None:
        if self._resuming is None:
            self._pause = min(2 * self._pause or self._timings.first_pause, self._max_backoff)
            self._warn(f"throttled, pausing for {self._pause:.0f} s", detail)
            loop = asyncio.get_running_loop()
            self._resuming = loop.call_later(self._pause, self._resume)

    def _warn(self, what: str, reason: str) -> None:
        self._limited.log(
            logging.WARNING, reason, "%s as %s: %s: %s", self._where, self.name, what, reason
        )

    def _resume(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None
        self._connection.report_ended()  # one more may have been throttled
        if self._connected and self._resuming is None:
            self._window.open()
