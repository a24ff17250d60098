"""Runs ``lora-bridge check`` as an operator does, on configurations that differ, and judges it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from console.check.chain import Finding, State, line
from lab.aws.cdk import PROJECT
from lab.aws.host import Host
from lab.rig.running_bridge import LORA_BRIDGE
from tests.end_to_end.conftest import BRIDGE, OTHER_BRIDGE

_DOCUMENTED = (PROJECT / "docs" / "troubleshooting.md").read_text()
_NAMES = {
    OTHER_BRIDGE: BRIDGE,
    r"--dir \S+": "--dir /etc/lora-bridge",
    r"/[^ ]*/(?=[^/ ]+\.(key|pem|toml))": "/etc/lora-bridge/",
    r"(none|changed)\.toml": "bridge.toml",
    r"(none|ca)\.pem": "root-ca.pem",
    r"[0-9a-f]{64}": "CERTIFICATE_ID",
    r"LoraStore_Storing\w+": "RULE",
    r"LoraStore-StoringWriter[\w-]+": "ROLE",
    r"LoraStore-UplinksTable[\w-]+": "TABLE",
    r"\d{4}-\d\d-\d\d \d\d:\d\d": "2026-11-23 17:00",
    r"localhost:\d+": "ENDPOINT:8883",
    r"TCP port \d+": "TCP port 8883",
    r"127\.0\.0\.1:\d+": "127.0.0.1:6500",
    r"1(19|20|21) s": "120 s",
    "self signed": "self-signed",  # as another OpenSSL says it
}


@dataclass(frozen=True)
class Checked:
    """What the command said of each link, and its exit status."""

    findings: list[Finding]
    status: int

    def whole(self) -> list[str]:
        """Return the links that are whole."""
        return [each.link for each in self.findings if each.state is State.WHOLE]

    def breaks_at(self, link: str, words: str, remedy: str = "") -> None:
        """Assert that this link alone is broken, the last looked at, for this reason."""
        *before, last = self.findings
        assert (last.link, last.state) == (link, State.BROKEN), last
        assert re.search(words, last.detail), last
        assert re.search(remedy, last.remedy), last
        assert last.remedy
        assert State.BROKEN not in {each.state for each in before}
        assert self.status == 1
        assert as_documented(line(last)) in _DOCUMENTED


def as_documented(said: str) -> str:
    """Return a line with names as docs/troubleshooting.md has them."""
    for found, name in _NAMES.items():
        said = re.sub(found, name, said)
    return said


def check(config: Path, *options: str, credentials: bool = True) -> Checked:
    """Run the command as an operator does."""
    dropped = () if credentials else ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    done = subprocess.run(
        [*LORA_BRIDGE, "check", "--config", str(config), "--json", *options],
        env={name: value for name, value in os.environ.items() if name not in dropped},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines = [cast("dict[str, str]", json.loads(line)) for line in done.stdout.splitlines()]
    findings = [
        Finding(each["link"], State(each["state"]), each["detail"], each["remedy"], 0)
        for each in lines
    ]
    return Checked(findings, done.returncode)


class Configured:
    """Writes configurations into a folder, each with some lines of the enrolled one changed."""

    def __init__(self, host: Host, folder: Path) -> None:
        for name in (
            f"{BRIDGE}.key",
            f"{BRIDGE}.pem",
            f"{OTHER_BRIDGE}.key",
            f"{OTHER_BRIDGE}.pem",
        ):
            shutil.copy(host.folder / name, folder)  # with its mode
        shutil.copy(host.folder / "as-enrolled.toml", folder / "bridge.toml")
        self.host = Host(host.aws, folder)
        self.folder = folder

    def __call__(self, changes: Mapping[str, str] | None = None) -> Path:
        """Write one; return its path."""
        return self.host.configure("changed.toml", changes or {})[0]

    @property
    def key(self) -> Path:
        """Path of the private key."""
        return self.folder / f"{BRIDGE}.key"

    @property
    def certificate(self) -> Path:
        """Path of the certificate."""
        return self.folder / f"{BRIDGE}.pem"

    @property
    def endpoint_port(self) -> str:
        """The line of the configuration with the endpoint's port."""
        return f"port = {self.host.aws.mqtt_port}"

    def sign(self, begin: timedelta, end: timedelta) -> None:
        """Replace the certificate by one for the same key, valid from then to then."""
        key = load_pem_private_key(self.key.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        name = x509.Name([])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now + begin)
            .not_valid_after(now + end)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
