"""What is new of a device: by MQTT where there is a consumer's certificate, else from the table."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Event, Thread

from console.store.history import stored_since, uplinks
from console.store.live import Joining, live_rows
from console.store.shown import Shown
from console.store.subscription import Consumer
from console.web.site import Site
from contract.errors import BridgeError
from contract.names import DECODE_ERROR, DECODED, SORT_KEY
from contract.rows import Row
from contract.times import parse_time

_OVERLAP = 600_000_000
"""Microseconds that uplinks may come out of their order, or be decoded late: a gateway's clock may
be 5 minutes ahead and still be believed, and the uplinks that follow have earlier times then."""
_LOOK_EVERY = 2_000_000  # microseconds
_log = logging.getLogger(__name__)
_STORED = 20  # uplinks that may have come before the subscription

News = Callable[[], list[Row]]
"""Gives what has come since it was asked last, without waiting for it.

Raises BridgeError when nothing more will come, or AWS does not answer.
"""


class Looking:
    """Looks into the table now and then, ``since`` a time in microseconds.

    A row comes once more when it has its reading. ``clock`` tells microseconds since 1970.
    """

    def __init__(
        self, read: Callable[[int], Iterable[Row]], since: int, clock: Callable[[], int]
    ) -> None:
        self._read = read
        self._since = since
        self._clock = clock
        self._next = clock()
        self._given: dict[str, bool] = {}

    def news(self) -> list[Row]:
        """Return the rows since the last look, if it is time for another.

        Raises:
            BridgeError: AWS refuses or does not answer.

        """
        now = self._clock()
        if self._next - _LOOK_EVERY <= now < self._next:  # not for a clock that was put back
            return []
        rows = list(self._read(self._since))
        before, self._given = self._given, {str(row[SORT_KEY]): is_decoded(row) for row in rows}
        times = (parse_time(timestamp) for timestamp in self._given)
        newest = max((time for time in times if time is not None), default=0)
        self._since = max(self._since, min(newest, now) - _OVERLAP)
        self._next = now + _LOOK_EVERY
        return [row for row in rows if before.get(str(row[SORT_KEY])) is not is_decoded(row)]


def is_decoded(row: Row) -> bool:
    """Say whether a codec has had its say."""
    return DECODED in row or DECODE_ERROR in row


@contextmanager
def new_uplinks(site: Site, device: str, since: int) -> Iterator[News]:
    """Give the uplinks of a device since a time, in microseconds, as they come."""
    read = partial(stored_since, site.uplinks, device)
    if site.consumer is None:
        yield Looking(read, since, site.clock).news
        return
    heard: SimpleQueue[Row | BridgeError] = SimpleQueue()
    ended = Event()
    listening = Thread(
        target=_listen, args=(site, site.consumer, device, heard.put, ended), daemon=True
    )
    listening.start()
    try:
        yield partial(_taken, heard)
    finally:
        ended.set()


def _listen(
    site: Site,
    consumer: Callable[[], Consumer],
    device: str,
    put: Callable[[Row | BridgeError], None],
    ended: Event,
) -> None:
    shown = Shown()
    read = partial(stored_since, site.uplinks, device)
    making = Joining(site.deployment, device)
    try:
        with live_rows(consumer(), making, shown, read, ended.is_set) as rows:
            stored = list(uplinks(site.uplinks, device, limit=_STORED))[::-1]
            shown.begin(stored, cut=len(stored) == _STORED)
            for row in chain(stored, rows):
                put(row)
    except BridgeError as error:
        put(error)
    except Exception as error:  # noqa: BLE001  # nobody else would hear of it
        _log.exception("a mistake in this program")
        put(BridgeError(f"a mistake in this program: {error!r}"))


def _taken(heard: "SimpleQueue[Row | BridgeError]") -> list[Row]:
    """Take what was heard."""
    found: list[Row] = []
    while True:
        try:
            each = heard.get_nowait()
        except Empty:
            return found
        if isinstance(each, BridgeError):
            raise each
        found.append(each)
