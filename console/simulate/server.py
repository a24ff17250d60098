"""Writes the simulated frames to a bridge, as TCP delivers them, and answers its downlinks."""

import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from console.simulate.answers import Answers
from console.simulate.frames import frames, joins, pieces, with_statuses
from console.simulate.plan import TICK, Plan, paced
from contract.errors import BridgeError

_CLOSE_LIMIT = 30.0  # seconds for the bridge to read what was written


def send(address: tuple[str, int], plan: Plan, progress: Callable[[int], object]) -> Answers:
    """Join the devices and send the frames to a bridge; return what became of downlinks.

    ``progress`` is told how many frames each round of writes added.

    Raises:
        BridgeError: nobody listens there, or the connection broke.

    """
    # The same frames every time, but for their times.
    rng = random.Random(1)  # noqa: S311  # no secret comes of it
    answers = Answers(random.Random(1), plan.lose)  # noqa: S311  # the same
    sent = 0
    try:
        with socket.create_connection(address) as connection:
            connection.sendall(joins(plan.devices))
            uplinks = frames(plan.devices, rng, lambda: time.time_ns() // 1000)
            source = with_statuses(uplinks, plan.devices)
            for batch in paced(source, plan):
                for piece in pieces(b"".join(batch), rng):
                    connection.sendall(piece)
                _answer(connection, answers)
                sent += len(batch)
                progress(len(batch))
            while answers.pending:
                _answer(connection, answers)
                time.sleep(TICK)
            _finish(connection)
    except OSError as error:
        host, port = address
        reason = f"{host}:{port}: {error.strerror or error} after {sent} frames"
        hint = ": is the bridge running?" if isinstance(error, ConnectionError) else ""
        raise BridgeError(reason + hint) from None
    return answers


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
