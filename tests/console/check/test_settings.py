"""What is on file and what is deployed are compared key by key."""

import pytest

from console.check.settings import differences
from contract.names import IdentityKind
from contract.settings import declare, stated_by_identity, stated_by_store

_STORE = stated_by_store(declare({}, ""), "1a2b")
_SENDER = stated_by_identity(IdentityKind.CONSUMER, "valves", ["CSR"], [], sends_to=[])
_BRIDGE = stated_by_identity(IdentityKind.BRIDGE, "host-1", ["CSR"], ["a1", "a2"])


def test_equal_settings() -> None:
    """Nothing differs, whatever the order of CSRs and applications."""
    again = stated_by_identity(IdentityKind.BRIDGE, "host-1", ["CSR"], ["a2", "a1"])
    assert not list(differences(_STORE | _BRIDGE, _STORE | again))


@pytest.mark.parametrize(
    ("on_file", "deployed", "said"),
    [
        ({"retention_days": 30}, {}, "retention_days: 30 on file, nothing deployed"),
        ({"environment": "development"}, {}, 'environment: "development" on file, "production" de'),
        ({}, {"iot_logging": "WARN"}, 'iot_logging: nothing on file, "WARN" deployed'),
        ({"codecs": "3c"}, {}, 'codecs: "3c" on file, "1a2b" deployed'),
        (_BRIDGE, {}, 'applications.host-1: ["a1", "a2"] on file, nothing deployed'),
        (_SENDER, {}, "senders.valves: [] on file, nothing deployed"),
        ({}, {"consumers.reader": ["1"]}, 'consumers.reader: nothing on file, ["1"] deployed'),
    ],
)
def test_a_difference(on_file: dict[str, object], deployed: dict[str, object], said: str) -> None:
    """The key is named with both values."""
    found = list(differences(_STORE | on_file, _STORE | deployed))
    assert any(each.startswith(said) for each in found)


def test_a_store_of_an_earlier_version() -> None:
    """A key that it did not know yet has what holds where nothing is said."""
    earlier = {key: value for key, value in _STORE.items() if key != "quiet_minutes"}
    assert not list(differences(_STORE, earlier))
    (found,) = differences(_STORE | {"quiet_minutes": 30}, earlier)
    assert found == "quiet_minutes: 30 on file, 60 deployed"
