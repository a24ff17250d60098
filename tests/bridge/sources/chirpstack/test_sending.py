"""A downlink becomes a command to the right one of ChirpStack's applications, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from bridge.config import ChirpStack
from bridge.messages.downlink import Downlink
from bridge.sources.chirpstack.sending import ChirpStackSender, Published
from contract.downlinks import Request
from contract.times import parse_time

FIRST, SECOND = "4de338a8-d918-4a0d-a7b9-e2fd8b4de47b", "0f6ee7a5-0d2c-44d5-9b5b-67c2a3b1e001"
DEVICE, OTHER = "70b3d57ed0aa0012", "70b3d57ed0aa0013"
ITEM = "2f6c1a52-5a9c-4b93-8d1e-3f4f6a2e9b10"
EXPIRES = parse_time("2026-03-04T10:00:00Z") or 0


@dataclass
class Broker:
    """What publishes commands, as the test likes."""

    connected: bool = True
    answer: Published = Published.TAKEN
    published: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(self, topic: str, payload: bytes) -> Published:
        """Note a command."""
        self.published.append((topic, payload))
        return self.answer

    @property
    def application_ids(self) -> list[str]:
        """ChirpStack's applications that commands went to."""
        return [topic.split("/")[1] for topic, _ in self.published]


@dataclass
class Items:
    """A queue of one device."""

    device: str
    items: Sequence[str]

    async def has(self, dev_eui: str, item: str) -> bool | None:
        """Say so of the device alone."""
        return item in self.items if dev_eui == self.device else None

    async def stop(self) -> None:
        """Do nothing."""


class Setting:
    """A sender whose clock stands still, and what it claims."""

    def __init__(
        self,
        settings: ChirpStack | None = None,
        claims: Sequence[tuple[str, str]] = (),
        queue: Items | None = None,
    ) -> None:
        self.now = 0.0
        self.broker = Broker()
        self.claimed: list[tuple[str, str]] = []
        self.sender = ChirpStackSender(
            *(settings or ChirpStack(), self.broker, claims),
            lambda *pair: self.claimed.append(pair),
            new_id=lambda: ITEM,
            now=lambda: self.now,
            queue=queue,
        )


def downlink(
    device: str = f"a1/{DEVICE}", *, confirmed: bool = False, reference: str | None = ITEM
) -> Downlink:
    """Return a downlink that is about to be handed over."""
    request = Request("a", 10, b"\x01\x0f", confirmed=confirmed)
    made = Downlink.of(request, 1, device, expires=EXPIRES, now=0)
    return msgspec.structs.replace(made, reference=reference)


async def test_the_command() -> None:
    """It is what ChirpStack's integration reads, on the device's own topic."""
    made = Setting(claims=[("a1", FIRST)])
    assert await made.sender.hand_over(downlink(confirmed=True))
    assert made.broker.published == [
        (
            f"application/{FIRST}/device/{DEVICE}/command/down",
            f'{{"id":"{ITEM}","devEui":"{DEVICE}","confirmed":true,"fPort":10,"data":"AQ8=",'
            '"expiresAt":"2026-03-04T10:00:00.000000Z"}'.encode(),
        )
    ]


async def test_a_topic_of_ones_own() -> None:
    """Commands go where ChirpStack's configuration has them."""
    template = "eu868/{{ application_id }}/{{dev_eui}}/do/{{ command }}"
    made = Setting(ChirpStack(command_topic=template), claims=[("a1", FIRST)])
    assert await made.sender.hand_over(downlink())
    assert [topic for topic, _ in made.broker.published] == [f"eu868/{FIRST}/{DEVICE}/do/down"]


async def test_an_application_of_the_configuration() -> None:
    """It can have downlinks before the first event; in whatever case it is written."""
    made = Setting(ChirpStack(applications={FIRST: "A1"}))
    assert made.sender.has(f"a1/{DEVICE}")
    assert made.sender.ready("a1")
    assert await made.sender.hand_over(downlink())
    assert made.broker.application_ids == [FIRST]


