#!/bin/sh
# A bridge of standard tools: frames to lines, lines to messages at QoS 1. All that it can do is
# to publish the raw frames, downlinks and joins among them, to one fixed topic.
# It serves one network server at a time; nc says "Listening on" when it is ready for the next.
#
# pipeline.sh PORT BROKER_PORT FOLDER_OF_CERTIFICATES

while true; do
    # stdbuf: tr would hold back the last 4 kB. -s: keep-alives would be empty messages.
    nc.openbsd -v -d -l 127.0.0.1 "$1" | stdbuf -oL tr -s '\0' '\n' |
        mosquitto_pub -l -q 1 -t lora/frames -h localhost -p "$2" \
            --cafile "$3/ca.pem" --cert "$3/client.pem" --key "$3/client.key"
done
