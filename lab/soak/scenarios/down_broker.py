"""The broker brings requests for downlinks as AWS IoT may, to one bridge or to a pair."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contract.names import is_event
from lab.rig.certificates import make_certificates
from lab.rig.running_bridge import running_bridge
from lab.rig.scripted_broker import ScriptedBroker
from lab.rig.servers import free_ports
from lab.soak.courier import Courier
from lab.soak.death import dies
from lab.soak.dying_bridge import STEPS
from lab.soak.fates import Ends, Fates
from lab.soak.frames import Tally, frame
from lab.soak.result import Result
from lab.soak.site import configure, wait_until
from lab.soak.two_way import TwoWay
from lab.soak.way_back import (
    AFTERWARDS,
    ANSWERED,
    END_LIMIT,
    RATE,
    READY,
    REQUESTS,
    SETTINGS,
    Exempt,
    summed_up,
)

_REPEATS = 3  # of a request, at most
_CALM = (0.3, 1.5)  # seconds between faults, at random
_PASSAGES = 8  # of a step before a kill, at most
_DELIVERED = 0x00
_GAPS = 20  # that the bridge tells at once
_SHARE = {"share": "pair"}


@dataclass
class _Heard:
    """What the broker was told."""

    broker: ScriptedBroker
    tally: Tally = field(default_factory=Tally)
    fates: Fates = field(default_factory=Fates)
    gaps: int = 0
    _looked_at: int = 0

    def ended(self, asked: list[int]) -> bool:
        """Say whether all of these have ended."""
        self.look()
        return all(map(self.fates.ended, asked))

    def look(self) -> None:
        """Sum up what has come since the last look."""
        new = self.broker.published[self._looked_at :]
        self._looked_at += len(new)
        messages = [(each.topic, each.payload) for each in new]
        self.tally.add(each for each in messages if not is_event(each[0]))
        self.fates.add(messages)
        self.gaps += sum(topic.endswith("/event/gap") for topic, _ in messages)


def down_repeats(folder: Path, say: Callable[[str], None], *, seconds: float) -> Result:
    """Bring each request up to four times, in any order, and hang up now and then."""
    rng = random.Random(1)  # noqa: S311  # the same faults every time
    with _heard(folder) as (heard, broker_port), ExitStack() as stack:
        config, port = _configured(folder, broker_port, "bridge", {})
        server = stack.enter_context(TwoWay(port, RATE, frame, ANSWERED))
        stack.enter_context(running_bridge(config)).says(READY)
        courier = stack.enter_context(Courier(heard.broker, REQUESTS, _REPEATS))
        lost = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(rng.uniform(*_CALM))
            say(f"hanging up, {max(0, end - time.monotonic()):.0f} s to go")
            for connection in list(heard.broker.subscribers):
                lost += 1
                heard.broker.hang_up(connection)
        ends = _finish(heard, courier, [server])
        more = courier.delivered - len(courier.asked)
        return summed_up(
            *(server, heard.tally.sum_up(), ends, folder / "bridge.db"),
            f"{more:,} requests came again; the session was lost {lost} times, {heard.gaps} gaps",
            [
                (more > len(courier.asked) / 2, "few requests came again"),
                (heard.gaps >= min(lost, _GAPS), "a session was lost without a word"),
            ],
            Exempt(),
        )


def down_pair(folder: Path, say: Callable[[str], None], *, count: int) -> Result:
    """Divide the requests among two bridges, and kill one of them ``count`` times."""
    rng = random.Random(1)  # noqa: S311  # the same kills every time
    with _heard(folder) as (heard, broker_port), ExitStack() as stack:
        config, port = _configured(folder, broker_port, "first", _SHARE)
        server = stack.enter_context(TwoWay(port, RATE, frame, ANSWERED))
        stack.enter_context(running_bridge(config)).says(READY)
        config, port = _configured(folder, broker_port, "second", _SHARE)
        seconds_server = stack.enter_context(TwoWay(port, RATE, frame, ANSWERED))
        courier = stack.enter_context(Courier(heard.broker, REQUESTS, 0))
        kills = 0
        for number in range(count):
            step = rng.choice(STEPS)
            say(f"kill {number + 1} of {count}: {step}")
            kills += dies(config, step, rng.randint(1, _PASSAGES)).step == step
        with running_bridge(config) as second:
            second.says(READY)
            ends = _finish(heard, courier, [server, seconds_server])
        by_second, more = len(seconds_server.written), courier.delivered - len(courier.asked)
        return summed_up(
            *(server, heard.tally.sum_up(), ends, folder / "first.db"),
            f"{kills} kills of one, which wrote {by_second:,}; {more:,} requests came again",
            [(2 * kills > count, "few bridges came to the step where they were to end")],
            # Where the one was killed before its PUBACK, it knows of no more, and the other does.
            Exempt(contradicted=kills),
        )


@contextmanager
def _heard(folder: Path) -> Iterator[tuple[_Heard, int]]:
    """Run a broker that takes everything; yields its port, too."""
    make_certificates(folder)
    broker = ScriptedBroker(folder, lambda _connection, _payload: _DELIVERED)
    with broker.in_thread() as port:
        yield _Heard(broker), port


def _configured(
    folder: Path, broker_port: int, name: str, downlinks: Mapping[str, int | str | bool]
) -> tuple[Path, int]:
    """Configure a bridge; return the path of that, and the port where it listens."""
    (port,) = free_ports(1)
    settings = {
        **SETTINGS,
        "aws": {"client_id": name},
        "spool": {"path": f"{name}.db"},
        "downlinks": {**SETTINGS["downlinks"], **downlinks},
    }
    path = configure(folder, port, broker_port, settings)
    return path.rename(path.with_stem(name)), port


def _finish(heard: _Heard, courier: Courier, servers: Sequence[TwoWay]) -> Ends:
    """End the requests and, when all downlinks have ended or time is up, the frames."""
    courier.stop()
    end = time.monotonic() + END_LIMIT
    wait_until(
        lambda: heard.ended(courier.asked) or time.monotonic() > end, END_LIMIT + 1, "all to end"
    )
    for each in servers:
        each.stop()
    time.sleep(AFTERWARDS)
    heard.look()
    written = sum((each.written for each in servers), Counter[int]())
    overdue = set[int]().union(*(each.overdue for each in servers))
    return heard.fates.sum_up(courier.asked, written, overdue)
