"""What ChirpStack's and Mosquitto's own files need, so that no event is lost. Does no I/O."""

CHIRPSTACK_TOML = """\
[integration.mqtt]
# At 0, the default, events are lost whenever a connection is, and while the bridge is away.
qos = 1
# The bridge reads no protobuf.
json = true
# The broker keeps what is under way for a client that comes back by the same name. Without one,
# each start of ChirpStack has another. Two ChirpStacks need two names.
client_id = "chirpstack"
clean_session = false
# From ChirpStack 4.20 on; older ones pass it over. At "0s", the default, ChirpStack forgets the
# events that are under way when the broker restarts.
session_expiry_interval = "1h"
"""

MOSQUITTO_CONF = """\
# What waits is on disk, and so are the sessions of those that are away.
persistence true
# Debian's mosquitto.conf has the next one: Mosquitto takes it only once.
# persistence_location /var/lib/mosquitto/
# It saves after so many changes: an event comes, or leaves. By default it saves each half hour, and
# a crash costs what has come since. At 1 it costs next to nothing. But each time it writes all that
# waits: where 10000 events waited, it took 34 a second at 1, and 2000 at 100.
autosave_on_changes true
autosave_interval 100
# Events for a bridge that is away. At 1000, the default, newer ones are dropped and nobody is told.
max_queued_messages 100000
"""


def advice(table: str | None) -> str:
    """Return what to put where; ``table`` is what a bridge.toml that was kept may lack."""
    parts = [
        ("bridge.toml, if there is no such table; then restart the bridge", table),
        ("chirpstack.toml, in the table that is there; then restart ChirpStack", CHIRPSTACK_TOML),
        ("/etc/mosquitto/conf.d/lora-bridge.conf; then restart Mosquitto", MOSQUITTO_CONF),
    ]
    return "\n".join(f"Into {where}:\n\n{text}" for where, text in parts if text)
