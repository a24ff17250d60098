"""The bridge, ChirpStack's broker, or both are killed at random moments, over and over."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.rig.disk_pauses import DiskPauses, disk_pauses
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.soak.chirp_site import READY, ChirpSite, chirp_site
from lab.soak.death import Death, before_a_death
from lab.soak.result import Result

_CONNECTED = "connected to ChirpStack's broker"
_LIFE = (0.0, 1.0)  # seconds from a connection to the end, at random
_APART = 0.3  # seconds at most between the two kills
_RETURN_LIMIT = 60.0  # seconds
_AT_RISK = 0.1  # seconds before the broker's kill: it saves only after it has sent the PUBACK

Say = Callable[[str], None]


def chirp_kills(folder: Path, say: Say, *, count: int) -> Result:
    """Kill the bridge ``count`` times under uplinks."""
    with chirp_site(folder) as field, field.chirpstack:
        for number in range(count):
            say(f"kill {number + 1} of {count}")
            with running_bridge(field.place.config) as bridge:
                bridge.says(_CONNECTED)
                time.sleep(_random(*_LIFE))
                _kill(bridge)
            field.place.look()
        return _finished(field, f"{count} kills")


def chirp_broker(folder: Path, say: Say, *, count: int) -> Result:
    """Kill the broker ``count`` times under uplinks, each time before a bridge of its own."""
    deaths = list[Death]()
    with chirp_site(folder) as field, disk_pauses(folder) as pauses, field.chirpstack:
        for number in range(count):
            say(f"kill {number + 1} of {count}")
            with running_bridge(field.place.config) as bridge:
                bridge.says(READY)
                field.place.play(_random(*_LIFE))
                deaths.append(_kill_broker(field, pauses))
                field.broker.start()
                _returns(field, bridge)
        return _finished(field, f"{count} kills", deaths)


def chirp_both(folder: Path, say: Say, *, count: int) -> Result:
    """Kill the bridge and the broker, the one or the other first, ``count`` times."""
    deaths = list[Death]()
    with chirp_site(folder) as field, disk_pauses(folder) as pauses, field.chirpstack:
        for number in range(count):
            say(f"kills {number + 1} of {count}")
            with running_bridge(field.place.config) as bridge:
                bridge.says(_CONNECTED)
                field.place.play(_random(*_LIFE))
                if number % 2:
                    _kill(bridge)
                    time.sleep(_random(0.0, _APART))
                deaths.append(_kill_broker(field, pauses))
                if not number % 2:
                    time.sleep(_random(0.0, _APART))
                    _kill(bridge)
            field.broker.start()
        return _finished(field, f"{count} kills of each", deaths)


def _finished(field: ChirpSite, remarks: str, deaths: Sequence[Death] = ()) -> Result:
    """Let a last bridge finish; ``deaths`` are the broker's."""
    with running_bridge(field.place.config):
        field.finish()
    accepted = field.chirpstack.accepted
    lost = accepted.keys() - field.rows.by_number().keys()
    risk = max((before_a_death(accepted[each], deaths) for each in lost), default=0.0)
    if lost:
        remarks += f"; the lost were accepted {1000 * risk:.1f} ms before one of the broker's"
    return field.result(
        remarks,
        [
            (risk <= _AT_RISK, "the broker had the lost for longer"),
            (not field.place.gaps, "a gap was told, and there was none"),
        ],
        may_lose=len(lost) if deaths else 0,
    )


def _returns(field: ChirpSite, bridge: RunningBridge) -> None:
    """Wait until the bridge has noticed and is back."""
    field.place.wait_until(
        lambda: bridge.log.count(READY) > 1, _RETURN_LIMIT, "the bridge to be back"
    )


def _kill_broker(field: ChirpSite, pauses: DiskPauses) -> Death:
    killed = time.monotonic()
    field.broker.kill()
    return Death(killed, time.monotonic(), pauses.since(killed))


def _kill(bridge: RunningBridge) -> None:
    bridge.process.kill()
    bridge.process.wait()


def _random(least: float, most: float) -> float:
    return random.uniform(least, most)  # noqa: S311  # no secret comes of it
