"""A message is suspected when connections end at it, and found guilty only alone."""

import pytest

from bridge.aws_iot.suspect import Suspect, Verdict
from bridge.messages.message import Message
from bridge.spool.waiting import Waiting

HANG_UP = "AWS_ERROR_MQTT_UNEXPECTED_HANGUP"


def message(number: int) -> Waiting:
    """Return a message."""
    return Waiting.of(number, Message("lora/a/d", b"{}"))


def verdicts(*ends: tuple[int | None, str]) -> list[Verdict]:
    """Return the verdict after each end: the first message without an answer, and the reason."""
    suspect = Suspect()
    return [suspect.ended(message(first) if first else None, reason) for first, reason in ends]


@pytest.mark.parametrize("reason", [HANG_UP, "AWS_IO_SOCKET_CLOSED", "MALFORMED_PACKET"])
def test_the_same_message_each_time(reason: str) -> None:
    """After three ends it is tried alone; if that ends the connection too, it is guilty."""
    assert verdicts(*[(7, reason)] * 5) == [
        *[Verdict.INNOCENT] * 2,
        Verdict.TRY_ALONE,
        Verdict.GUILTY,
        Verdict.INNOCENT,
    ]


def test_another_message_each_time() -> None:
    """A broker that hangs up wherever it is says nothing of a message."""
    ends = [(number, HANG_UP) for number in range(1, 20)]
    assert set(verdicts(*ends)) == {Verdict.INNOCENT}


@pytest.mark.parametrize(
    "reason",
    [
        "AWS_ERROR_MQTT_TIMEOUT",
        "AWS_ERROR_MQTT5_PING_RESPONSE_TIMEOUT",
        "SESSION_TAKEN_OVER",
        "SERVER_SHUTTING_DOWN",
    ],
)
def test_ends_for_other_reasons(reason: str) -> None:
    """A link that fails, or a broker that is restarted, says nothing of a message."""
    assert set(verdicts(*[(7, reason)] * 10)) == {Verdict.INNOCENT}


def test_an_end_in_between() -> None:
    """An end with nothing under way begins the count anew."""
    ends = [(7, HANG_UP), (7, HANG_UP), (None, HANG_UP), (7, HANG_UP)]
    assert set(verdicts(*ends)) == {Verdict.INNOCENT}
