"""A batch of the stream, and what is done with each of its uplinks."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError, EndpointConnectionError
from decoder.aws import Live
from decoder.batch import AwsError, Change, Effects, Record, work_through
from decoder.readings import Reading

from codec.mapping import Mapping, load
from contract.deployment import UNNAMED
from contract.rows import Row, Value


@dataclass
class Done:
    """What was done, in order; ``failing`` are devices for which storing fails, with what."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    stored: list[dict[str, Value]] = field(default_factory=list)

    @property
    def effects(self) -> Effects:
        """Return effects that only take note."""
        return Effects(
            publish=lambda row, _reading: self.steps.append(("publish", str(row["device"]))),
            store=self._store,
            list_device=lambda row: self.steps.append(("list", str(row["device"]))),
        )

    def _store(self, row: Row, reading: Reading) -> None:
        error = self.failing.get(str(row["device"]))
        if error and (isinstance(error, AwsError) or "decoded" in reading.attributes):
            raise error
        self.steps.append(("store", str(row["device"])))
        self.stored.append(reading.attributes)


def work(records: Sequence[Record], codecs: Mapping, effects: Effects) -> list[str]:
    """Work through a batch, one device after the other."""
    with ThreadPoolExecutor(1) as thread:
        return work_through(records, codecs, effects, thread)


@pytest.fixture
def codecs(tmp_path: Path) -> Mapping:
    """Assign a codec to port 1."""
    (tmp_path / "a.js").write_text("function Decode(port, bytes) { return { n: bytes[0] }; }")
    (tmp_path / "codecs.toml").write_text('[[codec]]\nfile = "a.js"\nports = [1]\n')
    return load(tmp_path)


def record(number: int, **attributes: object) -> Record:
    """Return a record of the stream."""
    item = {"device": f"a/{number}", "timestamp": "2026-11-01T08:00:00.000000Z", **attributes}
    serializer = TypeSerializer()
    image = {name: serializer.serialize(value) for name, value in item.items()}
    change: Change = {"Keys": image, "NewImage": image, "SequenceNumber": str(number)}
    return {"dynamodb": change}


def test_each_uplink_is_listed_published_and_stored(codecs: Mapping) -> None:
    """What has no codec, or is decoded already, only shows that its device is alive."""
    batch = [
        record(1, port1_bytes=[1]),
        record(2, port2_bytes=[1]),
        record(3, port1_bytes=[1], decoded={}),
        record(4, port1_bytes="[1]"),
    ]
    done = Done()
    assert work(batch, codecs, done.effects) == []
    assert done.steps == [
        *(("publish", "a/1"), ("store", "a/1"), ("list", "a/1")),
        ("list", "a/2"),
        ("list", "a/3"),
        *(("publish", "a/4"), ("store", "a/4"), ("list", "a/4")),
    ]


def test_a_test_uplink_is_left_alone(codecs: Mapping) -> None:
    """What a check sends to its own row, and removes, is no device's."""
    test = record(1, device="check/network-host-1", port1_bytes=[1])
    done = Done()
    assert work([test], codecs, done.effects) == []
    assert done.steps == []


def test_a_failure_of_aws_stops_no_other(codecs: Mapping, caplog: pytest.LogCaptureFixture) -> None:
    """The records that AWS failed are named, to come again; all others are done."""
    done = Done(failing={"a/2": AwsError("throttled")})
    batch = [record(number, port1_bytes=[number]) for number in (1, 2, 3)]
    assert work(batch, codecs, done.effects) == ["2"]
    assert [device for step, device in done.steps if step == "store"] == ["a/1", "a/3"]
    assert "to be tried again: a/2 2026-11-01T08:00:00.000000Z: throttled" in caplog.text


def test_any_other_failure_is_an_error_of_its_uplink(codecs: Mapping) -> None:
    """What would fail each time holds up nobody: the row says what it was."""
    done = Done(failing={"a/2": ValueError("too large")})
    batch = [record(number, port1_bytes=[number]) for number in (1, 2, 3)]
    assert work(batch, codecs, done.effects) == []
    error = {"code": "internal", "message": "ValueError: too large"}
    assert [each.get("decode_error") for each in done.stored] == [None, error, None]


def test_a_record_that_cannot_be_read_is_an_error_alone(codecs: Mapping) -> None:
    """What one record holds, or lacks, is no matter of the others of its batch."""
    without_image = record(2)
    del without_image["dynamodb"]["NewImage"]  # type: ignore[misc]  # it may not be there
    unknown = record(3)
    unknown["dynamodb"]["NewImage"] = {"gwrx": {"X": "of a later DynamoDB"}}  # type: ignore[typeddict-unknown-key]
    batch = [record(1, port1_bytes=[1]), without_image, unknown, record(4, port1_bytes=[4])]
    done = Done()
    assert work(batch, codecs, done.effects) == []
    stored = [device for step, device in done.steps if step == "store"]
    assert sorted(stored) == ["a/1", "a/2", "a/3", "a/4"]
    assert sorted("decode_error" in each for each in done.stored) == [False, False, True, True]


