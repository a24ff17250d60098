"""The links to a broker below MQTT: name, TCP, TLS."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from bridge.config import Aws, Broker
from console.check.chain import BrokenError
from console.check.files import NEW_KEY

_LIMIT = 10.0  # seconds
_MQTT_ON_443 = "x-amzn-mqtt-ca"
"""On port 443 AWS IoT wants to be told the protocol ("Device communication protocols")."""

# X509_V_ERR_… of OpenSSL (openssl/x509_vfy.h)
_NOT_YET, _EXPIRED = 9, 10
_OTHER_HOST = {62, 64}
_REMEDIES = {
    _NOT_YET: "set this host's clock",
    _EXPIRED: "set this host's clock, or renew the broker's certificate",
}


@dataclass(frozen=True)
class Peer:
    """A broker, and what the configuration calls its name and its CA.

    ``closed`` and ``unusable`` are what to do about a port that is closed, and about a certificate
    or key of ours that cannot be used. ``protocol`` is what it wants to be told in TLS.
    """

    host: str
    port: int
    ca: Path | None
    certificate: Path | None
    private_key: Path | None
    host_key: str
    ca_key: str
    closed: str
    unusable: str
    protocol: str | None = None


def endpoint(aws: Aws) -> Peer:
    """Return AWS IoT's endpoint as a peer."""
    return Peer(
        *(aws.endpoint, aws.port, aws.root_ca, aws.certificate, aws.private_key),
        host_key="endpoint",
        ca_key="root_ca",
        closed=f"let a firewall pass TCP port {aws.port}, or check port in the configuration",
        unusable=NEW_KEY,
        protocol=_MQTT_ON_443 if aws.port == 443 else None,  # noqa: PLR2004  # HTTPS
    )


def broker(settings: Broker) -> Peer:
    """Return a network server's broker as a peer."""
    return Peer(
        *(settings.host, settings.port, settings.ca, settings.certificate, settings.private_key),
        host_key="host",
        ca_key="ca",
        closed="start the broker, or check host and port in the configuration: Mosquitto without a"
        " listener of its own takes connections from its own host alone",
        unusable="check certificate and private_key in the configuration",
    )


def name(peer: Peer) -> str:
    """Resolve the broker's name.

    Raises:
        BrokenError: nothing resolves it.

    """
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BrokenError(
            f"{peer.host}: {getattr(error, 'strerror', error)}",
            f"check {peer.host_key} in the configuration, and this host's name servers",
        ) from None
    return f"{peer.host} is {', '.join(sorted({str(each[4][0]) for each in found}))}"


def tcp(peer: Peer) -> str:
    """Connect to the broker.

    Raises:
        BrokenError: it does not take the connection.

    """
    with _connected(peer) as connection:
        return f"connected to {connection.getpeername()[0]} port {peer.port}"


def _connected(peer: Peer) -> socket.socket:
    try:
        return socket.create_connection((peer.host, peer.port), _LIMIT)
    except OSError as error:
        raise BrokenError(
            f"{peer.host}:{peer.port}: {error.strerror or error}",
            peer.closed,
        ) from None


def tls(peer: Peer) -> str:
    """Shake hands as the bridge does: with its certificate, and verifying the broker's.

    Raises:
        BrokenError: one of the two does not accept the other.

    """
    context = _context(peer)
    try:
        with (
            _connected(peer) as connection,
            context.wrap_socket(connection, server_hostname=peer.host) as secured,
        ):
            return f"{secured.version()}, {peer.host} is who it says"
    except ssl.SSLCertVerificationError as error:
        raise BrokenError(error.verify_message, _remedy(error, peer)) from None
    except OSError as error:
        raise BrokenError(
            f"no TLS on {peer.host}:{peer.port}: {error.strerror or error}",
            f"check {peer.host_key} and port in the configuration, and what is between",
        ) from None


def _remedy(error: ssl.SSLCertVerificationError, peer: Peer) -> str:
    if error.verify_code in _OTHER_HOST:
        key = peer.host_key
        return f"check {key} in the configuration: it must be the name in the certificate"
    if error.verify_code in _REMEDIES:
        return _REMEDIES[error.verify_code]
    trusted = peer.ca or "the system's certificates"
    return f"{trusted} did not sign it: check {peer.ca_key} in the configuration"


def _context(peer: Peer) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=peer.ca)
    except OSError as error:
        raise BrokenError(
            f"{peer.ca}: {error.strerror or 'not a certificate (PEM)'}",
            f"check {peer.ca_key} in the configuration",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if peer.certificate:
            context.load_cert_chain(peer.certificate, peer.private_key)
    except OSError as error:  # ssl.SSLError is one
        reason = f"{peer.certificate}, {peer.private_key}: {error.strerror or error}"
        raise BrokenError(reason, peer.unusable) from None
    if peer.protocol:
        context.set_alpn_protocols([peer.protocol])
    return context
