"""The bridge or AWS is away while ChirpStack goes on, and events wait in spool or broker."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from lab.rig.running_bridge import running_bridge
from lab.rig.spools import waiting
from lab.soak.chirp_site import NOW_AND_THEN, RATE, SOON, ChirpSite, chirp_site
from lab.soak.result import Result
from lab.soak.site import Settings

_SETTLE = 1.0  # seconds
_LIMIT = 300.0  # seconds
_QUICK, _FAST = 1_000, 5_000  # uplinks a second
_ROOM = 200_000  # bytes of spool: some 500 uplinks
_SOME = 500  # uplinks
_ROOM_AT_BROKER = 100  # messages

Say = Callable[[str], None]


def chirp_away(folder: Path, say: Say, *, seconds: float) -> Result:
    """Take AWS away for ``seconds``; the bridge goes on with what comes."""
    with (
        chirp_site(folder, settings={"aws": SOON}) as field,
        running_bridge(field.place.config) as bridge,
    ):
        bridge.says("ready: ")
        with field.chirpstack:
            field.place.play(_SETTLE)
            say("AWS is away")
            field.place.link.close()
            field.place.play(seconds)
            spooled = waiting(field.place.spool)
            at_broker = len(field.chirpstack.accepted) - spooled - field.rows.distinct
            say("AWS is back")
            field.place.link.open()
            field.finish()
        return field.result(
            f"{spooled:,} waited in the spool",
            [(at_broker < _SETTLE * RATE, f"{at_broker} waited at the broker")],
        )


def chirp_spool_full(folder: Path, say: Say, *, seconds: float) -> Result:
    """Take AWS away until the spool is full, and for ``seconds`` more."""
    settings: Settings = {"aws": SOON, "spool": {"max_bytes": _ROOM}}
    with (
        chirp_site(folder, settings=settings, broker=NOW_AND_THEN) as field,
        running_bridge(field.place.config) as bridge,
    ):
        bridge.says("ready: ")
        with field.chirpstack:
            field.place.link.close()
            bridge.says("spool: full")
            say("the spool is full")
            field.place.play(seconds)
            at_broker = len(field.chirpstack.accepted) - waiting(field.place.spool)
            say("AWS is back")
            field.place.link.open()
            bridge.says("spool: room again")
            field.finish()
        return field.result(f"{at_broker:,} waited at the broker")


def chirp_backlog(folder: Path, say: Say, *, count: int) -> Result:
    """Let ``count`` events wait at the broker before the bridge starts."""
    with chirp_site(folder, rate=_FAST, broker=NOW_AND_THEN) as field:
        with field.chirpstack as chirpstack:
            field.place.wait_until(lambda: len(chirpstack.accepted) >= count, _LIMIT, "a backlog")
            chirpstack.stop()
            say(f"{len(chirpstack.accepted)} wait")
            field.broker.stop()
            field.broker.start()
            began = time.monotonic()
            with running_bridge(field.place.config):
                field.place.wait_until(lambda: field.rows.distinct >= count, _LIMIT, "most")
                took = time.monotonic() - began
                field.finish()
        return field.result(f"{count / took:,.0f}/s, from the start of the bridge")


def chirp_dropped(folder: Path, say: Say) -> Result:
    """Let more wait at the broker than it may keep, and then as many where it may."""
    small = {"max_queued_messages": str(_ROOM_AT_BROKER)}
    for name in ("raised", "small"):
        (folder / name).mkdir()
    say("max_queued_messages is large")
    with chirp_site(folder / "raised", rate=_QUICK) as field:
        _wait_at_broker(field)
        raised = field.result("", [(not field.place.gaps, "a gap was told, and there was none")])
    say("max_queued_messages is small")
    with chirp_site(folder / "small", rate=_QUICK, broker=small) as field:
        _wait_at_broker(field)
        told = _told(field)
        return field.result(
            f"{told} dropped by the broker, and told; {raised.lost} of {raised.sent}"
            " with max_queued_messages raised",
            [
                (told == len(field.chirpstack.accepted) - field.rows.distinct, "told otherwise"),
                (told > 0, "none was dropped"),
                (not raised.problems, "; ".join(raised.problems)),
            ],
            may_lose=told,
        )


def _wait_at_broker(field: ChirpSite) -> None:
    """Let events wait before the bridge starts, and wait until all arrived or are told of."""
    with field.chirpstack as chirpstack:
        field.place.wait_until(lambda: len(chirpstack.accepted) >= _SOME, _LIMIT, "a backlog")
        chirpstack.stop()
        with running_bridge(field.place.config):
            field.place.wait_until(
                lambda: field.rows.distinct + _told(field) >= len(chirpstack.accepted),
                _LIMIT,
                "all to arrive or to be told of",
            )
            field.place.play(_SETTLE)


def _told(field: ChirpSite) -> int:
    """Return how many messages the broker has dropped, as the gaps tell."""
    reasons = [str(json.loads(each)["reason"]) for each in field.place.gaps]
    found = [re.fullmatch(r"the broker has dropped (\d+) messages .*", each) for each in reasons]
    return sum(int(each[1]) for each in found if each)
