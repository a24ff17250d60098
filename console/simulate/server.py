"""Writes the simulated frames to a bridge, as TCP delivers them, and answers its downlinks."""

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from console.simulate.answers import Answers
from console.simulate.frames import frames, joins, pieces
from contract.errors import BridgeError

_TICK = 0.02  # seconds between bursts of writes
_CLOSE_LIMIT = 30.0  # seconds for the bridge to read what was written


@dataclass(frozen=True)
class Plan:
    """What to send: ``rate`` frames a second, ``total`` of them or, if None, for ever.

    The share ``lose`` of downlinks is never answered.
    """

    host: str
    port: int
    devices: int
    rate: float
    total: int | None
    lose: float = 0.0


def send(plan: Plan, progress: Callable[[int], object]) -> Answers:
    """Join the devices and send the frames; return what became of downlinks.

    ``progress`` is told how many frames each round of writes added.

    Raises:
        BridgeError: nobody listens there, or the connection broke.

    """
    where = f"{plan.host}:{plan.port}"
    # The same frames every time, but for their times.
    rng = random.Random(1)  # noqa: S311  # no secret comes of it
    answers = Answers(random.Random(1), plan.lose)  # noqa: S311  # the same
    sent = 0
    try:
        with socket.create_connection((plan.host, plan.port)) as connection:
            connection.sendall(joins(plan.devices))
            for batch in _paced(plan, rng):
                for piece in pieces(b"".join(batch), rng):
                    connection.sendall(piece)
                _answer(connection, answers)
                sent += len(batch)
                progress(len(batch))
            while answers.pending:
                _answer(connection, answers)
                time.sleep(_TICK)
            _finish(connection)
    except OSError as error:
        reason = f"{where}: {error.strerror or error} after {sent} frames"
        hint = ": is the bridge running?" if isinstance(error, ConnectionError) else ""
        raise BridgeError(reason + hint) from None
    return answers


def _paced(plan: Plan, rng: random.Random) -> Iterator[list[bytes]]:
    """Yield the frames of each moment; none at times, so that downlinks are answered."""
    source = islice(frames(plan.devices, rng, lambda: time.time_ns() // 1000), plan.total)
    started = time.monotonic()
    taken = 0
    while True:
        due = int((time.monotonic() - started) * plan.rate) + 1 - taken
        batch = list(islice(source, due))
        taken += len(batch)
        yield batch
        if taken == plan.total:
            return
        time.sleep(_TICK)


def _answer(connection: socket.socket, answers: Answers) -> None:
    """Take the downlinks that have come, and say what is due."""
    now = time.monotonic()
    with suppress(BlockingIOError):
        while data := connection.recv(65_536, socket.MSG_DONTWAIT):
            answers.read(data, now)
    connection.sendall(answers.due(now))


def _finish(connection: socket.socket) -> None:
    """Wait until the other side has read everything, which it shows by closing."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(_CLOSE_LIMIT)
    with suppress(TimeoutError):
        while connection.recv(65_536):
            pass  # downlinks that nobody answers any more
