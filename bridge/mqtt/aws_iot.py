"""Builds clients of AWS IoT."""

from functools import partial

from awscrt import mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt5_client_builder

from bridge.config import Aws
from bridge.mqtt.client import Callbacks, Client, SdkCallbacks
from bridge.mqtt.options import (
    KEEP_ALIVE,
    MIN_RECONNECT,
    PING_TIMEOUT,
    require_readable,
    session,
    socket_options,
    tls_versions,
    unusable,
)

_ACK_TIMEOUT = 30  # seconds


def aws_client(
    aws: Aws,
    client_id: str,
    callbacks: Callbacks,
    ack_timeout: int = _ACK_TIMEOUT,
    session_expiry: int = 0,
) -> Client:
    """Return a client of AWS IoT under one client ID, by mutual TLS.

    ``ack_timeout`` is in whole seconds: after it, a publish without a PUBACK ends with ``TIMEOUT``.
    With ``session_expiry``, in seconds, AWS IoT is asked to keep the client's session for so long,
    and with it what comes for its subscriptions; also over restarts of the process.

    Raises:
        BridgeError: the certificate, key or CA cannot be used.

    """
    files = [aws.certificate, aws.private_key, *([aws.root_ca] if aws.root_ca else [])]
    for path in files:
        require_readable(path, "see 'lora-bridge enroll --help'")
    make = partial(_make, aws, client_id, ack_timeout, session_expiry)
    try:
        return Client(make, callbacks)
    except (AwsCrtError, RuntimeError) as error:  # the SDK raises either
        raise unusable(files, error) from None


def _make(
    aws: Aws, client_id: str, ack_timeout: int, session_expiry: int, callbacks: SdkCallbacks
) -> mqtt5.Client:
    # An attempt and the pause before the next take half of max_backoff each, so that one is
    # made within max_backoff of the broker's return.
    half = aws.max_backoff * 1000 // 2
    return mqtt5_client_builder.mtls_from_path(
        cert_filepath=str(aws.certificate),
        pri_key_filepath=str(aws.private_key),
        ca_filepath=str(aws.root_ca) if aws.root_ca else None,
        endpoint=aws.endpoint,
        port=aws.port,
        client_id=client_id,
        keep_alive_interval_sec=KEEP_ALIVE,
        ping_timeout_ms=PING_TIMEOUT * 1000,
        ack_timeout_sec=ack_timeout,
        socket_options=socket_options(half),
        connack_timeout_ms=half,
        min_reconnect_delay_ms=min(MIN_RECONNECT, half),
        max_reconnect_delay_ms=half,
        cipher_pref=tls_versions(),
        extended_validation_and_flow_control_options=_flow_control(aws),
        **session(session_expiry),
        **callbacks,
    )


def _flow_control(aws: Aws) -> mqtt5.ExtendedValidationAndFlowControlOptions:
    options = mqtt5.ExtendedValidationAndFlowControlOptions
    return options.AWS_IOT_CORE_DEFAULTS if aws.respect_quotas else options.NONE
