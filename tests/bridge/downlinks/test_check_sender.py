"""The bridge answers by itself what is sent to its own device, and to no other."""

import asyncio
from pathlib import Path

import pytest

from bridge.downlinks.check_sender import CheckSender
from bridge.messages.downlink import Answer
from tests.bridge.downlinks.setting import Server, request, setting


async def test_it_is_accepted_submitted_and_sent(path: Path) -> None:
    """Each step is an event as that of any downlink, and no network server is given it."""
    server = Server()
    async with setting(path, server) as made:
        made.dispatcher.connect([CheckSender("host-1", made.dispatcher.answered), server])
        made.ask(request(), "lora/check/host-1/down")
        made.ask(request("b"), "lora/check/host-1/down")
        async with asyncio.timeout(10):
            while len(made.events()) < 6:
                await asyncio.sleep(0.01)
        for name in "ab":
            states = [state for request_id, state in made.events() if request_id == name]
            assert states == ["accepted", "submitted", "sent"]
    assert server.given == []


async def test_another_bridges_device(path: Path) -> None:
    """A test uplink of this bridge is no claim to the devices of others."""
    server = Server()
    async with setting(path, server) as made:
        made.dispatcher.connect([CheckSender("host-1", made.dispatcher.answered), server])
        made.dispatcher.claim(server.name, "check")
        made.ask(request(), "lora/check/host-2/down")
        assert made.acknowledged == 1
        assert made.events() == []


@pytest.mark.parametrize(
    ("client_id", "device"), [("host-1", "check/host-1"), ("AB-12", "check/ab-12")]
)
def test_its_device(client_id: str, device: str) -> None:
    """It is named as topics name devices."""
    sender = CheckSender(client_id, _ignore)
    assert sender.has(device)
    assert not sender.has("check/other")
    assert not sender.has(f"a1/{client_id}")


def test_names_that_are_taken() -> None:
    """What an earlier run has left open keeps its name."""
    assert CheckSender("host-1", _ignore).reference({"check-1", "check-2"}) == "check-3"


def _ignore(_answer: Answer) -> None:
    """Take an answer, and do nothing."""
