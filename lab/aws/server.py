"""Starts MiniStack, an AWS in one process, and tells clients how to reach it."""

import os
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.rig.servers import free_ports, stop

_REGION = "us-east-1"
_START_LIMIT = 60.0  # seconds
_SERVER = Path(__file__).with_name("mended.py")


@contextmanager
def led_to(environment: Mapping[str, str]) -> Iterator[None]:
    """Lead this process's AWS SDK somewhere by its ordinary settings, until the context ends."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class LocalAwsError(Exception):
    """The local AWS did not come up."""


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS: where it listens and which certificates to trust."""

    folder: Path
    port: int
    mqtt_port: int

    @property
    def endpoint_url(self) -> str:
        """URL of every HTTPS service."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def https_ca(self) -> Path:
        """Certificate (PEM) that signs the HTTPS endpoint."""
        return self.folder / "ministack-tls" / "server.crt"

    @property
    def mqtt_ca(self) -> Path:
        """CA (PEM) that signs the MQTT endpoint."""
        return self.folder / "iot-ca.pem"

    def environment(self) -> dict[str, str]:
        """Return the ordinary AWS settings that lead SDKs and the CDK CLI here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CA_BUNDLE": str(self.https_ca),
            "NODE_EXTRA_CA_CERTS": str(self.https_ca),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }


@contextmanager
def local_aws(folder: Path) -> Iterator[LocalAws]:
    """Run a local AWS with its files and log in ``folder`` until the context ends.

    Raises:
        LocalAwsError: it ended early or was not ready in time; the message has its log's end.

    """
    port, mqtt_port = free_ports(2)
    aws = LocalAws(folder, port, mqtt_port)
    log_path = folder / "ministack.log"
    with ExitStack() as stack:
        log = stack.enter_context(log_path.open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-P", str(_SERVER)],
            env=_server_environment(aws),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        stack.callback(stop, process)
        try:
            _wait_until_ready(aws, process)
        except LocalAwsError as error:
            tail = log_path.read_text(errors="replace")[-2000:]
            raise LocalAwsError(f"{error}; end of its log:\n{tail}") from None
        yield aws


def _server_environment(aws: LocalAws) -> dict[str, str]:
    return os.environ | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(aws.port),
        "IOT_MTLS_PORT": str(aws.mqtt_port),
        "USE_SSL": "1",
        "AUTH": "true",
        "TMPDIR": str(aws.folder),
        "MINISTACK_REGION": _REGION,
        "AWS_CA_BUNDLE": str(aws.https_ca),  # for the functions, which inherit it
        "LOG_LEVEL": "WARNING",
    }


def _wait_until_ready(aws: LocalAws, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalAwsError(f"the local AWS ended with status {process.returncode}")
        if _is_ready(aws):
            aws.mqtt_ca.write_bytes(_get(aws, "/_ministack/iot/ca.pem"))
            return
        time.sleep(0.1)
    raise LocalAwsError(f"the local AWS was not ready after {_START_LIMIT:.0f} s")


def _is_ready(aws: LocalAws) -> bool:
    try:
        _get(aws, "/_ministack/health")
    except OSError:  # urllib's errors and a certificate not written yet are among them
        return False
    return True


def _get(aws: LocalAws, path: str) -> bytes:
    context = ssl.create_default_context(cafile=str(aws.https_ca))
    url = aws.endpoint_url + path
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(url, timeout=5) as response:
        return bytes(response.read())