def test_of_a_row_that_changed_twice_the_last_counts(codecs: Mapping) -> None:
    """The uplinks of both bridges of a pair, in one batch, are one reading."""
    first, second = record(1, port1_bytes=[1]), record(2, port1_bytes=[1])
    for change in (first["dynamodb"], second["dynamodb"]):
        change["Keys"] = record(1)["dynamodb"]["Keys"]
    second["dynamodb"]["OldImage"] = first["dynamodb"]["NewImage"]
    done = Done()
    assert work([first, second], codecs, done.effects) == []
    assert [step for step, _device in done.steps] == ["publish", "store", "list"]


def test_devices_are_worked_on_side_by_side(codecs: Mapping) -> None:
    """While one waits for AWS, the next is stored; the uplinks of one device keep their order."""
    together = Barrier(3, timeout=10)
    order: dict[str, list[str]] = {}

    def store(row: Row, _reading: Reading) -> None:
        together.wait()  # which lets nobody go on alone
        order.setdefault(str(row["device"]), []).append(str(row["timestamp"]))

    effects = Effects(lambda _row, _reading: None, store, lambda _row: None)
    times = [f"2026-11-01T08:00:0{number}.000000Z" for number in range(4)]
    batch = [
        record(10 * number + device, device=f"a/{device}", timestamp=time, port1_bytes=[1])
        for number, time in enumerate(times)
        for device in range(3)
    ]
    with ThreadPoolExecutor(3) as threads:
        assert work_through(batch, codecs, effects, threads) == []
    assert order == {f"a/{device}": times for device in range(3)}


def test_hostile_texts_do_not_stop_a_batch(codecs: Mapping) -> None:
    """Texts that whoever may publish has put in the place of lists are left as they are."""
    texts = (
        "[" * 600,
        "[" * 200_000,
        "[1e99999999]",
        "[9e999999999999999999]",
        "[" + "9" * 9999 + "]",
    )
    batch = [record(number, gwrx=text, port1_bytes=[1]) for number, text in enumerate(texts)]
    done = Done()
    assert work(batch, codecs, done.effects) == []
    assert sum(step == "store" for step, _device in done.steps) == len(texts)


@dataclass
class Publisher:
    """Takes the place of AWS IoT."""

    published: list[tuple[str, object]] = field(default_factory=list)
    failing: Exception | None = None

    def publish(self, *, topic: str, qos: int, payload: bytes) -> None:
        """Take a message, or fail."""
        assert qos == 1
        if self.failing:
            raise self.failing
        self.published.append((topic, json.loads(payload)))


def test_a_reading_is_published_once_an_instance(codecs: Mapping) -> None:
    """A record that comes again is published again only if that failed before."""
    publisher, done = Publisher(failing=EndpointConnectionError(endpoint_url="nowhere")), Done()
    live = Live(publisher, UNNAMED)  # type: ignore[arg-type]
    effects = Effects(
        list_device=done.effects.list_device, publish=live.publish, store=done.effects.store
    )
    batch = [record(1, port1_bytes=[5], seqno=7)]
    assert work(batch, codecs, effects) == ["1"]
    assert ("store", "a/1") not in done.steps
    publisher.failing = None
    for _ in range(3):
        assert work(batch, codecs, effects) == []
    timestamp = "2026-11-01T08:00:00.000000Z"
    message = {"timestamp": timestamp, "seqno": 7, "port": 1, "decoded": {"n": 5}}
    assert publisher.published == [("lora/a/1/decoded", message)]


def test_what_is_too_large_to_be_published_is_stored(
    codecs: Mapping, caplog: pytest.LogCaptureFixture
) -> None:
    """What AWS IoT would refuse each time costs the message, not the reading in the row."""
    refusal = ClientError({"Error": {"Code": "RequestEntityTooLargeException"}}, "Publish")
    publisher, done = Publisher(failing=refusal), Done()
    live = Live(publisher, UNNAMED)  # type: ignore[arg-type]
    effects = Effects(live.publish, done.effects.store, done.effects.list_device)
    assert work([record(1, port1_bytes=[5])], codecs, effects) == []
    assert [each.get("decoded") for each in done.stored] == [{"n": 5}]
    assert "not published: lora/a/1/decoded" in caplog.text
