"""What the function does in AWS: three calls, each of which may be repeated."""

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from contract.deployment import Deployment
from contract.names import DECODE_ERROR, DECODED, DEVICE_KIND, KIND_KEY, PARTITION_KEY, SORT_KEY
from contract.rows import Row
from decoder.readings import Reading

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_iot_data import IoTDataPlaneClient

_REMEMBERED = 50_000  # devices known to be listed, and uplinks published


class Rows:
    """The uplinks' table."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def store(self, row: Row, reading: Reading) -> None:
        """Add the reading to its row, unless that is gone or has one.

        Raises:
            ClientError: AWS does not do it now.

        """
        names = {f"#{number}": name for number, name in enumerate(reading.attributes)}
        values = {f":{number}": value for number, value in enumerate(reading.attributes.values())}
        sets = ", ".join(f"#{number} = :{number}" for number in range(len(names)))
        try:
            self._table.update_item(
                Key={PARTITION_KEY: row[PARTITION_KEY], SORT_KEY: row[SORT_KEY]},
                UpdateExpression=f"SET {sets}",
                ConditionExpression="attribute_exists(#key)"
                " AND attribute_not_exists(#decoded) AND attribute_not_exists(#error)",
                ExpressionAttributeNames={
                    **names,
                    "#key": PARTITION_KEY,
                    "#decoded": DECODED,
                    "#error": DECODE_ERROR,
                },
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise


class Devices:
    """The table that lists the devices that have sent anything."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        # What raises is not remembered.
        self.list_device = lru_cache(_REMEMBERED)(self._put)

    def _put(self, device: str) -> None:
        self._table.put_item(Item={KIND_KEY: DEVICE_KIND, PARTITION_KEY: device})


class Live:
    """The topics of a deployment's decoded uplinks."""

    def __init__(self, client: "IoTDataPlaneClient", deployment: Deployment) -> None:
        self._client = client
        self._deployment = deployment
        # By digest: a batch that comes again, and the other of a pair of bridges, would repeat it.
        self._published: dict[bytes, None] = {}

    def publish(self, row: Row, reading: Reading) -> None:
        """Publish a reading to those who listen now."""
        if reading.decoded is not None:
            fields = {
                SORT_KEY: row[SORT_KEY],
                "seqno": row.get("seqno"),
                "port": reading.port,
                DECODED: reading.decoded.data,
                "warnings": reading.decoded.warnings,
            }
            present = {name: value for name, value in fields.items() if value not in (None, ())}
            topic = self._deployment.decoded_topic(str(row[PARTITION_KEY]))
            payload = msgspec.json.encode(present)
            digest = blake2b(topic.encode() + payload, digest_size=16).digest()
            if digest not in self._published:
                self._client.publish(topic=topic, qos=1, payload=payload)
                self._remember(digest)

    def _remember(self, digest: bytes) -> None:
        self._published[digest] = None
        if len(self._published) > _REMEMBERED:
            del self._published[next(iter(self._published))]
