"""What the items of the list of devices say."""

from typing import TYPE_CHECKING

from silence.known import Device, Network, device_of, network_of

from contract.times import format_time
from tests.silence.world import HOUR, START

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

_NAME: "Item" = {"kind": {"S": "device#00"}, "device": {"S": "a/1"}}


def test_an_item_of_the_list() -> None:
    """What is not there is not known; a time that is none is long ago."""
    assert device_of(_NAME) == Device("a/1", 0)
    assert device_of(_NAME | {"last_seen": {"S": "yesterday"}}) == Device("a/1", 0)
    item: Item = {
        **_NAME,
        "last_seen": {"S": format_time(START)},
        "silent_since": {"S": format_time(START + 1)},
        "usual_interval": {"N": str(HOUR)},
    }
    assert device_of(item) == Device("a/1", START, START + 1, HOUR)


def test_the_item_of_the_network() -> None:
    """Without one it is well."""
    assert network_of({}) == Network()
    time: AttributeValueTypeDef = {"S": format_time(START)}
    assert network_of({"silent_since": time}) == Network(silent_since=START)
    assert network_of({"heard_again": time}) == Network(heard_again=START)
