"""Ports for servers on this machine, and how their processes are ended."""

import socket
import subprocess
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Return ``count`` different TCP ports that nothing on this machine listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def stop(process: subprocess.Popen[bytes], limit: float = 10.0) -> None:
    """End ``process`` politely, and firmly when it has not gone after ``limit`` seconds."""
    process.terminate()
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
