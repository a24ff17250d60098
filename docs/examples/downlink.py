"""Sends a confirmed downlink and prints each of its states: docs/examples/downlink.py --help.

Key and certificate of the sender are in this folder, where lora-bridge enroll has put them.
"""

import argparse
import json
import sys
import uuid
from queue import SimpleQueue
from threading import Event

from awscrt import mqtt5
from awsiot import mqtt5_client_builder

ENDS = {"acknowledged", "not_acknowledged", "failed", "expired", "unknown"}


def main() -> None:
    """Subscribe before asking, so that no state is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint", help="of AWS IoT")
    parser.add_argument("name", help="of a consumer that may send, such as valves")
    parser.add_argument("device", help="APPEUI/MOTEEUI")
    parser.add_argument("--port", type=int, default=8883)
    parser.add_argument("--root-ca", help="without it, the system's")
    given = parser.parse_args()
    events: SimpleQueue[mqtt5.PublishPacket] = SimpleQueue()
    connected = Event()
    client: mqtt5.Client = mqtt5_client_builder.mtls_from_path(
        endpoint=given.endpoint,
        port=given.port,
        ca_filepath=given.root_ca,
        client_id=given.name,
        cert_filepath=f"{given.name}.pem",
        pri_key_filepath=f"{given.name}.key",
        on_lifecycle_connection_success=lambda _: connected.set(),
        on_publish_received=lambda data: events.put(data.publish_packet),
    )
    client.start()
    connected.wait()
    about = f"lora/{given.device}/event/downlink"
    wanted = mqtt5.Subscription(about, mqtt5.QoS.AT_LEAST_ONCE)
    client.subscribe(mqtt5.SubscribePacket([wanted])).result()
    request = {"id": str(uuid.uuid4()), "port10_bytes": [1, 15], "confirmed": True}
    asking = mqtt5.PublishPacket(
        topic=f"lora/{given.device}/down",
        payload=json.dumps(request).encode(),
        qos=mqtt5.QoS.AT_LEAST_ONCE,
    )
    client.publish(asking).result()
    while True:
        event = json.loads(events.get().payload)
        if event["id"] == request["id"]:
            print(event["timestamp"], event["state"], event.get("reason", ""), flush=True)
            if event["state"] in ENDS:
                sys.exit(0 if event["state"] == "acknowledged" else 1)


if __name__ == "__main__":
    main()
