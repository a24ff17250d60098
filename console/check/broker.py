"""The links to the broker of a ChirpStack server: whether it lets the bridge in, and keeps."""

import re
import time
from functools import partial

from bridge.config import Broker, ChirpStack
from bridge.mqtt.broker import broker_client
from bridge.sources.chirpstack.events import DROPPED
from console.check import network
from console.check.chain import BrokenError, NotTriedError
from console.check.session import Remedies, Session
from contract.names import command_client_id

_VERSION = "$SYS/broker/version"
_PATIENCE = 2.0  # seconds for what Mosquitto tells of itself: it has retained it
_FORGETFUL = ((2, 0, 12), (2, 0, 18))
"""Versions of Mosquitto that may forget sessions (github.com/eclipse-mosquitto/mosquitto, 2618)."""
_REMEDIES = Remedies(
    unusable="mend it, or the key in the configuration that names it",
    silent="see that host and port in the configuration are the broker's, and what is between",
    refused="let username and password_file, or the certificate, be what the broker lets in; it"
    " must speak MQTT 5, and TLS where the configuration names ca or a certificate",
    publish="let the broker's ACL allow the bridge to write there; where it allows single"
    " applications, name one below applications in the configuration",
    subscribe="let the broker's ACL allow the bridge to read there",
)


def session(broker: Broker, bridge: str, expiry: int = 0) -> Session:
    """Return a session beside that of a bridge's client ID, which keeps it ``expiry`` seconds."""
    client_id = command_client_id(bridge, "check")
    make = partial(broker_client, broker, client_id, session_expiry=expiry)
    return Session(client_id, make, _REMEDIES)


def reach(server: ChirpStack, bridge: str) -> str:
    """Connect as the bridge does.

    Raises:
        BrokenError: there is no broker, or it does not let anybody in.

    """
    peer = network.broker(server)
    network.name(peer)
    network.tcp(peer)
    secured = f", {network.tls(peer)}" if server.secure else ""
    said, _kept = _join(server, bridge)
    return f"{said} to {server.address}{secured}"


def keeps_sessions(server: ChirpStack, bridge: str, after: Session) -> str:
    """Come back to the session of ``reach``, and see how long it is kept; ``after`` ends it.

    Raises:
        BrokenError: the broker has not kept it, or not for long enough.

    """
    _said, kept = _join(server, bridge)
    after.connect()  # it asks for none
    if kept is None:
        raise BrokenError("gone after a moment", "let the broker keep sessions, as MQTT 5 has it")
    if kept < server.session_expiry:
        raise BrokenError(
            f"kept for {kept} s, not for session_expiry = {server.session_expiry}",
            "let the broker keep sessions for longer, or set session_expiry to that",
        )
    return f"kept for {kept} s"


def tells(session: Session) -> str:
    """Return what Mosquitto tells of itself.

    Raises:
        NotTriedError: it tells nothing.

    """
    told = _told(session)
    if _VERSION not in told:
        raise NotTriedError(f"the broker tells nothing on {_VERSION}")
    dropped = told.get(DROPPED, "unknown")
    too_low = "" if dropped in {"0", "unknown"} else ", of any client: raise max_queued_messages"
    words = [
        told[_VERSION] + _of_version(told[_VERSION]),
        f"{dropped} messages dropped since it started{too_low}",
    ]
    return "; ".join(words)


def _join(server: ChirpStack, bridge: str) -> tuple[str, int | None]:
    """Connect, and part; return what was said, and for how long an earlier session is kept."""
    joining = session(server, bridge, server.session_expiry)
    try:
        said = joining.connect()
        granted = joining.granted
    finally:
        joining.close()
    return said, granted.expiry if granted.kept else None


def _told(session: Session) -> dict[str, str]:
    """Return what comes on the topics about the broker, or on those that one may read."""
    try:
        for topic in (_VERSION, DROPPED):
            session.subscribe(topic)
    except BrokenError as refused:
        raise NotTriedError(str(refused)) from None
    told: dict[str, str] = {}
    end = time.monotonic() + _PATIENCE
    while len(told) < 2 and (left := end - time.monotonic()) > 0:  # noqa: PLR2004  # topics
        delivery = session.received(left)
        if delivery is not None:
            told[delivery.topic] = delivery.payload.decode(errors="replace")
    return told


def _of_version(said: str) -> str:
    found = re.match(r"mosquitto version (\d+)\.(\d+)\.(\d+)", said)
    first, last = _FORGETFUL
    if found is None or not first <= tuple(map(int, found.groups())) <= last:
        return ""
    return ": with per_listener_settings true it forgets sessions: 2.0.19 does not"
