"""Fetches what an identity needs to connect, once its stack is deployed."""

import json
from dataclasses import dataclass
from pathlib import Path

import boto3

from console.deployment import aws_errors
from console.identity.bridge_toml import CHIRPSTACK, HEAD, LISTEN, REST, SYSTEM_CA
from console.identity.certificates import Deployed, deployed
from console.identity.key_pair import private_key
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import IdentityKind


@dataclass(frozen=True)
class Endpoint:
    """Where to reach AWS IoT; ``root_ca`` None trusts the system's certificates."""

    host: str
    port: int
    root_ca: Path | None


@dataclass(frozen=True)
class Enrolled:
    """What enrolling has written. A consumer has no configuration; an old one is kept."""

    kind: IdentityKind
    certificate: Path
    configuration: Path
    configuration_written: bool


def find_endpoint() -> str:
    """Return the host name of this account's AWS IoT data endpoint, without any port.

    Raises:
        BridgeError: AWS does not answer.

    """
    with aws_errors():
        client = boto3.client("iot")
        address = client.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    return address.partition(":")[0]


def enroll_identity(
    deployment: Deployment,
    name: str,
    folder: Path,
    endpoint: Endpoint,
    *,
    chirpstack: bool = False,
) -> Enrolled:
    """Write ``NAME.pem``, and ``bridge.toml`` for a bridge, into the folder with ``NAME.key``.

    It is for a network server that connects to the bridge, or else for a ``chirpstack``.

    Raises:
        BridgeError: the key or the stack is missing, or they do not belong together.

    """
    found = deployed(deployment, name)
    pem = _certificate(name, folder / f"{name}.key", found)
    certificate = folder / f"{name}.pem"
    configuration = folder / "bridge.toml"
    to_write = found.kind is IdentityKind.BRIDGE and not configuration.exists()
    try:
        certificate.write_text(pem, encoding="ascii")
        if to_write:
            text = _configuration(deployment, name, endpoint, chirpstack=chirpstack)
            configuration.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"cannot write into {folder}: {error.strerror}") from None
    return Enrolled(found.kind, certificate, configuration, to_write)


def _certificate(name: str, key_path: Path, found: Deployed) -> str:
    try:
        key = private_key(key_path)
    except OSError as error:
        raise BridgeError(
            f"{key_path}: {error.strerror}: enroll where 'lora-bridge keygen --name {name}' ran,"
            " or name its folder with --dir"
        ) from None
    pem = found.certificate_of(key)
    if pem is None:
        raise BridgeError(
            f"the deployed certificate of {name} does not belong to {key_path}:"
            f" deploy with the {name}.csr that was made with it"
        )
    return pem


def _configuration(
    deployment: Deployment, name: str, endpoint: Endpoint, *, chirpstack: bool
) -> str:
    root_ca = f"root_ca = {_toml(str(endpoint.root_ca))}" if endpoint.root_ca else SYSTEM_CA
    rest = REST.format(
        endpoint=_toml(endpoint.host),
        port=endpoint.port,
        thing=_toml(deployment.thing(name)),
        deployment=f"deployment = {_toml(deployment.name)}\n" if deployment.name else "",
        certificate=_toml(f"{name}.pem"),
        key=_toml(f"{name}.key"),
        root_ca=root_ca,
    )
    return "\n".join([HEAD, "", CHIRPSTACK if chirpstack else LISTEN, rest])


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # then it is a TOML basic string too
