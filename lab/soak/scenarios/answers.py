"""The broker withholds its PUBACKs, asks for a slower pace, refuses some devices, or hangs up."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.rig.certificates import make_certificates
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.scripted_broker import HANG_UP, ScriptedBroker
from lab.rig.servers import free_ports
from lab.rig.spools import committed, waiting
from lab.soak.frames import DEVICES, Delivered, delivered, frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import Settings, configure, wait_until

_RATE = 200  # frames a second
_SETTLE = 2.0  # seconds
_DRAIN_LIMIT = 120.0  # seconds
_DELIVERED, _NOT_AUTHORIZED, _QUOTA_EXCEEDED = 0x00, 0x87, 0x97
_REFUSED_DEVICES = DEVICES // 4


class Mood:
    """What the broker answers at the moment, by connection and device."""

    def __init__(self) -> None:
        self.answer: Callable[[int, int], int | None] = lambda _connection, _device: _DELIVERED

    def __call__(self, connection: int, payload: bytes) -> int | None:
        """Answer as ``ScriptedBroker`` wants it."""
        return self.answer(connection, int(json.loads(payload)["seqno"]) % DEVICES)


@dataclass(frozen=True)
class Scene:
    """A bridge under frames, before a broker of changing mood."""

    mood: Mood
    broker: ScriptedBroker
    bridge: RunningBridge
    sender: Sender
    spool: Path

    def finish(self, left: int = 0) -> Delivered:
        """End the frames, wait until all but so many are through; return what was delivered."""
        self.sender.stop()
        wait_until(lambda: waiting(self.spool) == left, _DRAIN_LIMIT, "the spool to drain")
        return delivered(
            (each.topic, each.payload) for each in self.broker.published if each.code == _DELIVERED
        )


@contextmanager
def _scene(folder: Path, settings: Settings | None = None) -> Iterator[Scene]:
    make_certificates(folder)
    mood = Mood()
    broker = ScriptedBroker(folder, mood)
    (port,) = free_ports(1)
    with broker.in_thread() as broker_port:
        config = configure(folder, port, broker_port, settings or {})
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            with Sender(port, _RATE, frame) as sender:
                time.sleep(_SETTLE)
                yield Scene(mood, broker, bridge, sender, folder / "spool.db")


def withheld(folder: Path, say: Callable[[str], None]) -> Result:
    """Withhold every PUBACK until the bridge does something about it."""
    with _scene(folder) as scene:
        say("PUBACKs withheld")
        # On the first connection only: were PUBACKs to come back at a moment of their own, a frame
        # without one could be followed by others with, and come after them.
        scene.mood.answer = lambda connection, _device: _DELIVERED if connection else None
        began = time.monotonic()
        scene.bridge.says("publishes unanswered, connecting anew: AWS_ERROR_MQTT_TIMEOUT")
        seconds = time.monotonic() - began
        arrived = scene.finish()
        return result(
            sent=scene.sender.sent_at,
            committed=committed(scene.spool),
            arrived=arrived,
            remarks=f"connected anew after {seconds:.0f} s, {scene.broker.connections} connections",
            promises=[
                (arrived.numbers >= scene.sender.sent_at.keys(), "frames were lost"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
            ],
        )


def refused(folder: Path, say: Callable[[str], None], *, seconds: float) -> Result:
    """Throttle all, then refuse a quarter of the devices, for ``seconds`` each."""
    with _scene(folder) as scene:
        say("throttled: 0x97")
        scene.mood.answer = lambda _connection, _device: _QUOTA_EXCEEDED
        time.sleep(seconds)
        say("a quarter of the devices refused: 0x87")
        scene.mood.answer = _quarter_refused
        before = len(scene.broker.published)
        time.sleep(seconds)
        meanwhile = scene.broker.published[before:]
        others = sum(each.code == _DELIVERED for each in meanwhile)
        say("the policy repaired")
        scene.mood.answer = lambda _connection, _device: _DELIVERED
        began = time.monotonic()
        arrived = scene.finish()
        lines = scene.bridge.log.count("refused: NOT_AUTHORIZED (0x87)")
        return result(
            sent=scene.sender.sent_at,
            committed=committed(scene.spool),
            arrived=arrived,
            remarks=f"{others} of others meanwhile; drained {time.monotonic() - began:.0f} s after",
            promises=[
                (arrived.numbers >= scene.sender.sent_at.keys(), "frames were lost"),
                (others > 0, "the refused devices stopped the others"),
                (lines == 1, f"said {lines} times"),
                ("check the policy" in scene.bridge.log, "not said what to check"),
            ],
        )


def crowded(folder: Path, say: Callable[[str], None], *, seconds: float) -> Result:
    """Refuse a quarter of the devices until their messages have more than all the room there is."""
    limits = {"max_bytes": 100_000, "max_refused": 50_000}
    with _scene(folder, {"spool": limits}) as scene:
        say("a quarter of the devices refused: 0x87")
        scene.mood.answer = _quarter_refused
        scene.bridge.says("refused messages dropped")
        before = len(scene.broker.published)
        time.sleep(seconds)
        others = sum(each.code == _DELIVERED for each in scene.broker.published[before:])
        scene.mood.answer = lambda _connection, _device: _DELIVERED
        arrived = scene.finish()
        numbers = arrived.numbers
        lost = [n for n in scene.sender.sent_at.keys() - numbers if n % DEVICES >= _REFUSED_DEVICES]
        return result(
            sent=scene.sender.sent_at,
            committed=committed(scene.spool),
            arrived=arrived,
            remarks=f"{others} of others meanwhile; the lost were refused, and dropped for room",
            promises=[
                (not lost, "frames of others were lost"),
                (others > 0, "the refused messages stopped the others"),
                ("spool: full" not in scene.bridge.log, "the spool was full"),
            ],
        )


def hung_up(folder: Path, say: Callable[[str], None]) -> Result:
    """End the connection at each publish of one message."""
    with _scene(folder) as scene:
        poison = max(scene.sender.sent_at) + _RATE
        scene.broker.answer = lambda _connection, payload: (
            HANG_UP if json.loads(payload)["seqno"] == poison else _DELIVERED
        )
        say(f"hanging up at message {poison}")
        began = time.monotonic()
        scene.bridge.says("the connection ends each time that it is published")
        seconds = time.monotonic() - began
        arrived = scene.finish(left=1)
        return result(
            sent=scene.sender.sent_at,
            committed=committed(scene.spool),
            arrived=arrived,
            remarks=f"found after {seconds:.0f} s, {scene.broker.connections} connections",
            promises=[
                (scene.sender.sent_at.keys() - arrived.numbers == {poison}, "others were lost"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
            ],
        )


def _quarter_refused(_connection: int, device: int) -> int:
    return _NOT_AUTHORIZED if device < _REFUSED_DEVICES else _DELIVERED
