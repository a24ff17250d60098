"""The links to AWS IoT below MQTT: name, TCP, TLS."""

import socket
import ssl

from bridge.config import Aws
from console.check.chain import BrokenError
from console.check.files import NEW_KEY

_LIMIT = 10.0  # seconds
_MQTT_ON_443 = (443, "x-amzn-mqtt-ca")
"""On this port AWS IoT wants to be told the protocol ("Device communication protocols")."""

# X509_V_ERR_… of OpenSSL (openssl/x509_vfy.h)
_NOT_YET, _EXPIRED = 9, 10
_OTHER_HOST = {62, 64}
_REMEDIES = {
    _NOT_YET: "set this host's clock",
    _EXPIRED: "set this host's clock, or renew the certificate of the endpoint",
}


def name(aws: Aws) -> str:
    """Resolve the endpoint's name.

    Raises:
        BrokenError: nothing resolves it.

    """
    try:
        found = socket.getaddrinfo(aws.endpoint, aws.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BrokenError(
            f"{aws.endpoint}: {getattr(error, 'strerror', error)}",
            "check endpoint in the configuration, and this host's name servers",
        ) from None
    return f"{aws.endpoint} is {', '.join(sorted({str(each[4][0]) for each in found}))}"


def tcp(aws: Aws) -> str:
    """Connect to the endpoint.

    Raises:
        BrokenError: it does not take the connection.

    """
    with _connected(aws) as connection:
        return f"connected to {connection.getpeername()[0]} port {aws.port}"


def _connected(aws: Aws) -> socket.socket:
    try:
        return socket.create_connection((aws.endpoint, aws.port), _LIMIT)
    except OSError as error:
        raise BrokenError(
            f"{aws.endpoint}:{aws.port}: {error.strerror or error}",
            f"let a firewall pass TCP port {aws.port}, or check port in the configuration",
        ) from None


def tls(aws: Aws) -> str:
    """Shake hands as the bridge does: with its certificate, and verifying the endpoint's.

    Raises:
        BrokenError: one of the two does not accept the other.

    """
    context = _context(aws)
    try:
        with (
            _connected(aws) as connection,
            context.wrap_socket(connection, server_hostname=aws.endpoint) as secured,
        ):
            return f"{secured.version()}, {aws.endpoint} is who it says"
    except ssl.SSLCertVerificationError as error:
        raise BrokenError(error.verify_message, _remedy(error, aws)) from None
    except OSError as error:
        raise BrokenError(
            f"no TLS on {aws.endpoint}:{aws.port}: {error.strerror or error}",
            "check endpoint and port in the configuration, and what is between",
        ) from None


def _remedy(error: ssl.SSLCertVerificationError, aws: Aws) -> str:
    if error.verify_code in _OTHER_HOST:
        return "check endpoint in the configuration: it must be the name in the certificate"
    if error.verify_code in _REMEDIES:
        return _REMEDIES[error.verify_code]
    trusted = aws.root_ca or "the system's certificates"
    return f"{trusted} did not sign it: check root_ca in the configuration"


def _context(aws: Aws) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=aws.root_ca)
    except OSError as error:
        raise BrokenError(
            f"{aws.root_ca}: {error.strerror or 'not a certificate (PEM)'}",
            "check root_ca in the configuration",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(aws.certificate, aws.private_key)
    except OSError as error:  # ssl.SSLError is one
        reason = f"{aws.certificate}, {aws.private_key}: {error.strerror or error}"
        raise BrokenError(reason, NEW_KEY) from None
    port, protocol = _MQTT_ON_443
    if aws.port == port:
        context.set_alpn_protocols([protocol])
    return context
