"""What the function does in AWS: calls that may be repeated, and made on several threads."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING

import msgspec
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from contract.device_list import KIND_KEY, LAST_SEEN, SEEN_EVERY, kind_of
from contract.names import (
    DECODE_ERROR,
    DECODED,
    OF_THE_DECODER,
    PARTITION_KEY,
    SORT_KEY,
    decoded_topic,
)
from contract.rows import Row
from contract.times import format_time, parse_time
from decoder.batch import AwsError
from decoder.heard import Heard
from decoder.readings import Reading

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_iot_data import IoTDataPlaneClient

_log = logging.getLogger(__name__)

_REMEMBERED = 50_000  # uplinks published
_CONDITION = "ConditionalCheckFailedException"
_OF_THE_REQUEST = {
    *("ValidationException", "SerializationException"),  # DynamoDB
    *("InvalidRequestException", "RequestEntityTooLargeException"),  # AWS IoT
}
"""Errors that are about what was asked for, and would come each time."""


class Rows:
    """The uplinks' table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._serializer = TypeSerializer()

    def store(self, row: Row, reading: Reading) -> bool:
        """Add the reading to its row, unless that is gone or has one; say whether it was added.

        Raises:
            AwsError: AWS does not do it now.

        """
        return self._update(row, reading, (DECODED, DECODE_ERROR), ())

    def replace(self, row: Row, reading: Reading) -> bool:
        """Put the reading in the place of what the row has; say whether the row is still there.

        Raises:
            AwsError: AWS does not do it now.

        """
        removed = [name for name in OF_THE_DECODER if name not in reading.attributes]
        return self._update(row, reading, (), removed)

    def _update(
        self, row: Row, reading: Reading, absent: Sequence[str], removed: Sequence[str]
    ) -> bool:
        """Write the reading and remove attributes, if the row is there without those ``absent``."""
        written = reading.attributes
        sets = ", ".join(f"#{name} = :{name}" for name in written)
        removes = f" REMOVE {', '.join(f'#{name}' for name in removed)}" if removed else ""
        without = [f"attribute_not_exists(#{name})" for name in absent]
        names = {PARTITION_KEY, *written, *absent, *removed}
        return _unless_refused(
            lambda: self._client.update_item(
                TableName=self._table,
                Key={name: {"S": str(row[name])} for name in (PARTITION_KEY, SORT_KEY)},
                UpdateExpression=f"SET {sets}{removes}",
                ConditionExpression=" AND ".join([f"attribute_exists(#{PARTITION_KEY})", *without]),
                ExpressionAttributeNames={f"#{name}": name for name in names},
                ExpressionAttributeValues={
                    f":{name}": self._serializer.serialize(value) for name, value in written.items()
                },
            )
        )


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
        with _of_aws():
            answer = self._client.get_item(TableName=self._table, Key=key)
        return parse_time(answer.get("Item", {}).get(LAST_SEEN, {}).get("S", ""))

    def _note(self, key: "dict[str, AttributeValueTypeDef]", time: int) -> None:
        _unless_refused(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=f"SET {LAST_SEEN} = :time",
                ConditionExpression=f"attribute_not_exists({LAST_SEEN}) OR {LAST_SEEN} < :time",
                ExpressionAttributeValues={":time": {"S": format_time(time)}},
            )
        )


class Live:
    """The topics of decoded uplinks."""

    def __init__(self, client: "IoTDataPlaneClient") -> None:
        self._client = client
        # By digest: a batch that comes again would repeat it.
        self._published: dict[bytes, None] = {}
        self._lock = Lock()

    def publish(self, row: Row, reading: Reading) -> None:
        """Publish a new reading to those who listen now.

        Raises:
            AwsError: AWS does not do it now.

        """
        if reading.new is None:
            return
        fields = {
            SORT_KEY: row[SORT_KEY],
            "seqno": row.get("seqno"),
            "port": reading.new.port,
            DECODED: reading.new.decoded.data,
            "warnings": reading.new.decoded.warnings,
        }
        present = {name: value for name, value in fields.items() if value not in (None, ())}
        topic, payload = decoded_topic(str(row[PARTITION_KEY])), msgspec.json.encode(present)
        digest = blake2b(topic.encode() + payload, digest_size=16).digest()
        with self._lock:
            if digest in self._published:
                return
        try:
            with _of_aws():
                self._client.publish(topic=topic, qos=1, payload=payload)
        except ClientError as error:  # too large, for example: the row can have it nevertheless
            _log.warning("not published: %s: %s", topic, error)
        with self._lock:
            self._remember(digest)

    def _remember(self, digest: bytes) -> None:
        self._published[digest] = None
        if len(self._published) > _REMEMBERED:
            del self._published[next(iter(self._published))]


def _is_lately(time: int, known: int | None) -> bool:
    return known is not None and time - known < SEEN_EVERY


def _unless_refused(write: Callable[[], object]) -> bool:
    """Write, and say whether the condition held."""
    try:
        with _of_aws():
            write()
    except ClientError as error:
        if _code(error) != _CONDITION:
            raise
        return False
    return True


@contextmanager
def _of_aws() -> Iterator[None]:
    """Tell what AWS does not do now from what it would never do."""
    try:
        yield
    except ParamValidationError:
        raise
    except BotoCoreError as error:
        raise AwsError(str(error)) from error
    except ClientError as error:
        if _code(error) in {_CONDITION, *_OF_THE_REQUEST}:
            raise
        raise AwsError(str(error)) from error


def _code(error: ClientError) -> str | None:
    return error.response.get("Error", {}).get("Code")