def test_an_application_that_is_not_known() -> None:
    """Its devices are not this server's."""
    made = Setting(claims=[("a1", FIRST)])
    assert not made.sender.has(f"a2/{DEVICE}")
    assert not made.sender.ready("a2")


async def test_an_application_that_an_event_has_come_from() -> None:
    """From then on it is this server's, with all of its devices; that is claimed once."""
    made = Setting()
    assert not made.sender.has(f"a1/{DEVICE}")
    for device in (DEVICE, OTHER, DEVICE):
        made.sender.note("a1", device, FIRST)
    assert made.claimed == [("a1", FIRST)]
    assert made.sender.has("a1/never-heard")
    assert await made.sender.hand_over(downlink("a1/never-heard"))
    assert made.broker.application_ids == [FIRST]


def test_what_an_earlier_run_has_claimed() -> None:
    """It is known at once, and not claimed again; what is new beside it is."""
    made = Setting(claims=[("a1", FIRST)])
    assert made.sender.has(f"a1/{DEVICE}")
    assert made.sender.ready("a1")
    made.sender.note("a1", DEVICE, FIRST)
    assert made.claimed == []
    made.sender.note("a1", DEVICE, SECOND)
    assert made.claimed == [("a1", SECOND)]


async def test_several_applications_of_one_name(caplog: pytest.LogCaptureFixture) -> None:
    """A device's is the one that its last event came from; of another device nobody knows."""
    made = Setting(claims=[("a1", FIRST), ("a1", SECOND)])
    made.sender.note("a1", DEVICE, FIRST)
    made.sender.note("a1", OTHER, SECOND)
    for device in (DEVICE, OTHER):
        assert await made.sender.hand_over(downlink(f"a1/{device}"))
    made.sender.note("a1", DEVICE, SECOND)
    assert await made.sender.hand_over(downlink())
    assert made.broker.application_ids == [FIRST, SECOND, SECOND]
    assert not await made.sender.hand_over(downlink("a1/never-heard"))
    assert len(made.broker.published) == 3
    assert caplog.messages == [
        "it is not known in which of several applications a1/never-heard is: trying again"
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Published.NOBODY_LISTENS, "ChirpStack does not listen for downlinks to"),
        (Published.REFUSED, "the broker does not let downlinks to"),
    ],
)
async def test_what_was_in_vain(
    answer: Published, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It was not given; its application rests for 5 s, others do not, and it is said once."""
    made = Setting(claims=[("a1", FIRST), ("a2", SECOND)])
    made.broker.answer = answer
    assert not await made.sender.hand_over(downlink())
    made.now = 4.9
    assert not made.sender.ready("a1")
    assert made.sender.ready("a2")
    made.now = 5.0
    assert made.sender.ready("a1")
    assert not await made.sender.hand_over(downlink())
    (message,) = caplog.messages
    assert message.startswith(said)


async def test_without_a_connection() -> None:
    """Nothing can be given; what a lost connection prevented is tried again when there is one."""
    made = Setting(claims=[("a1", FIRST)])
    made.broker.connected = False
    assert not made.sender.ready("a1")
    made.broker.answer = Published.NOT_PUBLISHED
    assert not await made.sender.hand_over(downlink())
    made.broker.connected = True
    assert made.sender.ready("a1")


def test_the_reference() -> None:
    """It is a new UUID, which no open downlink has."""
    made = Setting()
    assert made.sender.reference(set()) == ITEM
    assert made.sender.reference({ITEM}) is None


async def test_whether_it_is_queued() -> None:
    """ChirpStack's queue of the device is asked by the reference; without an API nobody knows."""
    queued = Setting(queue=Items(DEVICE, [ITEM])).sender
    assert await queued.is_queued(downlink()) is True
    assert await queued.is_queued(downlink(f"a1/{OTHER}")) is None
    assert await queued.is_queued(downlink(reference=None)) is None
    assert await Setting(queue=Items(DEVICE, [])).sender.is_queued(downlink()) is False
    assert await Setting().sender.is_queued(downlink()) is None
