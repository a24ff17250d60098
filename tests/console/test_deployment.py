"""What AWS answers becomes one line where it is no answer."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from console.deployment import stack_outputs
from contract.errors import BridgeError


class _Portal(BaseHTTPRequestHandler):
    """Answers everything with a page, as a proxy does that wants to be logged in to."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html><body>Please log in<br></body>")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lead the AWS SDK to a server that is none of AWS."""
    with HTTPServer(("127.0.0.1", 0), _Portal) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
            monkeypatch.setenv(f"AWS_{name}", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("portal")
def test_a_page_in_the_place_of_an_answer() -> None:
    """A proxy that answers in AWS's place is named as what it may be, in one line."""
    with pytest.raises(BridgeError, match=r"^AWS: something else answers in its place: is there"):
        stack_outputs("LoraStore", "TableName")
