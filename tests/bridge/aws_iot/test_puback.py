"""Publishes that the broker refuses or never answers are neither delivered nor lost."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from bridge.config import Aws, Config, Listen, SpoolSettings
from bridge.messages.message import Message
from bridge.service import serve
from bridge.spool import refused
from bridge.spool.batch import Batch
from bridge.spool.refused import Refusal
from bridge.spool.spool import Spool
from bridge.spool.waiting import Waiting
from bridge.timings import Timings
from lab.rig.certificates import make_certificates
from lab.rig.scripted_broker import HANG_UP, ScriptedBroker
from lab.rig.servers import free_ports
from lab.rig.spools import waiting
from tests.bridge.sources.semtech.frames import frame

FRAMES = 12
SMALL = tuple(frame(seqno=number) for number in range(FRAMES))
WINDOW = 5
TIMINGS = Timings(ack=1, first_pause=0.1)
POISON = 5  # the seqno of a message
PROBING = Timings(probe_every=0.05)


async def play(
    folder: Path,
    broker: ScriptedBroker,
    left: int = 0,
    frames: Sequence[bytes] = SMALL,
    window: int = WINDOW,
    timings: Timings = TIMINGS,
) -> None:
    """Run a bridge against the broker until no more than ``left`` wait, and stop it."""
    (port,) = free_ports(1)
    spool = folder / "spool.db"
    async with broker.listening() as broker_port:
        aws = Aws(
            endpoint="localhost",
            port=broker_port,
            client_id="host",
            certificate=folder / "client.pem",
            private_key=folder / "client.key",
            root_ca=folder / "ca.pem",
            max_inflight=window,
            respect_quotas=False,
        )
        config = Config(listen=(Listen(port=port),), aws=aws, spool=SpoolSettings(path=spool))
        serving = asyncio.create_task(serve(config, timings=timings))
        async with asyncio.timeout(30):
            while not broker.connections:
                await asyncio.sleep(0.05)
            _, server = await asyncio.open_connection("127.0.0.1", port)
            server.write(b"".join(each + b"\0" for each in frames))
            await server.drain()
            while (
                len({each.payload for each in broker.published}) < len(frames)
                or waiting(spool) > left
            ):
                await asyncio.sleep(0.05)
        server.close()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving


def seqno(payload: bytes) -> int:
    """Return the seqno in a message."""
    return int(json.loads(payload)["seqno"])


async def test_withheld_pubacks_wedge_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After a window full of unanswered publishes the bridge connects anew and sends them again.

    The SDK alone would keep the places of those publishes, and send nothing any more.
    """
    caplog.set_level("INFO")
    make_certificates(tmp_path)
    broker = ScriptedBroker(tmp_path, lambda connection, _payload: 0 if connection else None)
    await play(tmp_path, broker)
    seqnos = [(each.connection, seqno(each.payload)) for each in broker.published]
    assert seqnos == [(0, n) for n in range(WINDOW)] + [(1, n) for n in range(FRAMES)]
    assert "publishes unanswered, connecting anew: AWS_ERROR_MQTT_TIMEOUT" in caplog.text
    assert f"published={FRAMES} refused=0 left=0" in caplog.text


