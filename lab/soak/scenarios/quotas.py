"""AWS IoT's pace: a hundred publishes a second on a connection, and no more."""

from collections.abc import Callable, Iterable
from pathlib import Path

from lab.rig.certificates import make_certificates
from lab.rig.running_bridge import running_bridge
from lab.rig.scripted_broker import Published, ScriptedBroker
from lab.rig.servers import free_ports
from lab.rig.spools import committed
from lab.soak.frames import delivered, frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import configure, wait_until

_CONNECTIONS = 4
_PACE = 100  # publishes a second on each (AWS IoT Core quotas)
_JITTER = 5
"""How many more may arrive within some second, for those before it that were late; beside what
the broker itself was late in looking."""
_RATE = 1000  # frames a second: more than they can take
_FIRST_SECONDS = 2.0
"""Until every connection has a backlog. The SDK makes up for what it was late with at first."""


def quotas(folder: Path, say: Callable[[str], None], *, seconds: float) -> Result:
    """Send more than four connections may publish, and look at their pace for ``seconds``."""
    make_certificates(folder)
    broker = ScriptedBroker(folder, lambda _connection, _payload: 0)
    (port,) = free_ports(1)
    with broker.in_thread() as broker_port:
        settings = {"aws": {"respect_quotas": True, "connections": _CONNECTIONS}}
        config = configure(folder, port, broker_port, settings)
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            with Sender(port, _RATE, frame):
                wait_until(lambda: _lasts(broker) > _FIRST_SECONDS, 30, "publishes")
                say(f"{_CONNECTIONS} connections for {seconds:.0f} s")
                wait_until(lambda: _lasts(broker) > _FIRST_SECONDS + seconds, 2 * seconds, "them")
            taken = list(broker.published)
    began = taken[0].at + _FIRST_SECONDS
    counted = [each for each in taken if began <= each.at < began + seconds]
    rate = len(counted) / seconds
    most = max(
        _most_in_a_second(each.at for each in counted if each.connection == connection)
        for connection in range(_CONNECTIONS)
    )
    allowed = _PACE * (1 + broker.latest) + _JITTER
    arrived = delivered((each.topic, each.payload) for each in taken)
    return result(
        sent=arrived.numbers,
        committed=committed(folder / "spool.db"),
        arrived=arrived,
        remarks=f"{rate:.1f}/s of {_CONNECTIONS * _PACE}/s, at most {most}/s on one connection"
        f" (counted up to {broker.latest * 1000:.0f} ms late)",
        promises=[
            (rate >= 0.99 * _CONNECTIONS * _PACE, f"only {rate:.1f}/s"),
            (most <= allowed, f"{most} publishes in a second on one connection"),
            (arrived.out_of_order == 0, "a device's frames came out of order"),
        ],
    )


def _lasts(broker: ScriptedBroker) -> float:
    """Return the seconds from the first publish to the last."""
    published: list[Published] = broker.published
    return published[-1].at - published[0].at if published else 0.0


def _most_in_a_second(times: Iterable[float]) -> int:
    """Return how many there are in the fullest second, wherever it begins."""
    ordered = sorted(times)
    most = first = 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
