"""Two deployments beside each other share no name; one without a name has the plain names."""

from fnmatch import fnmatchcase
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.deployment import NAME_PATTERN, UNNAMED, Deployment
from contract.names import check_identity_name, client_id, event_partition

_deployments = st.builds(Deployment, st.just("") | st.from_regex(NAME_PATTERN, fullmatch=True))
_identities = st.from_regex("[A-Za-z0-9][A-Za-z0-9-]{0,63}", fullmatch=True)
_levels = st.from_regex("[0-9A-Za-z_.:-]{1,64}", fullmatch=True)


def test_the_plain_names() -> None:
    """They are what they were before deployments had names, for those who have deployed."""
    assert UNNAMED.topic_root == "lora"
    assert UNNAMED.store_stack == "LoraStore"
    assert UNNAMED.logging_stack == "LoraIotLogging"
    assert UNNAMED.identity_stack("host-1") == "LoraIdentity-host-1"
    assert UNNAMED.thing("host-1") == "host-1"
    assert UNNAMED.uplink_topic("a/d") == "lora/a/d"
    assert UNNAMED.decoded_topic("a/d") == "lora/a/d/decoded"


def test_the_names_of_one_with_a_name() -> None:
    """Each of them says which deployment it is of."""
    staging = Deployment("staging")
    assert staging.topic_root == "lora-staging"
    assert staging.store_stack == "Lora-staging-Store"
    assert staging.logging_stack == "Lora-staging-IotLogging"
    assert staging.identity_stack("host-1") == "Lora-staging-Identity-host-1"
    assert staging.thing("host-1") == "staging_host-1"
    assert staging.uplink_topic("a/d") == "lora-staging/a/d"
    assert staging.decoded_topic("a/d") == "lora-staging/a/d/decoded"


@pytest.mark.parametrize("name", ["a", "staging2", "2", "x" * 16])
def test_good_names(name: str) -> None:
    """Small letters and digits, up to 16, make a name."""
    assert Deployment(name).name == name


@pytest.mark.parametrize("name", ["Staging", "a-b", "a_b", "a/b", "a.b", "é", " ", "a\n", "x" * 17])
def test_bad_names(name: str) -> None:
    """What could end in the middle of another's name, or differs by capitals alone, is refused."""
    with pytest.raises(ValueError, match="must be 1 to 16 small letters or digits"):
        Deployment(name)


@given(_deployments, _deployments, _identities, _identities)
def test_two_deployments_share_no_name(
    one: Deployment, other: Deployment, identity: str, second: str
) -> None:
    """Whatever their identities are called; and no policy covers the other's client IDs."""
    assume(one != other)

    def names(of: Deployment) -> set[str]:
        stacks = {of.store_stack, of.logging_stack}
        stacks |= {of.identity_stack(each) for each in (identity, second)}
        return stacks | {of.topic_root} | {of.thing(each) for each in (identity, second)}

    assert not names(one) & names(other)
    for number in (1, 2):
        theirs = client_id(other.thing(second), number)
        mine = one.thing(check_identity_name(identity))
        assert theirs != mine
        assert not fnmatchcase(theirs, f"{mine}.*")


@given(_deployments, _deployments, _levels, _levels)
def test_the_row_of_a_topic(one: Deployment, other: Deployment, app: str, level: str) -> None:
    """A deployment's uplinks and events have a row; requests, readings, and others' have none."""
    device = f"{app}/{level}"
    assert one.row_partition(one.uplink_topic(device)) == device
    assert one.row_partition(one.event_topic(device, "join")) == event_partition(device)
    assert one.row_partition(one.decoded_topic(device)) is None
    assert one.row_partition(one.request_topic(device)) is None
    if one != other:
        assert one.row_partition(other.uplink_topic(device)) is None
        assert one.row_partition(other.event_topic(device, "join")) is None


def test_any_two_of_many() -> None:
    """Names that begin alike are of different deployments all the same."""
    many = [Deployment(name) for name in ("", "a", "ab", "store", "identity", "lora")]
    for one, other in combinations(many, 2):
        assert not one.topic_root.startswith(f"{other.topic_root}/")
        assert one.store_stack not in {other.store_stack, other.identity_stack("a-Store")}
