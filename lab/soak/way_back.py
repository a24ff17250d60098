"""A bridge under frames and requests for downlinks, and what is promised of each of these."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.rig.requests import sender
from lab.rig.spools import committed
from lab.soak.death import Death, before_a_death
from lab.soak.fates import LASTS, Ends
from lab.soak.frames import APPLICATION, Delivered, frame
from lab.soak.result import Result, result
from lab.soak.site import Settings, Site, site
from lab.soak.two_way import Asking, TwoWay

READY = "ready for downlinks"
RATE = 100  # frames a second
REQUESTS = 30  # a second
ANSWERED = 0.95  # of downlinks, by the network server
_ANSWERS_WITHIN = 2  # seconds after the expiry
END_LIMIT = LASTS + _ANSWERS_WITHIN + 30.0  # seconds after the last request
AT_RISK = 0.1  # seconds before a kill: some die as they begin, when there is much to do
AFTERWARDS = 2.0  # seconds, for a second end, which there must not be

SETTINGS: Settings = {
    # It is for these downlinks from its start, before any uplink.
    "listen": {"application": APPLICATION},
    "downlinks": {"answers_within": _ANSWERS_WITHIN},
}

Promises = Iterable[tuple[bool, str]]


@dataclass(frozen=True)
class WayBack:
    """A place, a network server that takes downlinks there, and somebody who asks for them."""

    place: Site
    server: TwoWay
    asking: Asking

    def finish(self) -> None:
        """End the requests and, when all downlinks have ended or time is up, the frames."""
        self.asking.stop()
        end = time.monotonic() + END_LIMIT
        self.place.wait_until(
            lambda: self._all_ended() or time.monotonic() > end, END_LIMIT + 1, "all to end"
        )
        self.server.stop()
        self.place.play(AFTERWARDS)

    def _all_ended(self) -> bool:
        return all(map(self.place.fates.ended, self.asking.asked))

    def result(self, remarks: str, promises: Promises, exempt: "Exempt | None" = None) -> Result:
        """Sum up."""
        ends = self.place.fates.sum_up(self.asking.asked, self.server.written, self.server.overdue)
        where = (self.server, self.place.arrived(), ends, self.place.spool)
        return summed_up(*where, remarks, promises, exempt or Exempt())


@dataclass(frozen=True)
class Exempt:
    """What is not promised: what was at risk at deaths, and that so many come to one end only."""

    deaths: Sequence[Death] = ()
    contradicted: int = 0


@contextmanager
def way_back(
    folder: Path, settings: Settings | None = None, answered: float = ANSWERED
) -> Iterator[WayBack]:
    """Prepare one, with nothing asked for yet: that begins in its ``asking``'s context."""
    with (
        site(folder, {**SETTINGS, **(settings or {})}) as place,
        sender(place.link.target, folder) as ask,
        TwoWay(place.port, RATE, frame, answered) as server,
    ):
        yield WayBack(place, server, Asking(ask, REQUESTS))


def summed_up(  # noqa: PLR0913, PLR0917  # a line of the table
    server: TwoWay,
    arrived: Delivered,
    ends: Ends,
    spool: Path,
    remarks: str,
    promises: Promises,
    exempt: Exempt,
) -> Result:
    """Return the result, with the promises that all downlinks and uplinks have in common."""
    lost = server.sent_at.keys() - arrived.numbers
    risks = [before_a_death(server.sent_at[number], exempt.deaths) for number in lost]
    risk = max(risks, default=0.0)
    if lost:
        remarks += f"; the uplinks lost were written {1000 * risk:.0f} ms before a kill, or later"
    return result(
        sent=server.sent_at,
        committed=committed(spool),
        arrived=arrived,
        remarks=remarks,
        downlinks=ends,
        promises=[
            (ends.twice == 0, f"{ends.twice} written twice"),
            (ends.overdue == 0, f"{ends.overdue} written after their expiry"),
            (ends.endless == 0, f"{ends.endless} came to no end"),
            (ends.contradicted <= exempt.contradicted, f"{ends.contradicted} came to several"),
            (risk <= AT_RISK, "uplinks were lost"),
            *promises,
        ],
    )
