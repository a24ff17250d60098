"""Frames with numbers in them, sent and looked for."""

import json
import socket
import time

from console.store.history import uplinks
from contract.times import format_time, parse_time
from lab.aws.stored import count_stored

_LIMIT = 30.0  # seconds for rows to appear
_START = time.time_ns() // 1000 - 3_600_000_000
"""An hour ago: a time that gateways may have written."""


def numbered(application: str, devices: int, seqno: int) -> list[bytes]:
    """Return a frame with this seqno of each device, with its NUL; pairs share a gateway time."""
    time_of_pair = format_time(_START + (seqno // 2) * 1_000_000)
    return [
        json.dumps(
            {
                "app": {
                    "appeui": application,
                    "moteeui": format(device, "x"),
                    "dir": "up",
                    "seqno": seqno,
                    "userdata": {"port": 1, "payload": "Af4="},
                    "gwrx": [{"eui": "b827ebfffe000001", "time": time_of_pair, "rssi": -57}],
                }
            }
        ).encode()
        + b"\0"
        for device in range(devices)
    ]


def send(port: int, data: bytes) -> None:
    """Write to the bridge as a network server, and wait until it has read everything."""
    with socket.create_connection(("127.0.0.1", port)) as server:
        server.sendall(data)
        server.shutdown(socket.SHUT_WR)
        server.settimeout(_LIMIT)
        server.recv(1)


def wait_for_rows(
    table: str, count: int, device: str | None = None, since: str | None = None
) -> int:
    """Wait until the table, or one device since a time, has ``count`` rows; return how many."""
    deadline = time.monotonic() + _LIMIT
    while True:
        if device is None:
            found = count_stored(table).rows
        else:
            found = len(list(uplinks(table, device, since=parse_time(since or "1970-01-01") or 0)))
        if found >= count or time.monotonic() > deadline:
            assert found >= count, f"{found} of {count} rows"
            return found
        time.sleep(0.2)
