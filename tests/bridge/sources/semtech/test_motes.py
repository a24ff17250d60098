"""What Semtech's server tells beside uplinks becomes events and answers; downlinks are written."""

import json

import pytest
from msgspec.structs import replace

from bridge.messages.downlink import Answer, Downlink
from bridge.messages.event import DeviceEvent, Notice
from bridge.messages.rejection import FrameRejectedError
from bridge.messages.uplink import JsonObject, Uplink
from bridge.sources.semtech.frames import parse
from bridge.sources.semtech.motes import MAX_TOKEN, frame
from bridge.sources.semtech.sending import SemtechSender
from contract.downlinks import Request, State
from contract.names import EventType


def told(application: str | None = None, **content: JsonObject) -> object:
    """Return what a frame of these root objects tells."""
    return parse(json.dumps(content).encode(), application)


def test_a_join() -> None:
    """It is an event of the device, with what the server says beside the EUIs."""
    joined = told(join={"appeui": "A1", "moteeui": "D1", "devnonce": 7})
    assert joined == Notice((DeviceEvent("semtech", EventType.JOIN, "a1", "d1", {"devnonce": 7}),))


def test_a_status() -> None:
    """It names the device alone: its application is the listener's, or to be found."""
    assert told(mote={"eui": "d1", "app": True}) == Notice(
        (DeviceEvent("semtech", EventType.STATUS, None, "d1", {"app": True}),)
    )
    assert told("A1", mote={"eui": "d1"}) == Notice(
        (DeviceEvent("semtech", EventType.STATUS, "a1", "d1", {}),)
    )


@pytest.mark.parametrize(
    ("mote", "answers"),
    [
        ({"msgsent": 513}, [Answer(State.SENT, "d1", "513")]),
        ({"msgsent": 513, "app": True}, [Answer(State.SENT, "d1", "513")]),
        ({"ackrx": True}, [Answer(State.ACKNOWLEDGED, "d1")]),
        ({"ackrx": 1}, [Answer(State.ACKNOWLEDGED, "d1")]),
        ({"ackrx": {}}, [Answer(State.ACKNOWLEDGED, "d1")]),
        ({"ackrx": False}, []),
        ({"ackrx": None}, []),
        ({"sentStatus": True}, [Answer(State.SENT, "d1")]),
        ({"sentStatus": False}, []),
        ({"msgsent": "x"}, []),
        ({"msgsent": True}, []),
        (
            {"msgsent": 7, "ackrx": True},
            [Answer(State.SENT, "d1", "7"), Answer(State.ACKNOWLEDGED, "d1")],
        ),
    ],
)
def test_what_became_of_a_downlink(mote: JsonObject, answers: list[Answer]) -> None:
    """A frame about a downlink is no status of the device."""
    assert told(mote={"eui": "D1", **mote}) == Notice(answers=tuple(answers))


def test_a_device_whose_eui_is_none_is_rejected() -> None:
    """Nothing could be told of it."""
    with pytest.raises(FrameRejectedError):
        told(mote={"eui": True, "msgsent": 1})
    with pytest.raises(FrameRejectedError):
        told(join={"moteeui": "a/b"})


def test_other_kinds_are_told_if_asked_for() -> None:
    """Whole, and only if they say of which device they are."""
    content: JsonObject = {"gpsfix": {"moteeui": "d1", "lat": 1.5}}
    frame = json.dumps(content).encode()
    assert parse(frame, None) is None
    assert parse(frame, None, others=True) == Notice(
        (DeviceEvent("semtech", EventType.OTHER, None, "d1", {"frame": content}),)
    )
    assert parse(b'{"gps":{"lat":1.5}}', None, others=True) is None


def _downlink(*, immediate: bool = False) -> Downlink:
    request = Request("x", 10, b"\x01\x0f", confirmed=True, immediate=immediate)
    made = Downlink.of(request, 1, "a1/d1", expires=9, now=1)
    return replace(made, reference="513")


def test_a_downlink_frame() -> None:
    """It has the token, the port and the bytes, and ends with a NUL."""
    written = frame(_downlink(), "d1")
    assert written.endswith(b"\0")
    assert json.loads(written[:-1]) == {
        "app": {
            "moteeui": "d1",
            "dir": "dn",
            "token": 513,
            "confirmed": True,
            "userdata": {"port": 10, "payload": "AQ8="},
        }
    }
    assert b'{"immeApp":' in frame(_downlink(immediate=True), "d1")


class Connection:
    """A connection that notes what is written."""

    def __init__(self, *applications: str, useful_at: float = 0, unsent: int = 0) -> None:
        self.applications = set(applications)
        self.useful_at = (True, useful_at)
        self.unsent = unsent
        self.written = b""

    def write(self, data: bytes) -> None:
        """Note it."""
        self.written += data


async def test_it_goes_to_a_connection_of_its_application() -> None:
    """To the one that was useful last, and to none that has not taken what was written before.

    It would be written there whenever that server reads again, however long it has expired.
    """
    stuck = Connection("a1", useful_at=9, unsent=1)
    older, newer, other = Connection("a1"), Connection("a1", useful_at=1), Connection("a2")
    connections = [stuck, older, newer, other]
    sender = SemtechSender(connections, ["a3"], last_token=0)
    assert sender.ready("a1")
    assert not sender.ready("a3")
    assert sender.has("a3/d1")
    assert await sender.hand_over(_downlink())
    assert [bool(each.written) for each in connections] == [False, False, True, False]
    connections.clear()
    assert not await sender.hand_over(_downlink())


async def test_the_device_is_named_as_its_server_writes_it() -> None:
    """A server that writes numbers or capitals gets them back."""
    connection = Connection("a1")
    sender = SemtechSender([connection], [], last_token=0)
    uplink = parse(
        b'{"app":{"appeui":"a1","moteeui":209,"dir":"up","userdata":{"port":1,"payload":""}}}', None
    )
    assert isinstance(uplink, Uplink)
    assert (uplink.device, uplink.spelling) == ("d1", 209)
    sender.note(uplink)
    await sender.hand_over(_downlink())
    assert b'"moteeui":209,' in connection.written


def test_tokens_wrap_around_past_those_that_are_open() -> None:
    """Users got the state of another downlink: no token that is open is given again.

    0 is none, and when all are open there is none.
    """
    sender = SemtechSender([], [], last_token=MAX_TOKEN - 1)
    assert [sender.reference({"1", "2"}) for _ in range(3)] == [str(MAX_TOKEN), "3", "4"]
    everyone = {str(number) for number in range(1, MAX_TOKEN + 1)}
    assert sender.reference(everyone - {"77"}) == "77"
    assert sender.reference(everyone) is None


def test_the_first_token_after_a_restart() -> None:
    """It goes on counting, modulo the tokens there are."""
    assert SemtechSender([], [], last_token=MAX_TOKEN + 5).reference(()) == "6"
