"""Prints uplinks as they come, each to one program of a group: docs/examples/consumer.py --help.

Start it several times, each time under a client ID of its own: reader, reader.2, reader.3.
Key and certificate are in this folder, where lora-bridge enroll has put the certificate.
"""

import argparse
from threading import Event

from awscrt import mqtt5
from awsiot import mqtt5_client_builder


def main() -> None:
    """Subscribe each time that it is connected, and print until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint", help="of AWS IoT")
    parser.add_argument("client_id", help="NAME or NAME.N of a consumer called NAME")
    parser.add_argument("group", help="any word that the programs of a group have in common")
    parser.add_argument("--port", type=int, default=8883)
    parser.add_argument("--root-ca", help="without it, the system's")
    given = parser.parse_args()
    name = given.client_id.partition(".")[0]
    wanted = mqtt5.Subscription(f"$share/{given.group}/lora/+/+", mqtt5.QoS.AT_LEAST_ONCE)
    client: mqtt5.Client = mqtt5_client_builder.mtls_from_path(
        endpoint=given.endpoint,
        port=given.port,
        ca_filepath=given.root_ca,
        client_id=given.client_id,
        cert_filepath=f"{name}.pem",
        pri_key_filepath=f"{name}.key",
        on_lifecycle_connection_success=lambda _: client.subscribe(mqtt5.SubscribePacket([wanted])),
        on_publish_received=lambda data: show(data.publish_packet),
    )
    client.start()
    Event().wait()


def show(uplink: mqtt5.PublishPacket) -> None:
    """Print a topic and a payload, which is JSON."""
    print(uplink.topic, uplink.payload.decode(), flush=True)


if __name__ == "__main__":
    main()