async def test_a_connection_that_takes_no_bytes_wedges_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that cannot even be told goodbye is left, and another one made.

    More is under way than the sockets of both sides can hold.
    """
    caplog.set_level("INFO")
    make_certificates(tmp_path)
    broker = ScriptedBroker(tmp_path, lambda _connection, _payload: 0, deaf=frozenset({0}))
    large = {"port": 1, "payload": "A" * 40_000}  # 30,000 bytes, each a number and a comma
    frames = [frame(seqno=number, userdata=large) for number in range(150)]
    await play(tmp_path, broker, frames=frames, window=len(frames))
    assert [(each.connection, seqno(each.payload)) for each in broker.published] == [
        (1, number) for number in range(len(frames))
    ]
    assert "publishes unanswered, connecting anew" in caplog.text


def numbers(broker: ScriptedBroker) -> list[int]:
    """Return the seqnos that the broker was asked to take, in order."""
    return [seqno(each.payload) for each in broker.published]


async def test_refused_publishes_are_tried_again_and_drain(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is refused lets the rest pass, is said once, and leaves in order once one is accepted.

    This is a policy that is repaired while the bridge runs.
    """
    caplog.set_level("INFO")
    make_certificates(tmp_path)
    probes = 0

    def answer(_connection: int, payload: bytes) -> int:
        nonlocal probes
        number = seqno(payload)
        if number % 3 or probes > FRAMES:
            return 0
        probes += 1
        return 0x87

    broker = ScriptedBroker(tmp_path, answer)
    await play(tmp_path, broker, timings=PROBING)
    accepted = numbers(broker)[-(FRAMES // 3) :]
    probe, others = accepted[0], accepted[1:]
    assert others == sorted(set(range(0, FRAMES, 3)) - {probe})
    assert [n for n in numbers(broker) if n % 3] == [n for n in range(FRAMES) if n % 3]
    assert caplog.text.count("refused: NOT_AUTHORIZED (0x87); kept, tried again") == 1
    assert "check the policy" in caplog.text
    assert f"published={FRAMES} refused={FRAMES + 1} left=0" in caplog.text


async def test_a_puback_that_nobody_understands_is_no_final_refusal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """MQTT 5.0 has no code 0xF0: the message is tried again by itself, and arrives."""
    caplog.set_level("INFO")
    make_certificates(tmp_path)
    tries = Counter[int]()

    def answer(_connection: int, payload: bytes) -> int:
        tries[seqno(payload)] += 1
        return 0xF0 if tries[POISON] == 1 and seqno(payload) == POISON else 0

    broker = ScriptedBroker(tmp_path, answer)
    await play(tmp_path, broker, timings=PROBING)
    assert tries[POISON] == 2
    assert f"published={FRAMES}" in caplog.text


async def test_a_message_that_is_never_accepted_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Others of its device that were refused with it are tried too, and leave."""
    caplog.set_level("INFO")
    make_certificates(tmp_path)
    tries = Counter[int]()

    def answer(_connection: int, payload: bytes) -> int:
        number = seqno(payload)
        tries[number] += 1
        return 0x99 if number == 0 or (number == 5 and tries[0] < 3) else 0

    broker = ScriptedBroker(tmp_path, answer)
    await play(tmp_path, broker, left=1, timings=PROBING)
    assert set(tries) == set(range(FRAMES))
    assert f"published={FRAMES - 1}" in caplog.text
    assert caplog.text.endswith("left=1\n")


async def test_a_message_that_the_sdk_rejects_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A topic that no broker would take, of a spool in which bits have changed, is set aside."""
    caplog.set_level("INFO")
    make_certificates(tmp_path)
    with Spool(tmp_path / "spool.db") as spool:
        spool.commit(Batch([Waiting.of(1, Message("lora/#", b"{}"))], [], [], []))
    await play(tmp_path, ScriptedBroker(tmp_path, lambda _connection, _payload: 0), left=1)
    assert "publish to lora/# as host refused" in caplog.text
    assert "not tried again by itself: see 'lora-bridge refused list'" in caplog.text
    assert f"published={FRAMES} refused=1 left=1" in caplog.text


async def test_a_message_at_which_the_broker_hangs_up_wedges_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is found, set aside with the reason, and all others arrive."""
    caplog.set_level("INFO")
    make_certificates(tmp_path)

    def answer(_connection: int, payload: bytes) -> int:
        return HANG_UP if seqno(payload) == POISON else 0

    broker = ScriptedBroker(tmp_path, answer)
    await play(tmp_path, broker, left=1)
    assert set(numbers(broker)) == set(range(FRAMES))
    assert broker.connections <= 12
    assert "the connection ends each time that it is published" in caplog.text
    assert "not tried again by itself" in caplog.text
    with Spool(tmp_path / "spool.db") as spool:
        (left,) = spool.on_file(refused.listed)
    assert (left.seqno, left.tried) == (POISON, "when asked")


async def test_a_person_has_a_refused_message_tried_again(tmp_path: Path) -> None:
    """A message that is tried only when asked is published then, and leaves."""
    make_certificates(tmp_path)
    waits = Message("lora/a/d", b'{"seqno":1000}')
    with Spool(tmp_path / "spool.db") as spool:
        spool.commit(Batch([Waiting.of(1, waits)], [], [], []))
        spool.commit(Batch([], [], [], [Refusal(1, "hung up", final=True)]))
        spool.on_file(partial(refused.ask, numbers=[1]))
    broker = ScriptedBroker(tmp_path, lambda _connection, _payload: 0)
    await play(tmp_path, broker, timings=PROBING)
    assert 1000 in numbers(broker)


async def test_throttled_publishes_wait_and_keep_their_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """0x97 pauses the connection; then everything goes on where it was, in order."""
    caplog.set_level("INFO")
    make_certificates(tmp_path)
    broker = ScriptedBroker(
        tmp_path, lambda _connection, _payload: 0 if len(broker.published) >= 2 * WINDOW else 0x97
    )
    await play(tmp_path, broker)
    assert numbers(broker) == [*range(WINDOW), *range(WINDOW), *range(FRAMES)]
    assert "throttled, pausing" in caplog.text
    assert "QUOTA_EXCEEDED (0x97)" in caplog.text
    assert f"published={FRAMES} refused=0 left=0" in caplog.text
    assert broker.connections == 1
