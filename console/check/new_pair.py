"""Tries a key and certificate before anything uses them."""

import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from bridge.config import load
from console.check.account import Account
from console.check.chain import Link, State, line, walk
from console.check.links import Links
from console.check.standing import Owner
from console.identity.certificates import Deployed
from console.identity.key_pair import certificate_id
from console.identity.rotation import Prove
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import IdentityKind


def trial(deployment: Deployment, name: str, folder: Path) -> Prove:
    """Return what tries a pair: all links of a bridge's chain, those to AWS for a consumer."""

    def prove(found: Deployed, certificate: Path, key: Path) -> None:
        if found.kind is IdentityKind.BRIDGE:
            path = folder / "bridge.toml"
            _uses(path, folder / f"{name}.key", folder / f"{name}.pem")
            links = Links(path, lambda: datetime.now(UTC), (certificate, key))
            with closing(links.all(round_trip=False)) as chain:
                _whole(chain)
        else:
            which = certificate_id(x509.load_pem_x509_certificate(certificate.read_bytes()))
            owner = Owner(deployment, name, key)
            _whole([("certificate in AWS", lambda: Account("").certificate(which, owner))])

    return prove


def _uses(path: Path, key: Path, certificate: Path) -> None:
    aws = load(path).aws
    pairs = {"private_key": (aws.private_key, key), "certificate": (aws.certificate, certificate)}
    for setting, (used, ours) in pairs.items():
        if used.name != ours.name or not used.parent.samefile(ours.parent):
            raise BridgeError(f"{path}: {setting} is {used}, but must be {ours}: change it first")


def _whole(links: Iterable[Link]) -> None:
    for finding in walk(links, time.monotonic):
        if finding.state is State.BROKEN:
            raise BridgeError(f"the new pair does not work, and is not used: {line(finding)}")
