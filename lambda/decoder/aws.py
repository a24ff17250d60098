"""What the function does with a reading in AWS: it may be repeated, and done on several threads."""

import logging
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING

import msgspec
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from contract.deployment import Deployment
from contract.names import DECODE_ERROR, DECODED, OF_THE_DECODER, PARTITION_KEY, SORT_KEY
from contract.rows import Row
from decoder.calls import of_aws, unless_refused
from decoder.readings import Reading

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iot_data import IoTDataPlaneClient

_log = logging.getLogger(__name__)

_REMEMBERED = 50_000  # uplinks published


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
        return unless_refused(
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


class Live:
    """The topics of a deployment's decoded uplinks."""

    def __init__(self, client: "IoTDataPlaneClient", deployment: Deployment) -> None:
        self._client = client
        self._deployment = deployment
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
        topic = self._deployment.decoded_topic(str(row[PARTITION_KEY]))
        payload = msgspec.json.encode(present)
        digest = blake2b(topic.encode() + payload, digest_size=16).digest()
        with self._lock:
            if digest in self._published:
                return
        try:
            with of_aws():
                self._client.publish(topic=topic, qos=1, payload=payload)
        except ClientError as error:  # too large, for example: the row can have it nevertheless
            _log.warning("not published: %s: %s", topic, error)
        with self._lock:
            self._remember(digest)

    def _remember(self, digest: bytes) -> None:
        self._published[digest] = None
        if len(self._published) > _REMEMBERED:
            del self._published[next(iter(self._published))]
