"""The list of devices in AWS, which is written seldom."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from contract.device_list import KIND_KEY, LAST_SEEN, SEEN_EVERY, kind_of
from contract.names import PARTITION_KEY, SORT_KEY
from contract.rows import Row
from contract.times import format_time, parse_time
from decoder.calls import of_aws, unless_refused
from decoder.heard import Heard

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class Devices:
    """The list of the devices that have sent anything, with about when they did last.

    A device is looked up before it is written, which costs a tenth: other instances of the
    function have their own memory of what is written.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Callable[[], int]) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._heard = Heard()
        self._lock = Lock()

    def list_device(self, row: Row) -> None:
        """Note that the device of an uplink has been heard, unless that was noted lately.

        A clock that was ahead when the uplink came must not hide that the device is silent later.

        Raises:
            AwsError: AWS does not do it now.

        """
        device = str(row[PARTITION_KEY])
        time = min(parse_time(str(row[SORT_KEY])) or 0, self._clock())
        with self._lock:
            known = self._heard.last(device)
        if _is_lately(time, known):
            return
        key: dict[str, AttributeValueTypeDef] = {
            KIND_KEY: {"S": kind_of(device)},
            PARTITION_KEY: {"S": device},
        }
        known = self._noted(key)
        if not _is_lately(time, known):
            self._note(key, time)
            known = time
        with self._lock:
            self._heard.note(device, known or 0)

    def _noted(self, key: "dict[str, AttributeValueTypeDef]") -> int | None:
        with of_aws():
            answer = self._client.get_item(TableName=self._table, Key=key)
        return parse_time(answer.get("Item", {}).get(LAST_SEEN, {}).get("S", ""))

    def _note(self, key: "dict[str, AttributeValueTypeDef]", time: int) -> None:
        unless_refused(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=f"SET {LAST_SEEN} = :time",
                ConditionExpression=f"attribute_not_exists({LAST_SEEN}) OR {LAST_SEEN} < :time",
                ExpressionAttributeValues={":time": {"S": format_time(time)}},
            )
        )


def _is_lately(time: int, known: int | None) -> bool:
    return known is not None and time - known < SEEN_EVERY
