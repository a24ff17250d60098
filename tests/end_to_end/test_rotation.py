"""A bridge changes its key and certificate under load, and loses nothing."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from cryptography import x509

from console.identity.certificates import deployed
from console.identity.key_pair import certificate_id
from console.store.history import uplinks
from contract.deployment import UNNAMED
from lab.aws.cdk import deploy, write_settings
from lab.aws.host import Host
from lab.aws.server import LocalAws
from lab.rig.errors import RigError
from lab.rig.running_bridge import running_bridge
from tests.end_to_end.traffic import numbered, send, wait_for_rows

pytestmark = pytest.mark.aws

NAME = "rotating"
_BATCH, _PAUSE = 5, 0.1
"""Frames at a time, and seconds between them: half of what AWS IoT takes of a connection."""


class Load:
    """A network server that sends frames until it is told to stop, and what it has sent."""

    def __init__(self, application: str, port: int) -> None:
        self._application = application
        self._port = port
        self._ended = threading.Event()
        self.sent = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send, until the end."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_PAUSE):
            batch = range(self.sent, self.sent + _BATCH)
            data = b"".join(frame for n in batch for frame in numbered(self._application, 1, n))
            try:
                send(self._port, data)
            except OSError:  # the bridge is not there: a network server sends it once more
                continue
            self.sent += _BATCH


@pytest.fixture
def rotating(aws: LocalAws, host: Host, tmp_path: Path) -> Host:
    """Deploy an identity of its own, and enroll it."""
    del host  # the store is deployed
    own = Host(aws, tmp_path)
    own.keygen(NAME)
    deploy_csrs(own, f"{NAME}.csr")
    own.enroll(NAME)
    return own


def deploy_csrs(host: Host, *files: str) -> None:
    """Deploy the identity with the certificates of these CSRs."""
    context = {"bridges": {NAME: [str(host.folder / file) for file in files]}}
    deploy(
        os.environ,
        host.folder / "cdk.out",
        write_settings(host.folder, context),
        UNNAMED.identity_stack(NAME),
    )


def step(host: Host, name: str) -> str:
    """Take a step twice, as whoever is not sure does; return what the second said."""
    where = ("--name", NAME, "--dir", str(host.folder))
    host.lora_bridge("rotate", name, *where)
    return host.lora_bridge("rotate", name, *where)


def used(host: Host) -> str:
    """Return the ID of the certificate in use."""
    pem = (host.folder / f"{NAME}.pem").read_bytes()
    return certificate_id(x509.load_pem_x509_certificate(pem))


def known_to_aws() -> set[str]:
    """Return the IDs of all certificates that AWS IoT has."""
    listed = boto3.client("iot").list_certificates()["certificates"]
    return {each["certificateId"] for each in listed}


def test_a_change_under_load(rotating: Host, table: str, application: str) -> None:
    """Rows equal the frames sent, from one certificate over both to the other alone."""
    old = used(rotating)
    config, port = rotating.configure("load.toml", {})
    load = Load(application, port)
    with load.running():
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            assert "rotating.next.csr" in step(rotating, "begin")
            with pytest.raises(RigError, match=r"no certificate for rotating\.next\.csr"):
                step(rotating, "switch")
            deploy_csrs(rotating, f"{NAME}.csr", f"{NAME}.next.csr")
            assert len(deployed(UNNAMED, NAME).certificates) == 2
            assert "restart" in step(rotating, "switch")
            assert used(rotating) != old
            bridge.stop()
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            with pytest.raises(RigError, match=rf"{old}, is still deployed"):
                step(rotating, "finish")
            deploy_csrs(rotating, f"{NAME}.next.csr")
            assert deployed(UNNAMED, NAME).certificates.keys() == {used(rotating)}
            assert old not in known_to_aws()
            before = load.sent
            assert "nothing to finish" in step(rotating, "finish")
            rotating.lora_bridge("check", "--config", str(config), "--round-trip")
            wait_for_rows(table, before + 1, device=f"{application}/0")
    with running_bridge(config) as bridge:  # what the last batch left in the spool
        bridge.says("ready: ")
        wait_for_rows(table, load.sent, device=f"{application}/0")
    rows = [row["seqno"] for row in uplinks(table, f"{application}/0")]
    assert sorted(map(int, map(str, rows))) == list(range(load.sent))
