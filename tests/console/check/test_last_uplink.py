"""The running bridge tells when the last uplink came."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bridge.config import Http
from console.check.chain import NotTriedError
from console.check.last_uplink import last_uplink
from lab.rig.servers import free_ports

_METRICS = """\
# HELP lora_bridge_last_uplink_timestamp_seconds When the last uplink of an application came.
# TYPE lora_bridge_last_uplink_timestamp_seconds gauge
lora_bridge_last_uplink_timestamp_seconds{application="37817737f13"} 1.7958782e+09
lora_bridge_last_uplink_timestamp_seconds{application="other"} 1.7958781e+09
lora_bridge_last_uplink_timestamp_seconds{application="check"} 1.7958789e+09
"""


@contextmanager
def metrics(text: str) -> Iterator[Http]:
    """Serve a text on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Http(port=server.server_port)
        finally:
            server.shutdown()
            thread.join()


def test_the_last_uplink() -> None:
    """The newest of all applications counts, but for those of ``check`` itself."""
    with metrics(_METRICS) as http:
        assert last_uplink(http) == "at 2026-11-28 15:03:20 UTC, of 37817737f13"


@pytest.mark.parametrize("text", ["", "<html>no bridge</html>"])
def test_none_yet(text: str) -> None:
    """A bridge that has had none has nothing to tell, nor has what is no bridge."""
    with metrics(text) as http, pytest.raises(NotTriedError, match="none has come since"):
        last_uplink(http)


def test_a_bridge_that_does_not_tell() -> None:
    """Without [http], with any port, or where nobody answers, it is not tried."""
    (port,) = free_ports(1)
    for http, words in (
        (None, "no .http. in the configuration"),
        (Http(port=0), "port 0"),
        (Http(port=port), f"http://127.0.0.1:{port}/metrics: Connection refused"),
    ):
        with pytest.raises(NotTriedError, match=words):
            last_uplink(http)
