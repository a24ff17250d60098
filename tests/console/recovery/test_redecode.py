"""Which uplinks are handed to the decoder again, how many at once, and how fast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

import pytest

from console.recovery.redecode import decode_again
from contract.redecoding import Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

_FAST = 1e9  # readings a second


@dataclass
class Decoder:
    """Takes the place of the deployed function, whose codec has a ``version``."""

    version: str | None = "a.js@1"
    outcome: Outcome = Outcome.DECODED
    calls: "list[list[Item]]" = field(default_factory=list)

    def __call__(self, uplinks: "Sequence[Item]") -> list[tuple[Outcome, str | None]]:
        """Say the same of all."""
        self.calls.append([*uplinks])
        return [(self.outcome, self.version)] * len(uplinks)


def uplink(device: str, number: int, by: str | None = None, port: int = 1) -> "Item":
    """Return an uplink as it is handed over, with a reading if it was decoded ``by`` something."""
    item: Item = {
        "device": {"S": device},
        "timestamp": {"S": f"{number:06}"},
        f"port{port}_bytes": {"L": []},
    }
    return item | ({"decoded": {"M": {}}, "decoded_by": {"S": by}} if by else {})


def outcomes(items: "list[Item]", decoder: Decoder) -> list[Outcome]:
    """Decode all of it again."""
    return [outcome for _, outcome in decode_again(items, decoder, _FAST, Event())]


def test_uplinks_are_handed_over_by_the_hundred() -> None:
    """Those of several devices go together, in their order."""
    items = [uplink(f"a/{number // 60}", number) for number in range(250)]
    decoder = Decoder()
    assert outcomes(items, decoder) == [Outcome.DECODED] * 250
    assert [len(call) for call in decoder.calls] == [100, 100, 50]
    assert [each for call in decoder.calls for each in call] == items


def test_large_uplinks_go_in_smaller_calls() -> None:
    """A call stays below what Lambda takes."""
    large: list[Item] = [
        {**uplink("a/1", number), "decoded": {"M": {"text": {"S": "x" * 390_000}}}}
        for number in range(20)
    ]
    decoder = Decoder()
    outcomes(large, decoder)
    assert len(decoder.calls) > 1
    assert all(len(call) * 390_000 < 4_000_000 for call in decoder.calls)


def test_what_has_a_reading_of_the_codec_is_passed_over() -> None:
    """Once a port's version is known, a repetition hands over only what was not decoded by it."""
    done = [uplink("a/1", number, by="a.js@1") for number in range(500)]
    older = [uplink("a/1", number, by="a.js@0") for number in range(500, 550)]
    fresh = [uplink("a/1", number) for number in range(550, 600)]
    decoder = Decoder()
    found = outcomes([*done, *older, *fresh], decoder)
    assert decoder.calls[1:] == [[*older, *fresh]]
    assert found[100:] == [Outcome.UNCHANGED] * 400 + [Outcome.DECODED] * 100


def test_another_port_and_device_are_looked_at() -> None:
    """What is current for one is not for another."""
    first = [uplink("a/1", number, by="a.js@1") for number in range(100)]
    others = [uplink("a/1", 100, by="a.js@1", port=2), uplink("a/2", 101, by="a.js@1")]
    decoder = Decoder()
    outcomes([*first, *others], decoder)
    assert decoder.calls[1] == others


class Waits(Event):
    """Notes for how many seconds somebody would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        """Note it, and do not wait."""
        self.seconds = max(self.seconds, timeout or 0.0)
        return False


@pytest.mark.parametrize(("outcome", "least"), [(Outcome.DECODED, 190), (Outcome.UNCHANGED, 0)])
def test_only_what_is_written_is_paced(outcome: Outcome, least: int) -> None:
    """Before its third hundred, it is two hundred readings behind a rate of one a second."""
    waits = Waits()
    items = [uplink("a/1", number) for number in range(300)]
    list(decode_again(items, Decoder(outcome=outcome), 1, waits))
    assert least <= waits.seconds <= least + 10


def test_it_ends_after_the_call_at_hand() -> None:
    """What was asked for has its outcome; nothing more is asked."""
    ended = Event()

    def items() -> Iterator["Item"]:
        for number in range(1000):
            yield uplink("a/1", number)

    decoder = Decoder()
    seen = 0
    for _ in decode_again(items(), decoder, _FAST, ended):
        seen += 1
        ended.set()
    assert seen == 100
    assert len(decoder.calls) == 1
