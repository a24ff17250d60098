"""The way to AWS IoT's endpoint: the clock, the name, TCP and TLS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.check.chain import walk
from console.check.links import Links
from lab.rig.certificates import make_certificates
from lab.rig.mosquitto import Mosquitto, mosquitto
from lab.rig.servers import free_ports
from tests.end_to_end.checked import Checked, Configured, check

pytestmark = pytest.mark.aws


@pytest.mark.parametrize(
    ("skew", "words"), [(120, "1(19|20|21) s ahead of"), (-120, "1(19|20|21) s behind")]
)
def test_a_clock_that_is_off(config: Configured, skew: int, words: str) -> None:
    """A clock two minutes ahead of, or behind, that of AWS."""
    config.sign(timedelta(days=-1), timedelta(days=9))
    links = Links(config(), lambda: datetime.now(UTC) + timedelta(seconds=skew))
    findings = list(walk(links.all(round_trip=False), lambda: 0.0))
    Checked(findings, 1).breaks_at("clock", words, "set-ntp")


def test_a_name_that_is_none(config: Configured) -> None:
    """An endpoint that no name server knows."""
    changed = config({'"localhost"': '"nowhere.invalid"'})
    check(changed).breaks_at("name", "nowhere.invalid", "endpoint")


def test_a_port_that_is_closed(config: Configured) -> None:
    """A port at which nobody listens."""
    (port,) = free_ports(1)
    changed = config({config.endpoint_port: f"port = {port}"})
    check(changed).breaks_at("TCP", f"localhost:{port}: Connection refused", "firewall")


def test_a_wrong_ca(config: Configured) -> None:
    """A root_ca that has not signed the endpoint's certificate."""
    make_certificates(config.folder)
    changed = config({str(config.host.aws.mqtt_ca): "ca.pem"})
    check(changed).breaks_at("TLS", "unable to get local issuer|self.signed", "root_ca")


def test_no_ca(config: Configured) -> None:
    """A root_ca that is not there."""
    changed = config({str(config.host.aws.mqtt_ca): "none.pem"})
    check(changed).breaks_at("TLS", "none.pem: No such file", "root_ca")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Run a broker whose certificate is for ``localhost`` alone."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


def at(config: Configured, broker: Mosquitto, endpoint: str, port: int) -> Path:
    """Return a configuration for this broker."""
    return config(
        {
            '"localhost"': f'"{endpoint}"',
            config.endpoint_port: f"port = {port}",
            str(config.host.aws.mqtt_ca): str(broker.folder / "ca.pem"),
        }
    )


def test_a_wrong_host(config: Configured, broker: Mosquitto) -> None:
    """An endpoint under a name that its certificate does not have."""
    changed = at(config, broker, "127.0.0.1", broker.port)
    check(changed).breaks_at("TLS", "IP address mismatch", "the name in the certificate")


def test_no_tls(config: Configured, broker: Mosquitto) -> None:
    """A port that does not speak TLS."""
    changed = at(config, broker, "localhost", broker.plain_port)
    check(changed).breaks_at("TLS", "no TLS on localhost", "port")
