"""One connection to AWS IoT, on which the event loop publishes.

The MQTT client calls back on threads of its own; everything here is handed to the event loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from threading import get_ident
from time import perf_counter

import msgspec

from bridge.aws_iot.latencies import Latencies
from bridge.aws_iot.window import Window
from bridge.config import Aws
from bridge.messages.trace import trace, traced
from bridge.mqtt import client as mqtt
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import Publishing
from bridge.spool.waiting import Waiting
from contract.names import ingest_topic, is_event

_GATHER = 0.02
"""Seconds for which outcomes gather before the event loop looks at them. The SDK's thread does not
wake it: that costs more than handling one. Nothing waits, since the window goes on by itself."""
_NO_ANSWER = {mqtt.TIMEOUT, mqtt.STOPPED}
"""How a publish ends that got no PUBACK. The SDK's other errors would come again at once."""
_NOT_VALID = "VALIDATION"
"""In the name of each of the SDK's errors that is about the message itself, so comes each time."""
_QUOTA_EXCEEDED = 0x97


class Result(Enum):
    """How a publish ended."""

    DELIVERED = auto()
    REFUSED = auto()  # the PUBACK carried an error, or the SDK itself refused
    THROTTLED = auto()  # the PUBACK asked for a slower pace
    UNANSWERED = auto()  # no PUBACK came


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How the publish of ``waiting`` ended, and in what words where it failed.

    It is ``final`` if it would end so each time: the SDK itself has something against the message.
    """

    waiting: Waiting
    result: Result = Result.DELIVERED
    detail: str = ""
    final: bool = False


@dataclass(frozen=True)
class Events:
    """What the connection reports, all on the event loop's thread."""

    connected: Callable[[], None]
    lost: Callable[[str], None]
    """Not connected, with the reason; reconnecting goes on by itself."""
    ended: Callable[[list[Outcome]], None]


class Connection:
    """An MQTT 5 client under one client ID.

    Raises:
        BridgeError: the certificate, key or CA cannot be used.

    """

    def __init__(self, aws: Aws, client_id: str, events: Events, ack_timeout: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._events = events
        self._client_id = client_id
        self._rule = aws.basic_ingest
        self._outcomes: deque[Outcome] = deque()
        self._loop_thread = get_ident()
        self._looking = False  # the event loop will look at the outcomes
        self.window = Window(aws.max_inflight, self._publish)
        self._stopped = asyncio.Event()
        self._restarting = False
        self._thread_kept = False
        self.latencies = Latencies()
        callbacks = mqtt.Callbacks(
            connected=self._on_connected,
            failed=self._on_failed,
            lost=self._on_lost,
            stopped=lambda: self._report(self._end),
        )
        self._client = aws_client(aws, client_id, callbacks, ack_timeout)

    def start(self) -> None:
        """Connect, and reconnect for ever."""
        self._client.start()

    def restart(self) -> None:
        """Connect anew. Every publish under way ends as unanswered.

        The only way to get back the places of publishes that the broker will never answer: the
        SDK counts them against the broker's receive maximum until the connection ends.
        """
        if not self._restarting:
            self._restarting = True
            self.window.close()
            self._client.stop(farewell=False)  # one that takes no bytes would never end

    async def stop(self) -> None:
        """Say DISCONNECT to the broker and end the client. Publishes under way end too."""
        self._restarting = False
        self.window.close()
        self._client.stop()
        await self._stopped.wait()

    def report_ended(self) -> None:
        """Report what has ended so far, without gathering more."""
        outcomes = [self._outcomes.popleft() for _ in range(len(self._outcomes))]
        if outcomes:
            self._events.ended(outcomes)

    def _look(self) -> None:
        """Report what has ended, and look again until nothing is under way."""
        self.report_ended()
        self._looking = self.window.under_way > 0 or bool(self._outcomes)
        if self._looking:
            self._loop.call_later(_GATHER, self._look)

    def _publish(self, waiting: Waiting) -> None:
        if not self._looking and get_ident() == self._loop_thread:
            # The SDK's thread publishes only while something is under way, and is looked after.
            self._looking = True
            self._loop.call_later(_GATHER, self._look)
        if traced():
            trace([waiting], f"publishing as {self._client_id}")
        try:
            publishing = self._client.publish(self._topic(waiting), waiting.payload)
        except Exception as error:  # noqa: BLE001  # whatever the SDK has against it
            publishing = Future()
            publishing.set_exception(error)
        publishing.add_done_callback(partial(self._on_answer, waiting, perf_counter()))

    def _topic(self, waiting: Waiting) -> str:
        """Return where a message is published: the rule of Basic Ingest is that of uplinks."""
        if self._rule and not is_event(waiting.topic):
            return ingest_topic(self._rule, waiting.topic)
        return waiting.topic

    def _on_answer(self, waiting: Waiting, began: float, publishing: Publishing) -> None:
        failure = _failure(publishing)
        if failure is None:
            self.latencies.note(perf_counter() - began)
            self._outcomes.append(Outcome(waiting))
        else:
            if failure[0] is not Result.REFUSED:
                # To be dealt with before anything else is published, or order would suffer.
                self.window.close()
            self._outcomes.append(Outcome(waiting, *failure))
        self.window.answered(waiting)

    def _on_connected(self) -> None:
        if not self._thread_kept:
            self._thread_kept = True
            mqtt.keep_thread_state()
        self._report(self._connected)

    def _connected(self) -> None:
        self.report_ended()  # what the connection before left unanswered goes first
        self._events.connected()

    def _on_failed(self, reason: str) -> None:
        self._report(partial(self._events.lost, reason))

    def _on_lost(self, reason: str) -> None:
        self.window.close()
        if not self._restarting:
            self._report(partial(self._events.lost, reason))

    def _end(self) -> None:
        self.report_ended()
        if self._restarting:
            self._restarting = False
            self._client.start()
        else:
            self._stopped.set()

    def _report(self, call: Callable[[], object]) -> None:
        # After the loop has closed there is nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)


def _failure(publishing: Publishing) -> tuple[Result, str, bool] | None:
    """Return how a publish failed, why, and whether it would each time; None if it did not."""
    failure = mqtt.puback_failure(publishing)
    if failure is None:
        return None
    if failure.code == _QUOTA_EXCEEDED:
        return Result.THROTTLED, failure.reason, False
    if failure.code is None and failure.reason in _NO_ANSWER:
        return Result.UNANSWERED, failure.reason, False
    final = failure.code is None and _NOT_VALID in failure.reason
    return Result.REFUSED, failure.reason, final
