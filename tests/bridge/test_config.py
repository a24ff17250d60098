"""The configuration is read exactly; every mistake in it is an error that names the key."""

from pathlib import Path

import pytest

from bridge.config import Kept, load
from contract.deployment import UNNAMED, Deployment
from contract.errors import BridgeError

GOOD = """
[aws]
endpoint = "example.iot.us-east-1.amazonaws.com"
client_id = "network-host-1"
certificate = "network-host-1.pem"
private_key = "/keys/network-host-1.key"
[spool]
path = "spool.db"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the configuration of a test is."""
    return tmp_path / "bridge.toml"


def test_defaults(path: Path) -> None:
    """What is left out has the documented default; the host is the loopback."""
    path.write_text(GOOD)
    config = load(path)
    (listen,) = config.listen
    assert (listen.host, listen.port, listen.application) == ("127.0.0.1", 6500, None)
    assert (config.aws.port, config.aws.root_ca) == (8883, None)
    assert (config.aws.connections, config.aws.respect_quotas) == (1, True)
    assert (config.aws.max_inflight, config.spool.max_bytes) == (100, 1_073_741_824)
    assert config.spool.max_rejected == 4_194_304


def test_paths_are_relative_to_the_file(path: Path) -> None:
    """A relative path is found beside the file, an absolute one where it says."""
    path.write_text(GOOD)
    config = load(path)
    assert config.aws.certificate == path.parent / "network-host-1.pem"
    assert config.aws.private_key == Path("/keys/network-host-1.key")
    assert config.spool.path == path.parent / "spool.db"


def test_a_deployment(path: Path) -> None:
    """It is the one without a name, unless the file names one."""
    path.write_text(GOOD)
    assert load(path).aws.deployment == UNNAMED
    path.write_text(GOOD.replace("[aws]", '[aws]\ndeployment = "staging"'))
    assert load(path).aws.deployment == Deployment("staging")


