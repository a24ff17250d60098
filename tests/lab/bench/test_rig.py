"""The broker, the counter and the load are what the measurements take them for."""

import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.message import Message
from lab.bench.load import distinct, numbered_frames, uplink_number
from lab.bench.sdk import connected
from lab.rig.counter import Counter, counter
from lab.rig.disk_pauses import disk_pauses
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto, program
from lab.rig.usage import Usage

LIMIT = 10.0  # seconds


def test_numbers_survive_every_form() -> None:
    """An uplink is known again by its number, in the raw frame and in a message."""
    frames = numbered_frames(300)
    assert [uplink_number(frame[:-1]) for frame in frames] == list(range(300))
    assert all(frame.find(b"\0") == len(frame) - 1 for frame in frames)
    assert uplink_number(b'{"port2_bytes":[0,1,44],"seqno":7}') == 300


@pytest.mark.parametrize("payload", [b"", b"[", b"7", b"{}", b'{"join":{}}'])
def test_what_is_no_uplink_has_no_number(payload: bytes) -> None:
    """Anything else that is delivered counts as no uplink."""
    assert uplink_number(payload) is None


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(1, 400), max_size=30))
def test_the_counter_cuts_packets_anywhere(payloads: list[bytes], sizes: Sequence[int]) -> None:
    """Messages are whole and in order, wherever TCP cuts them."""
    stream = b"".join(_publish(payload) for payload in payloads)
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(0)
        counting = Counter(near)
        for size in sizes:
            far.sendall(stream[:size])
            counting.look()
            stream = stream[size:]
        far.sendall(stream)
        counting.look()
    assert list(counting.messages()) == [("lora/a/d", payload) for payload in payloads]


@pytest.mark.broker
def test_repeated_deliveries_count_once(broker: Mosquitto) -> None:
    """``total`` counts deliveries and ``distinct`` uplinks."""
    with counter(broker) as counting, connected(broker.port, broker.folder) as client:
        for number in (1, 2, 2):
            message = Message("lora/a/d", b'{"port1_bytes":[0,0,%d]}' % number)
            client.publish(message.topic, message.payload).result(LIMIT)
        deadline = time.monotonic() + LIMIT
        while counting.total < 3 and time.monotonic() < deadline:
            counting.look()
        assert (counting.total, distinct(counting.messages())) == (3, 2)


@pytest.mark.broker
def test_the_broker_wants_a_certificate(broker: Mosquitto) -> None:
    """Without the client's certificate nobody gets as far as MQTT."""
    context = ssl.create_default_context(cafile=broker.folder / "ca.pem")
    with socket.create_connection(("127.0.0.1", broker.port), LIMIT) as connection:
        secure = context.wrap_socket(connection, server_hostname="localhost")
        with secure, pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
            secure.recv(1)


def test_no_mosquitto(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to install it."""
    monkeypatch.setattr(shutil, "which", lambda _name, path: path and None)
    with pytest.raises(RigError, match=r"apt-get install mosquitto .*brew install mosquitto"):
        program()


def test_usage_is_of_the_whole_tree() -> None:
    """CPU time and memory of a shell's child are the shell's too, even after the child's end."""
    burn = "x = bytearray(50_000_000)\nfor _ in range(5_000_000): pass"
    script = f"{sys.executable} -c '{burn}' && echo done && read line"
    with subprocess.Popen(
        ["/bin/sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        usage = Usage(process.pid)
        assert usage.cpu() < 0.1
        deadline = time.monotonic() + LIMIT
        while usage.cpu() < 0.1 and time.monotonic() < deadline:
            usage.look()
        assert process.stdout
        assert process.stdout.readline() == b"done\n"
        assert usage.cpu() >= 0.1
        assert 50 < usage.peak < 200
        process.kill()


def _publish(payload: bytes) -> bytes:
    """Return a PUBLISH packet at QoS 0."""
    body = b"\0\x08lora/a/d" + payload
    low, high = len(body) & 0x7F, len(body) >> 7
    return bytes([0x30, low | 0x80, high] if high else [0x30, low]) + body


def test_pauses_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment in a sync that takes long, or soon after it, is traced to the sync's beginning."""
    begun, ended = threading.Event(), threading.Event()

    def pause(_file: int) -> None:
        begun.set()
        ended.wait()

    monkeypatch.setattr("lab.rig.disk_pauses.os.fdatasync", pause)
    before = time.monotonic()
    with disk_pauses(tmp_path) as pauses:
        begun.wait()
        in_between = time.monotonic() + 0.02
        assert pauses.since(before) == before
        while time.monotonic() < in_between:
            pass
        ended.set()
        first = pauses.since(in_between)
        assert before < first < in_between
    assert pauses.since(in_between + 60) == in_between + 60
