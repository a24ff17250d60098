"""Fetches what an identity needs to connect, once its stack is deployed."""

import json
from dataclasses import dataclass
from pathlib import Path

import boto3

from console.deployment import aws_errors
from console.identity.certificates import Deployed, deployed
from console.identity.key_pair import private_key
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import IdentityKind

_CONFIGURATION = """\
# Configuration of lora-bridge. Paths are relative to this file.

[[listen]]                 # one for each port that a network server connects to
host = "127.0.0.1"
port = 6500
# application = "37817737f13"   # AppEUI, for a network server that leaves appeui out
# max_connections = 100
# max_frame = 65536        # bytes

[aws]
endpoint = {endpoint}
port = {port}
client_id = {thing}
{deployment}certificate = {certificate}
private_key = {key}
{root_ca}
connections = 1            # numbered clients, devices spread over them
respect_quotas = true      # the pace AWS IoT allows; false only for brokers without quotas
max_inflight = 100         # unacknowledged publishes per connection
# max_backoff = 10         # seconds at most until a lost connection is tried again

[spool]
path = "spool.db"
max_bytes = 1073741824     # of messages to be published; at this limit the bridge stops reading
# max_refused = 268435456  # bytes of messages that AWS IoT refused
# max_rejected = 4194304   # bytes of rejected frames, for each reason

[downlinks]
# expires_after = 86400    # seconds, for requests that do not say it
# answers_within = 3600    # seconds after the expiry, to hear what became of a downlink
# session_expiry = 3600    # seconds that AWS IoT keeps requests while the bridge is away
# in_order = true          # a device's next downlink waits until the one before has left
# share = "pair"           # bridges with one name divide the requests among them

# [events]
# other = false            # true: frames of kinds that are not known are events, too

# [http]                   # health and metrics, on the loopback
# port = 6580
"""


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
    deployment: Deployment, name: str, folder: Path, endpoint: Endpoint
) -> Enrolled:
    """Write ``NAME.pem``, and ``bridge.toml`` for a bridge, into the folder with ``NAME.key``.

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
            configuration.write_text(_configuration(deployment, name, endpoint), encoding="utf-8")
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


def _configuration(deployment: Deployment, name: str, endpoint: Endpoint) -> str:
    root_ca = f"root_ca = {_toml(str(endpoint.root_ca))}" if endpoint.root_ca else _SYSTEM_CA
    return _CONFIGURATION.format(
        endpoint=_toml(endpoint.host),
        port=endpoint.port,
        thing=_toml(deployment.thing(name)),
        deployment=f"deployment = {_toml(deployment.name)}\n" if deployment.name else "",
        certificate=_toml(f"{name}.pem"),
        key=_toml(f"{name}.key"),
        root_ca=root_ca,
    )


_SYSTEM_CA = '# root_ca = "root-ca.pem"    # otherwise the system\'s certificates are trusted'


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # then it is a TOML basic string too
