"""Names are safe wherever they are used, and no identity covers another's client IDs."""

from fnmatch import fnmatchcase

import pytest

from contract.names import (
    check_identity_name,
    client_id,
    command_client_id,
    ingest_topic,
    without_ingest,
)


@pytest.mark.parametrize("name", ["a", "network-host-1", "9", "x" * 64])
def test_good_names(name: str) -> None:
    """Letters, digits and hyphens, up to 64, make a name."""
    assert check_identity_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a.2", "a/b", "a b", "a_b", "a*", "é", "x" * 65, "a\n"])
def test_bad_names(name: str) -> None:
    """Anything that a path, an ARN or a stack name would read otherwise is refused."""
    with pytest.raises(ValueError, match="must be 1 to 64 letters, digits or '-'"):
        check_identity_name(name)


def test_client_ids() -> None:
    """The first connection has the bare name, the others count from 2."""
    assert [client_id("host", number) for number in (1, 2, 10)] == ["host", "host.2", "host.10"]


def test_a_command_connects_beside_the_numbered_ones() -> None:
    """Its client ID is one that the identity's policy allows, and that no number makes."""
    found = command_client_id("host", "follow-0a1b2c3d")
    assert fnmatchcase(found, "host.*")
    assert found not in {client_id("host", number) for number in range(1, 100)}


def test_no_name_can_look_like_a_numbered_one() -> None:
    """What a policy allows by ``NAME.*`` contains no other identity's name."""
    for other in ("host-1", "host2", "hostess"):
        assert not fnmatchcase(check_identity_name(other), "host.*")


@pytest.mark.parametrize("topic", ["lora/a/d", "lora/$aws/rules"])
def test_a_topic_with_and_without_basic_ingest(topic: str) -> None:
    """What is put before a topic is three levels, and no more is taken off."""
    assert ingest_topic("Rule_1", topic) == f"$aws/rules/Rule_1/{topic}"
    assert without_ingest(ingest_topic("Rule_1", topic)) == topic
    assert without_ingest(topic) == topic
