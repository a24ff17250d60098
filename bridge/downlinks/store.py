"""What the disk knows of downlinks: their states, ids of some days, and whose applications are."""

import logging
from collections.abc import Callable, Iterable
from functools import partial

from bridge.downlinks.ended import REMEMBERED
from bridge.messages.downlink import Downlink
from bridge.messages.event import build_event
from bridge.messages.timestamper import Timestamper
from bridge.spool import downlinks
from bridge.spool.batch import Receipt
from bridge.spool.quarantine import Quarantine
from bridge.spool.rejected import Rejected
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from contract.deployment import Deployment
from contract.downlinks import State
from contract.names import EventType

_log = logging.getLogger(__name__)
_DAMAGED = "the spool was damaged"
_SECOND = 1_000_000  # microseconds
_REMEMBERED = 7 * 86_400 * _SECOND
"""AWS IoT repeats for an hour what was not acknowledged, and people what they are not sure of."""
_MAX_REMEMBERED = 1_000_000  # ended downlinks, of some 200 bytes on disk each
SESSIONS = "aws"
"""Claims what AWS IoT keeps for the bridge: sessions, by client ID."""
_TIDY_EVERY = 3600 * _SECOND
_MAX_CLAIMS = 1_000  # applications: frames can name any number


class Store:
    """Keeps downlinks in the spool, each state together with the event that tells it.

    ``last_number`` is that of the downlink that was accepted last. ``missed`` is told why messages
    that waited may be lost.
    """

    def __init__(
        self,
        spool: Spool,
        spooler: Spooler,
        quarantine: Quarantine,
        timestamper: Timestamper,
        deployment: Deployment,
        missed: Callable[[str], None],
    ) -> None:
        self._spool = spool
        self._spooler = spooler
        self._quarantine = quarantine
        self._timestamper = timestamper
        self._deployment = deployment
        self._missed = missed
        self.last_number = spool.look(downlinks.last_number)
        self._claims = set(spool.look(downlinks.claims))
        self._full = False  # of claims, which has been said
        self._unwritten: dict[tuple[str, str], list[Receipt]] = {}
        """By device and id: what is to be called when its last change is on disk."""
        self._mendings = spool.mendings
        self._tidied_at = 0

    def earlier(self) -> tuple[list[Downlink], bool]:
        """Return what an earlier run left open, and whether the spool was damaged since."""
        found = self._spool.look(downlinks.still_open)  # which may be where damage shows
        self._mendings = self._spool.mendings
        if self._mendings:
            self._missed(_DAMAGED)
        return found, self._mendings > 0

    def ended_lately(self) -> list[Downlink]:
        """Return downlinks that have ended, the newest last, of which something may be told yet."""
        return self._spool.look(partial(downlinks.ended_lately, at_most=REMEMBERED))

    def next_number(self) -> int:
        """Return the number of the next downlink."""
        self.last_number += 1
        return self.last_number

    def write(
        self,
        downlink: Downlink,
        source: str,
        receipt: Receipt | None = None,
        *,
        late: bool = False,
    ) -> None:
        """Keep a downlink as it is now, and the event that tells it.

        ``receipt`` is called when both are on disk. What was ``late`` opens nothing again: it is
        kept if it is an end, so that it is known after a restart.
        """
        fields: dict[str, str | int | bool] = {"id": downlink.id, "state": downlink.state.value}
        if downlink.reason:
            fields["reason"] = downlink.reason
        if downlink.state is not State.ACCEPTED:
            fields["attempt"] = downlink.attempt
        if late:
            fields["late"] = True
        placement = self._timestamper.place_event(downlink.device, downlink.changed)
        topic = self._deployment.event_topic(downlink.device, EventType.DOWNLINK)
        message = build_event(topic, EventType.DOWNLINK, placement.given, source, fields)
        if downlink.ended or not late:
            self._spooler.tell(downlink, message, placement, self._written(downlink, receipt))
        else:
            self._spooler.keep(message, placement, receipt)

    def mark(self, downlink: Downlink, receipt: Receipt | None = None) -> None:
        """Keep a downlink as it is now; ``receipt`` as that of ``write``."""
        self._spooler.note(downlink, self._written(downlink, receipt))

    def when_on_disk(self, device: str, request_id: str, receipt: Receipt) -> None:
        """Call ``receipt`` when a downlink is on disk as it is now: at once if it is."""
        unwritten = self._unwritten.get((device, request_id))
        if unwritten is None:
            receipt()
        else:
            unwritten.append(receipt)

    def _written(self, downlink: Downlink, receipt: Receipt | None) -> Receipt:
        """Note that a downlink is to be written; return what is to be called when it is."""
        key = (downlink.device, downlink.id)
        receipts = self._unwritten[key] = [receipt] if receipt else []

        def on_disk() -> None:
            if self._unwritten.get(key) is receipts:  # it has not changed again meanwhile
                del self._unwritten[key]
            for each in receipts:
                each()

        return on_disk

    def has(self, device: str, request_id: str) -> bool:
        """Say whether a downlink with this id was accepted for the device.

        Raises:
            OSError, sqlite3.Error: the disk does not tell.

        """
        if (device, request_id) in self._unwritten:
            return True
        known = partial(downlinks.is_known, device=device, request_id=request_id)
        return self._spool.look(known)

    def reject(self, frame: Rejected, receipt: Receipt) -> None:
        """Keep a request that nobody can be answered about, to be looked at by a person."""
        self._quarantine.keep(frame, receipt)

    def claims(self, source: str) -> list[tuple[str, str]]:
        """Return what was claimed for sources whose names begin so: the rest, and application."""
        return [
            (name.removeprefix(source), application)
            for name, application in sorted(self._claims)
            if name.startswith(source)
        ]

    def claimed(self, source: str, application: str) -> bool:
        """Say whether a source has had uplinks of an application."""
        return (source, application) in self._claims

    def claim(self, source: str, application: str) -> None:
        """Remember that a source has an application."""
        if len(self._claims) < _MAX_CLAIMS:
            self._remember(source, application)
        elif (source, application) not in self._claims and not self._full:
            self._full = True
            _log.warning(
                "uplinks of more than %d applications have come: no downlinks to %s and other new"
                " ones are taken, unless the configuration names them",
                *(_MAX_CLAIMS, application),
            )

    def has_session(self, client_id: str) -> bool:
        """Say whether AWS IoT was to keep requests for this client, in an earlier run perhaps."""
        return (SESSIONS, client_id) in self._claims

    def note_session(self, client_id: str) -> None:
        """Remember that AWS IoT keeps requests for this client from now on."""
        self._remember(SESSIONS, client_id)

    def _remember(self, source: str, what: str) -> None:
        if (source, what) not in self._claims:
            self._claims.add((source, what))
            self._spooler.claim(source, what)

    def tidy(self, still_open: Iterable[Downlink], now: int) -> None:
        """Write everything anew where the spool was mended, and forget what is long over.

        Raises:
            OSError, sqlite3.Error: the disk does not do its part.

        """
        if self._mendings != self._spool.mendings:
            self._mendings = self._spool.mendings
            self._missed(_DAMAGED)
            for downlink in still_open:
                self.mark(downlink)
        if now - self._tidied_at >= _TIDY_EVERY:
            self._tidied_at = now
            forget = partial(downlinks.forget, before=now - _REMEMBERED, at_most=_MAX_REMEMBERED)
            if dropped := self._spool.on_file(forget):
                _log.warning(
                    "%d ended downlinks are forgotten before 7 days: more than %d are remembered",
                    *(dropped, _MAX_REMEMBERED),
                )