def test_several_listeners(path: Path) -> None:
    """A port for each application is allowed."""
    path.write_text(
        GOOD + '[[listen]]\nport = 6501\napplication = "a1"\n[[listen]]\nhost = "10.0.0.1"\n'
    )
    listens = load(path).listen
    assert [(each.host, each.port, each.application) for each in listens] == [
        ("127.0.0.1", 6501, "a1"),
        ("10.0.0.1", 6500, None),
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[spool]", "[spool]\nsize = 1", "unknown field `size` - at `spool`"),
        ("[spool]", "[extra]\n[spool]", "unknown field `extra`"),
        ('path = "spool.db"', "", "missing required field `path` - at `spool`"),
        ("[aws]", "[aws]\nport = '1'", "Expected `int`, got `str` - at `aws.port`"),
        ("[aws]", "[aws]\nport = 65536", "Expected `int` <= 65535 - at `aws.port`"),
        ("[aws]", "[aws]\nport = true", "Expected `int`, got `bool` - at `aws.port`"),
        ("[aws]", "[aws]\nconnections = 0", "Expected `int` >= 1 - at `aws.connections`"),
        ("[aws]", "[aws]\nrespect_quotas = 1", "Expected `bool`, got `int` - at `aws.respect_q"),
        ("[aws]", "[aws]\nmax_inflight = 70000", "<= 65535 - at `aws.max_inflight`"),
        ("[aws]", "[aws]\nbasic_ingest = 'a/b'", "at `aws.basic_ingest`"),
        ("[aws]", "[aws]\nroot_ca = 1", "Expected a path, got 1 - at `aws.root_ca`"),
        ('"network-host-1.pem"', '""', "Expected a path, got '' - at `aws.certificate`"),
        ('"network-host-1"', '""', "length >= 1 - at `aws.client_id`"),
        ("[aws]", "[aws]\ndeployment = 'a-b'", "at `aws.deployment`"),
        ("[aws]", "[aws]\ndeployment = 1", "Expected `str`, got `int` - at `aws.deployment`"),
        ("[aws]", "[[listen]]\nport = -1\n[aws]", ">= 0 - at `listen[0].port`"),
        ("[aws]", "[[listen]]\napplication = 'a/b'\n[aws]", "at `listen[0].application`"),
        ("[aws]", '[[listen]]\napplication = "a\\n"\n[aws]', "at `listen[0].application`"),
        ("[aws]", "[[listen]]\nhost = 'a b'\n[aws]", "at `listen[0].host`"),
        ("[aws]", "[chirpstack]\n[aws]", "Expected `array`, got `object` - at `chirpstack`"),
        ("[aws]", "[events]\nother = 1\n[aws]", "Expected `bool`, got `int` - at `events.other`"),
        ("example.iot", "https://example.iot", "at `aws.endpoint`"),
        ("[aws]", "[http]\nhost = 'http://a'\nport = 1\n[aws]", "at `http.host`"),
        ("[aws]", "[listen]\nport = 1\n[aws]", "Expected `array`, got `object` - at `listen`"),
        ("[aws]", "listen = []\n[aws]", "length >= 1 - at `listen`"),
        ('path = "spool.db"', "max_rejected = 67108865", "<= 67108864 - at `spool.max_rej"),
        ("[aws]", "[aws", "line 2"),
    ],
)
def test_a_mistake_is_named(path: Path, old: str, new: str, complaint: str) -> None:
    """An unknown, missing, ill-typed or impossible value is one line with file and key."""
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(BridgeError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert complaint in message
    assert "\n" not in message


def test_a_chirpstack_with_nothing_said(path: Path) -> None:
    """It is on this host, without TLS or a password, and has the topics of ChirpStack's file."""
    path.write_text(GOOD + "[[chirpstack]]\n")
    (server,) = load(path).chirpstack
    assert (server.address, server.secure, server.username) == ("127.0.0.1:1883", False, None)
    assert server.event_topic == (
        "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}"
    )
    assert server.command_topic == (
        "application/{{application_id}}/device/{{dev_eui}}/command/{{command}}"
    )
    assert (server.applications, server.application_tag, server.keep) == ({}, None, ())
    assert (server.session_expiry, server.api) == (7 * 86_400, None)


def test_all_of_a_chirpstack(path: Path) -> None:
    """Its files are relative to the configuration, too."""
    path.write_text(
        GOOD
        + """
        [[chirpstack]]
        host = "chirp.example"
        port = 8883
        username = "bridge"
        password_file = "password"
        ca = "ca.pem"
        certificate = "bridge.pem"
        private_key = "/keys/bridge.key"
        event_topic = "eu/{{ event }}"
        command_topic = "eu/{{ application_id}}/{{dev_eui }}/{{  command  }}"
        applications = { "4de338a8-d918-4a0d-a7b9-e2fd8b4de47b" = "70B3D57ED0000001" }
        application_tag = "app eui"
        keep = ["profile", "tags"]
        session_expiry = 60
        api = { server = "https://chirp.example:8080", token_file = "token" }
        [[chirpstack]]
        host = "::1"
        """
    )
    server, other = load(path).chirpstack
    assert (server.address, server.secure) == ("chirp.example:8883", True)
    assert (server.password_file, server.ca) == (path.parent / "password", path.parent / "ca.pem")
    assert server.certificate == path.parent / "bridge.pem"
    assert server.private_key == Path("/keys/bridge.key")
    assert server.applications == {"4de338a8-d918-4a0d-a7b9-e2fd8b4de47b": "70B3D57ED0000001"}
    assert (server.application_tag, server.session_expiry) == ("app eui", 60)
    assert server.keep == (Kept.PROFILE, Kept.TAGS)
    assert server.api is not None
    assert (server.api.server, server.api.token_file) == (
        *("https://chirp.example:8080", path.parent / "token"),
    )
    assert other.host == "::1"


@pytest.mark.parametrize(("text", "ca"), [('ca = "ca.pem"', True), ("", False)])
def test_tls_comes_with_a_ca_or_a_certificate(path: Path, text: str, *, ca: bool) -> None:
    """Neither the port nor a password makes a connection secure."""
    plain = 'port = 8883\nusername = "u"\npassword_file = "p"\n'
    path.write_text(f"{GOOD}[[chirpstack]]\n{plain}{text}\n")
    assert load(path).chirpstack[0].secure is ca
    pair = 'certificate = "c.pem"\nprivate_key = "c.key"\n'
    path.write_text(f"{GOOD}[[chirpstack]]\n{pair}{text}\n")
    assert load(path).chirpstack[0].secure


@pytest.mark.parametrize(
    ("text", "listeners", "servers"),
    [
        ("", 1, 0),
        ("[[chirpstack]]\n", 0, 1),
        ("[[chirpstack]]\n[[listen]]\n", 1, 1),
        ("[[listen]]\n", 1, 0),
    ],
)
def test_it_listens_unless_another_server_is_named(
    path: Path, text: str, listeners: int, servers: int
) -> None:
    """Whoever has ChirpStack alone has no port open for Semtech's."""
    path.write_text(GOOD + text)
    config = load(path)
    assert (len(config.listen), len(config.chirpstack)) == (listeners, servers)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("qos = 1", "unknown field `qos` - at `chirpstack[0]`"),
        ('password = "p"', "unknown field `password` - at `chirpstack[0]`"),
        ('host = "tcp://127.0.0.1"', "at `chirpstack[0].host`"),
        ('host = "127.0.0.1/"', "at `chirpstack[0].host`"),
        ('host = ""', "at `chirpstack[0].host`"),
        ("port = 0", ">= 1 - at `chirpstack[0].port`"),
        ('port = "1883"', "Expected `int`, got `str` - at `chirpstack[0].port`"),
        ('username = ""', "length >= 1 - at `chirpstack[0].username`"),
        (r'username = "a\u0000"', "at `chirpstack[0].username`"),
        ('password_file = "p"', "password_file needs username - at `chirpstack[0]`"),
        ('ca = ""', "Expected a path, got '' - at `chirpstack[0].ca`"),
        ('certificate = "c"', "certificate and private_key need each other - at `chirpstack[0]`"),
        ('private_key = "c"', "certificate and private_key need each other - at `chirpstack[0]`"),
        ('event_topic = "a/#"', "at `chirpstack[0].event_topic`"),
        ('event_topic = ""', "at `chirpstack[0].event_topic`"),
        (
            'event_topic = "a/{{dev_eui}}"',
            "{{event}} is missing in a/{{dev_eui}} - at `chirpstack[0]`",
        ),
        (
            'command_topic = "{{dev_eui}}/{{command}}"',
            "{{application_id}} is missing in {{dev_eui}}/{{command}} - at `chirpstack[0]`",
        ),
        ('command_topic = "{{application_id}}/{{command}}"', "{{dev_eui}} is missing in"),
        ('command_topic = "{{application_id}}/{{dev_eui}}"', "{{command}} is missing in"),
        ('command_topic = "+/{{command}}"', "at `chirpstack[0].command_topic`"),
        ('applications = { a = "x/y" }', "at `chirpstack[0].applications[...]`"),
        ("applications = { a = 7 }", "got `int` - at `chirpstack[0].applications[...]`"),
        ('application_tag = ""', "length >= 1 - at `chirpstack[0].application_tag`"),
        ('keep = ["tag"]', "Invalid enum value 'tag' - at `chirpstack[0].keep[0]`"),
        ('keep = "tags"', "Expected `array`, got `str` - at `chirpstack[0].keep`"),
        ("session_expiry = 59", ">= 60 - at `chirpstack[0].session_expiry`"),
        ("session_expiry = 31536001", "<= 31536000 - at `chirpstack[0].session_expiry`"),
        (
            'api = { server = "a:1" }',
            "missing required field `token_file` - at `chirpstack[0].api`",
        ),
        ('api = { server = "a", token_file = "t" }', "at `chirpstack[0].api.server`"),
        ('api = { server = "ftp://a:1", token_file = "t" }', "at `chirpstack[0].api.server`"),
    ],
)
def test_a_mistake_about_chirpstack_is_named(path: Path, line: str, complaint: str) -> None:
    """It is one line with file and key as well."""
    path.write_text(f"{GOOD}[[chirpstack]]\n{line}\n")
    with pytest.raises(BridgeError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert complaint in message
    assert "\n" not in message


def test_no_file(path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(BridgeError, match=r"bridge\.toml: cannot read the configuration: No such"):
        load(path)


def test_not_text(path: Path) -> None:
    """A file that is not UTF-8 is one line too."""
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BridgeError, match=r"bridge\.toml: 'utf-8' codec"):
        load(path)
