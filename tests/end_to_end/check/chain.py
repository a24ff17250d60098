"""The links that ``lora-bridge check`` looks at, by name."""

FILES = ["configuration", "key", "certificate"]
NETWORK = ["clock", "name", "TCP", "TLS"]
CLOUD = [
    *("certificate in AWS", "MQTT", "publish", "requests", "rule", "table", "role", "event rule"),
]
HOPS = [
    *("subscribe", "uplink to bridge", "uplink to broker", "uplink to table", "uplink removed"),
    *("downlink to AWS", "downlink to bridge", "downlink removed"),
]
