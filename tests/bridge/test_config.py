"""The configuration is read exactly; every mistake in it is an error that names the key."""

from pathlib import Path

import pytest

from bridge.config import load
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


def test_no_file(path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(BridgeError, match=r"bridge\.toml: cannot read the configuration: No such"):
        load(path)


def test_not_text(path: Path) -> None:
    """A file that is not UTF-8 is one line too."""
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BridgeError, match=r"bridge\.toml: 'utf-8' codec"):
        load(path)
