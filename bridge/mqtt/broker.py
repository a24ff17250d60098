"""Builds clients of a network server's broker."""

from functools import partial

from awscrt import io, mqtt5
from awscrt.exceptions import AwsCrtError

from bridge.config import Broker
from bridge.mqtt.client import Callbacks, Client, SdkCallbacks
from bridge.mqtt.options import (
    KEEP_ALIVE,
    MIN_RECONNECT,
    PING_TIMEOUT,
    SEE_CONFIGURATION,
    password,
    require_readable,
    session,
    socket_options,
    tls_versions,
    unusable,
)

_ACK_TIMEOUT = 10  # seconds
_CONNECT_TIMEOUT = 5_000  # milliseconds
_MAX_RECONNECT = 5_000  # milliseconds: the broker is near, and holds a queue


def broker_client(
    broker: Broker, client_id: str, callbacks: Callbacks, session_expiry: int = 0
) -> Client:
    """Return a client of a broker. There is TLS if there is a CA or a certificate.

    With ``session_expiry``, in seconds, the broker is asked to keep the client's session, and with
    it what comes for its subscriptions; also over restarts of the process.

    Raises:
        BridgeError: the password, certificate, key or CA cannot be used.

    """
    files = [broker.ca, broker.certificate, broker.private_key]
    for path in filter(None, [*files, broker.password_file]):
        require_readable(path, SEE_CONFIGURATION)
    try:
        return Client(partial(_make, broker, client_id, session_expiry), callbacks)
    except (AwsCrtError, RuntimeError) as error:  # the SDK raises either
        raise unusable(files, error) from None


def _make(
    broker: Broker, client_id: str, session_expiry: int, callbacks: SdkCallbacks
) -> mqtt5.Client:
    kept = session(session_expiry)
    return mqtt5.Client(
        mqtt5.ClientOptions(
            host_name=broker.host,
            port=broker.port,
            tls_ctx=_tls(broker),
            connect_options=mqtt5.ConnectPacket(
                client_id=client_id,
                keep_alive_interval_sec=KEEP_ALIVE,
                username=broker.username,
                password=password(broker),
                session_expiry_interval_sec=session_expiry or None,
            ),
            session_behavior=kept.get("session_behavior"),
            # What was not acknowledged must not be published again by the SDK.
            offline_queue_behavior=mqtt5.ClientOperationQueueBehaviorType.FAIL_ALL_ON_DISCONNECT,
            # The SDK would add figures of its own to the user name, which Mosquitto then refuses.
            disable_metrics=True,
            extended_validation_and_flow_control_options=(
                mqtt5.ExtendedValidationAndFlowControlOptions.NONE
            ),
            socket_options=socket_options(_CONNECT_TIMEOUT),
            connack_timeout_ms=_CONNECT_TIMEOUT,
            ping_timeout_ms=PING_TIMEOUT * 1000,
            ack_timeout_sec=_ACK_TIMEOUT,
            min_reconnect_delay_ms=MIN_RECONNECT,
            max_reconnect_delay_ms=_MAX_RECONNECT,
            on_publish_callback_fn=callbacks["on_publish_received"],
            on_lifecycle_event_stopped_fn=callbacks["on_lifecycle_stopped"],
            on_lifecycle_event_connection_success_fn=callbacks["on_lifecycle_connection_success"],
            on_lifecycle_event_connection_failure_fn=callbacks["on_lifecycle_connection_failure"],
            on_lifecycle_event_disconnection_fn=callbacks["on_lifecycle_disconnection"],
        )
    )


def _tls(broker: Broker) -> io.ClientTlsContext | None:
    if not broker.secure:
        return None
    if broker.certificate and broker.private_key:
        options = io.TlsContextOptions.create_client_with_mtls_from_path(
            str(broker.certificate), str(broker.private_key)
        )
    else:
        options = io.TlsContextOptions()
    if broker.ca:
        options.override_default_trust_store_from_path(None, str(broker.ca))
    options.cipher_pref = tls_versions()
    return io.ClientTlsContext(options)
