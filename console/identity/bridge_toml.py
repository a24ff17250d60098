"""The text of a new bridge.toml, in parts. Does no I/O."""

HEAD = "# Configuration of lora-bridge. Paths are relative to this file."

LISTEN = """\
[[listen]]                 # one for each port that a network server connects to
host = "127.0.0.1"
port = 6500
# application = "37817737f13"   # AppEUI, for a network server that leaves appeui out
# max_connections = 100
# max_frame = 65536        # bytes
"""
CHIRPSTACK = """\
[[chirpstack]]             # one for each ChirpStack v4: the broker of its MQTT integration
host = "127.0.0.1"
port = 1883
# username = "lora-bridge"
# password_file = "chirpstack.password"   # the password is its first line
# ca = "chirpstack-ca.pem" # with it, or with a certificate, there is TLS
# certificate = "chirpstack.pem"
# private_key = "chirpstack.key"
# session_expiry = 604800  # seconds that the broker keeps events while the bridge is away
# application_tag = "app_eui"   # the application of a device is this tag of it, or else
# applications = {"4de338a8-d918-4a0d-a7b9-e2fd8b4de47b" = "37817737f13"}   # this, or else the id
# keep = ["tags", "profile"]    # what of a device goes along with its uplinks
# The topics are as in ChirpStack's own configuration.
# event_topic = "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}"
# command_topic = "application/{{application_id}}/device/{{dev_eui}}/command/{{command}}"
# api = {server = "127.0.0.1:8080", token_file = "chirpstack.token"}   # shows its queue
"""
REST = """\
[aws]
endpoint = {endpoint}
port = {port}
client_id = {thing}
{deployment}certificate = {certificate}
private_key = {key}
{root_ca}
connections = 1            # numbered clients, devices spread over them
respect_quotas = true      # the pace AWS IoT allows; false only for brokers without quotas
max_inflight = 100         # unacknowledged publishes per connection
# max_backoff = 10         # seconds at most until a lost connection is tried again

[spool]
path = "spool.db"
max_bytes = 1073741824     # of messages to be published; at this limit the bridge stops reading
# max_refused = 268435456  # bytes of messages that AWS IoT refused
# max_rejected = 4194304   # bytes of rejected frames, for each reason

[downlinks]
# expires_after = 86400    # seconds, for requests that do not say it
# answers_within = 3600    # seconds after the expiry, to hear what became of a downlink
# session_expiry = 3600    # seconds that AWS IoT keeps requests while the bridge is away
# in_order = true          # a device's next downlink waits until the one before has left
# share = "pair"           # bridges with one name divide the requests among them

# [events]
# other = false            # true: frames of kinds that are not known are events, too

# [http]                   # health and metrics, on the loopback
# port = 6580
"""
SYSTEM_CA = '# root_ca = "root-ca.pem"    # otherwise the system\'s certificates are trusted'
