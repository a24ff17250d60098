"""The test uplink: how network servers write it, and how it is known again. Does no I/O."""

import base64

import msgspec

from bridge.config import ChirpStack
from bridge.sources.chirpstack.form import Kind
from bridge.sources.chirpstack.topics import event_topic
from contract.deployment import Deployment
from contract.names import CHECK_APPLICATION
from contract.rows import port_and_data, row_of
from contract.times import format_time

_PORT = 1


class MarkedUplink:
    """An uplink of the device ``check/CLIENT_ID``, whose payload, ``marker``, no other has."""

    def __init__(self, deployment: Deployment, client_id: str, marker: bytes) -> None:
        self._client_id = client_id
        self._marker = marker
        self.device = f"{CHECK_APPLICATION}/{client_id}"
        self.topic = deployment.uplink_topic(self.device)

    def frame(self) -> bytes:
        """Return the frame, with its NUL, as Semtech's network server would write it."""
        payload = base64.b64encode(self._marker).decode()
        app = {
            "appeui": CHECK_APPLICATION,
            "moteeui": self._client_id,
            "dir": "up",
            "userdata": {"seqno": 0, "port": _PORT, "payload": payload},
        }
        return msgspec.json.encode({"app": app}) + b"\0"

    def event(self, server: ChirpStack, now: int) -> tuple[str, bytes]:
        """Return topic and payload as ChirpStack would publish it; ``now`` as microseconds."""
        event = {
            "deduplicationId": self._marker.hex(),
            "time": format_time(now),
            "deviceInfo": {"applicationId": CHECK_APPLICATION, "devEui": self._client_id},
            "fPort": _PORT,
            "data": base64.b64encode(self._marker).decode(),
        }
        topic = event_topic(server.event_topic, CHECK_APPLICATION, self._client_id, Kind.UP)
        return topic, msgspec.json.encode(event)

    def is_in(self, payload: bytes) -> bool:
        """Say whether a message is this uplink."""
        try:
            message = msgspec.json.decode(payload, type=dict[str, object])
        except (msgspec.DecodeError, RecursionError):
            return False
        return port_and_data(row_of(message)) == (_PORT, self._marker)
