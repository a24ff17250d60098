"""The connection on which requests for downlinks come from AWS IoT.

Its session outlives the process: what is requested while the bridge is away comes when it is back.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from bridge.config import Aws, Downlinks
from bridge.counts import Counts
from bridge.log_limit import LimitedLogger
from bridge.mqtt import client as mqtt
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import Subscribing
from bridge.mqtt.told import Acknowledge, Delivery, Session
from contract.names import downlink_client_id

_log = logging.getLogger(__name__)
_AGAIN_AFTER = 30.0  # seconds, after AWS IoT has refused the subscription

Take = Callable[[str, bytes, Acknowledge], None]
"""Takes a request: its topic, its payload, and what acknowledges it."""


class Sessions(Protocol):
    """Remembers, over restarts, for which clients AWS IoT keeps requests."""

    def has_session(self, client_id: str) -> bool:
        """Say whether it is to keep them for this one."""

    def note_session(self, client_id: str) -> None:
        """Remember that it is."""


class Subscription:
    """Subscribes to the requests for all devices, and gives each to ``take``, on the event loop.

    ``sessions`` knows whether an earlier run has subscribed, so that AWS IoT should have kept what
    came since. ``missed`` is told why requests may be lost.

    An inlet of the spool: while that takes nothing, requests at QoS 1 wait in memory. AWS IoT sends
    no more than a hundred that are not acknowledged.

    Raises:
        BridgeError: the certificate, key or CA cannot be used.

    """

    def __init__(
        self,
        aws: Aws,
        downlinks: Downlinks,
        take: Take,
        sessions: Sessions,
        missed: Callable[[str], None],
        counts: Counts,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.name = downlink_client_id(aws.client_id)
        self._expiry = downlinks.session_expiry
        self._topic = aws.deployment.request_topic("+/+")
        if downlinks.share:
            self._topic = f"$share/{downlinks.share}/{self._topic}"
        self._take = take
        self._sessions = sessions
        self._missed = missed
        self._counts = counts
        self._limited = LimitedLogger(_log)
        self._stopped = asyncio.Event()
        self._stopping = False
        self._held: deque[Delivery] = deque()
        self._paused = False
        self.subscribed = False
        callbacks = mqtt.Callbacks(
            joined=lambda session: self._report(partial(self._on_joined, session)),
            failed=lambda reason: self._report(partial(self._on_lost, reason)),
            lost=lambda reason: self._report(partial(self._on_lost, reason)),
            stopped=lambda: self._report(self._stopped.set),
            entrusted=lambda request: self._report(partial(self._on_request, request)),
        )
        self._client = aws_client(
            aws, self.name, callbacks, session_expiry=downlinks.session_expiry
        )

    def start(self) -> None:
        """Connect and subscribe, for ever."""
        self._client.start()

    async def stop(self) -> None:
        """Part from AWS IoT, which keeps the session."""
        self._stopping = True
        self._client.stop()
        await self._stopped.wait()

    def pause(self) -> None:
        """Give nothing on until ``resume``."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        while self._held and not self._paused:
            self._give(self._held.popleft())

    def unready(self) -> list[str]:
        """Return that it is not subscribed, if it is not."""
        return [] if self.subscribed else [f"not subscribed as {self.name}"]

    def _on_joined(self, session: Session) -> None:
        _log.info("connected to AWS IoT as %s, for downlinks", self.name)
        if session.expiry < self._expiry:
            self._limited.log(
                logging.WARNING,
                "expiry",
                "AWS IoT keeps requests for %d s, not for session_expiry = %d: have the account's"
                " quota for it raised",
                *(session.expiry, self._expiry),
            )
        if self._sessions.has_session(self.name) and not session.kept:
            self._missed("AWS IoT had given up the session")
        self._subscribe()  # each time: an earlier session may be without it

    def _subscribe(self) -> None:
        subscribing = self._client.subscribe([self._topic])
        subscribing.add_done_callback(lambda done: self._report(partial(self._on_answer, done)))

    def _on_answer(self, subscribing: Subscribing) -> None:
        failure = mqtt.suback_failure(subscribing)
        if failure is None:
            self.subscribed = True
            self._sessions.note_session(self.name)
            _log.info("ready for downlinks: subscribed to %s", self._topic)
        elif failure.code is not None:
            self._limited.log(
                logging.ERROR,
                failure.reason,
                "AWS IoT refuses the subscription to %s as %s: %s: no downlinks come: deploy the"
                " identity again, so that its policy allows it",
                *(self._topic, self.name, failure.reason),
            )
            self._loop.call_later(_AGAIN_AFTER, self._subscribe)

    def _on_lost(self, reason: str) -> None:
        self.subscribed = False
        if not self._stopping:
            self._limited.log(
                logging.WARNING,
                reason,
                "no connection to AWS IoT as %s: %s; requests wait there, trying again",
                *(self.name, reason),
            )

    def _on_request(self, request: Delivery) -> None:
        if not self._paused:
            self._give(request)
        elif request.acknowledge is not None:
            self._held.append(request)
        else:
            self._drop()

    def _drop(self) -> None:
        """Forget a request at QoS 0, of which any number may come."""
        self._counts.downlinks["dropped"] += 1
        self._limited.log(
            logging.WARNING,
            "dropped",
            "request dropped, as the spool takes nothing: one published at QoS 1 would have waited",
        )

    def _give(self, request: Delivery) -> None:
        try:
            self._take(request.topic, request.payload, request.acknowledge or _owe_nothing)
        except Exception as error:  # noqa: BLE001  # whatever it is, the request comes again
            self._limited.log(
                logging.ERROR,
                "failed",
                "request for a downlink not taken: %s: it comes again",
                error,
            )

    def _report(self, call: Callable[[], object]) -> None:
        # After the loop has closed there is nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)


def _owe_nothing() -> None:
    """Acknowledge a request that somebody has published at QoS 0, which needs it not."""
