"""Good frames are kept, bad ones counted and logged once a burst, and none stops the rest."""

import json
import logging
from functools import partial

import pytest

from bridge.clock import Clock
from bridge.counts import Counts
from bridge.messages.downlink import Answer
from bridge.messages.event import DeviceEvent, Notice
from bridge.messages.message import Message
from bridge.messages.rejection import BrokenFrame, FrameRejectedError, Reason
from bridge.messages.timestamper import Timestamper
from bridge.messages.uplink import Uplink
from bridge.sources.forwarder import Forwarder
from bridge.sources.semtech.frames import parse
from bridge.spool.rejected import Rejected
from contract.deployment import UNNAMED
from contract.downlinks import State
from contract.names import EventType
from contract.times import format_time, parse_time
from tests.bridge.sources.semtech.frames import LAYOUT_1, LAYOUT_2, RECEIVED, frame


class Setting:
    """A forwarder with a clock that the test sets, and what it kept."""

    def __init__(self) -> None:
        self.kept: list[Message] = []
        self.rejected: list[Rejected] = []
        self.answers: list[Answer] = []
        self.joins: list[str] = []
        self.counts = Counts()
        self.seconds = 0.0
        self.wall = parse_time("2015-10-15T12:00:00Z") or 0
        clock = Clock(wall=lambda: self.wall, monotonic=lambda: self.seconds)
        self.forwarder = Forwarder(
            lambda message, _placement, _receipt=None: self.kept.append(message),
            lambda frame, _receipt=None: self.rejected.append(frame),
            lambda answer, _receipt=None: self.answers.append(answer),
            Timestamper(),
            self.counts,
            clock,
            deployment=UNNAMED,
            joined=self.joins.append,
        )

    def accept(self, frame: bytes | BrokenFrame, origin: str = "127.0.0.1:6500") -> bool:
        """Hand over a frame as a listener without an application does."""
        return self.forwarder.accept(frame, origin, partial(parse, application=None))


@pytest.fixture
def setting(caplog: pytest.LogCaptureFixture) -> Setting:
    """Make a fresh forwarder, with its log kept."""
    caplog.set_level(logging.INFO)
    return Setting()


def test_an_uplink_is_kept_with_its_gateway_time(setting: Setting) -> None:
    """The article's example becomes the message that consumers expect."""
    setting.accept(LAYOUT_1)
    (message,) = setting.kept
    assert message.topic == "lora/37817737f13/9372163"
    assert message.payload.startswith(
        b'{"port1_bytes":[1,254],"timestamp":"2015-10-15T11:51:00.123456Z"'
    )


def test_bad_frames_do_not_stop_good_ones(setting: Setting) -> None:
    """Between bad frames, good ones get through; everything is counted."""
    for data in (b"junk", frame(), b'{"mote":{}}', BrokenFrame(Reason.OVERSIZED, b"x"), frame()):
        setting.accept(data)
    assert len(setting.kept) == 2
    assert setting.counts.summary() == (
        "received=5 accepted=2 noticed=0 ignored=1 rejected=2 downlinks=0 events=0 published=0"
        " refused=0"
        " (not JSON: 1, oversized: 1)"
    )


def test_a_burst_is_logged_once(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """The first of a burst is said, not shown; the next burst says what was left out."""
    for _ in range(1000):
        setting.accept(b"junk" * 100)
    said = "see 'lora-bridge rejected list'"
    assert caplog.messages == [f"frame rejected: not JSON: {said}"]
    setting.seconds = 61.0
    setting.accept(b"more")
    assert caplog.messages[1:] == [f"frame rejected: not JSON: {said} (and 999 more before)"]


def test_each_reason_has_its_own_bursts(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """A flood of one kind does not hide another kind."""
    for data in (b"junk", b"junk", frame(dir="dn"), frame(moteeui="+")):
        setting.accept(data)
    assert [message.split(":")[1] for message in caplog.messages] == [
        " not JSON",
        " dir is not up",
        " bad EUI",
    ]


def test_control_characters_do_not_reach_the_log(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    """An excerpt, at debug level, cannot forge a line of the log or speak to a terminal."""
    caplog.set_level(logging.DEBUG)
    setting.accept(b"\x1b[2J\nERROR all is lost")
    assert caplog.messages[1:] == [r"frame rejected: not JSON: b'\x1b[2J\nERROR all is lost'"]


def test_a_rejected_frame_is_handed_on_whole(setting: Setting) -> None:
    """With the time and the place that it came to, and the reason; of a long one the beginning."""
    setting.accept(LAYOUT_2, "127.0.0.1:1234")
    setting.accept(BrokenFrame(Reason.OVERSIZED, b"x"), "::1:6500")
    assert setting.rejected == [
        Rejected(setting.wall, "127.0.0.1:1234", "no application", whole=True, frame=LAYOUT_2),
        Rejected(setting.wall, "::1:6500", "oversized", whole=False, frame=b"x"),
    ]


def test_a_frame_read_again_has_the_time_of_its_receipt(setting: Setting) -> None:
    """Years later the gateway's time still counts, else the host's of then; nothing is counted."""
    setting.wall += 10**14
    kept: list[Message] = []

    def again(data: bytes, application: str | None) -> bool:
        return setting.forwarder.again(
            data,
            partial(parse, application=application),
            RECEIVED + 1_000_000,
            lambda made, _placement, _receipt=None: kept.append(made),
        )

    assert again(LAYOUT_1, None)
    assert again(LAYOUT_2, "a")
    assert b'"timestamp":"2015-10-15T11:51:00.123456Z"' in kept[0].payload
    assert b'"timestamp":"2015-10-15T11:51:01.123456Z"' in kept[1].payload
    assert not again(b'{"mote":{}}', "a")
    with pytest.raises(FrameRejectedError, match="no application"):
        again(LAYOUT_2, None)
    assert (len(kept), setting.kept) == (2, [])
    assert setting.counts.summary().startswith(
        "received=0 accepted=0 noticed=0 ignored=0 rejected=0"
    )


def test_an_implausible_gateway_time_is_said(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    """A host whose clock was set back an hour says so once a burst, and forwards nevertheless."""
    setting.wall -= 3_600_000_000
    setting.accept(LAYOUT_1)
    setting.accept(LAYOUT_1)
    assert len(setting.kept) == 2
    assert caplog.text.count("no gateway time of 37817737f13/9372163 is plausible") == 1
    assert "3060 s from this host's, which is used: check this host's clock" in caplog.text


JOIN = b'{"join":{"appeui":"37817737f13","moteeui":"9372163","devnonce":7}}'


def test_a_join_is_an_event_with_a_time_of_its_own(setting: Setting) -> None:
    """Two at once have two times: their rows must differ."""
    setting.accept(JOIN)
    setting.accept(JOIN)
    assert [each.topic for each in setting.kept] == ["lora/37817737f13/9372163/event/join"] * 2
    contents = [json.loads(each.payload) for each in setting.kept]
    assert contents[0] == {
        "type": "join",
        "timestamp": "2015-10-15T12:00:00.000000Z",
        "source": "semtech",
        "devnonce": 7,
    }
    assert contents[1]["timestamp"] == "2015-10-15T12:00:00.000001Z"
    assert (setting.counts.noticed, setting.counts.accepted) == (2, 0)


def test_a_server_cannot_give_an_event_another_type(setting: Setting) -> None:
    """What it says under the names that every event has counts for nothing."""
    setting.accept(
        b'{"join":{"appeui":"a1","moteeui":"d1","type":"down","source":"x","timestamp":0}}'
    )
    content = json.loads(setting.kept[0].payload)
    assert (content["type"], content["source"]) == ("join", "semtech")
    assert str(content["timestamp"]).startswith("2015")


def test_a_status_belongs_to_the_application_of_the_devices_uplinks(setting: Setting) -> None:
    """Without one it belongs to none, and is ignored."""
    status = b'{"mote":{"eui":"9372163","app":true}}'
    setting.accept(status)
    assert (setting.kept, setting.counts.ignored) == ([], 1)
    setting.accept(LAYOUT_1)
    setting.accept(status)
    assert setting.kept[-1].topic == "lora/37817737f13/9372163/event/status"


def test_what_became_of_a_downlink_is_passed_on(setting: Setting) -> None:
    """It is no event by itself: that comes with the downlink's new state."""
    setting.accept(b'{"mote":{"eui":"d1","msgsent":513,"ackrx":true}}')
    assert setting.answers == [
        Answer(State.SENT, "d1", "513"),
        Answer(State.ACKNOWLEDGED, "d1"),
    ]
    assert setting.kept == []
    assert setting.counts.noticed == 1


def test_a_join_is_passed_on(setting: Setting) -> None:
    """It may have cost the device its downlinks; also where its event is dropped."""
    setting.accept(b'{"mote":{"eui":"d1","app":true}}')
    for _ in range(30):
        setting.accept(JOIN)
    assert setting.joins == ["9372163"] * 30
    assert len(setting.kept) == 20


def test_a_flood_of_events_is_dropped_and_said_once(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    """The uplinks of the device go on."""
    for _ in range(1000):
        setting.accept(JOIN)
    setting.accept(LAYOUT_1)
    assert len(setting.kept) == 21
    assert setting.counts.events_dropped == 980
    assert caplog.text.count("are dropped") == 1


HOUR = 3_600_000_000


def uplink_at(time: int, identity: str = "e3fe492a") -> Uplink:
    """Return an uplink that its server has named, with the server's time."""
    return Uplink("a1", "d1", 1, b"\1", 5, None, (), (), time=time, identity=identity)


def join_at(time: int | None, number: int = 0, device: str = "d1") -> Notice:
    """Return a join that its server has named, with the server's time."""
    event = DeviceEvent("chirpstack", EventType.JOIN, "a1", device, {}, time, f"join {number}")
    return Notice((event,))


def take(setting: Setting, content: Uplink | Notice) -> None:
    """Hand over what a server's parser has made of a frame."""
    setting.forwarder.accept(b"", "127.0.0.1:1883", lambda _frame: content)


def timestamps(setting: Setting) -> list[str]:
    """Return the timestamps of what was kept."""
    return [json.loads(each.payload)["timestamp"] for each in setting.kept]


@pytest.mark.parametrize("hours", [-24 * 400, -24, -1, 0, 24])
def test_a_servers_time_is_used(setting: Setting, hours: int) -> None:
    """Days old, as what waited at a broker is, or ahead: it is the timestamp."""
    take(setting, uplink_at(setting.wall + hours * HOUR))
    assert timestamps(setting) == [format_time(setting.wall + hours * HOUR)]
    assert setting.counts.accepted == 1


@pytest.mark.parametrize(
    ("seconds", "said"), [(-86_400 * 400, False), (300, False), (301, True), (86_400, True)]
)
def test_a_servers_time_that_is_far_ahead_is_said(
    setting: Setting, caplog: pytest.LogCaptureFixture, seconds: int, *, said: bool
) -> None:
    """Once a burst: more than five minutes are no delay of the network's, one clock is wrong."""
    for number in range(3):
        take(setting, uplink_at(setting.wall + seconds * 1_000_000, str(number)))
    told = [each for each in caplog.messages if "check both clocks" in each]
    assert len(told) == said
    if said:
        assert f"of a1/d1 is {seconds} s ahead of this host's, and is used" in told[0]


def test_what_a_broker_delivers_again_has_one_timestamp(setting: Setting) -> None:
    """By its identity, a day later too; another at the same time has another."""
    time = setting.wall
    take(setting, uplink_at(time))
    take(setting, join_at(time))
    setting.wall += 24 * HOUR
    take(setting, uplink_at(time))
    take(setting, join_at(time))
    take(setting, uplink_at(time, "another"))
    take(setting, join_at(time, 1))
    assert timestamps(setting) == [format_time(time)] * 4 + [format_time(time + 1)] * 2


def test_events_are_paced_by_their_own_time(setting: Setting) -> None:
    """What happened in a day and waited at a broker comes all at once, and is told."""
    for number in range(500):
        take(setting, join_at(setting.wall - 24 * HOUR + number * 10_000_000, number))
    assert len(setting.kept) == 500
    assert setting.counts.events_dropped == 0


def test_a_flood_is_one_by_its_own_time_too(setting: Setting) -> None:
    """However slowly it comes."""
    for number in range(500):
        setting.seconds += 60.0
        take(setting, join_at(setting.wall, number))
    assert len(setting.kept) == 20
    assert setting.counts.events_dropped == 480


def test_events_of_many_devices_that_waited_are_told(setting: Setting) -> None:
    """The bound on all devices is for servers that have no broker before them."""
    for number in range(5000):
        take(setting, join_at(setting.wall, number, f"{number:x}"))
    assert len(setting.kept) == 5000


def test_a_servers_clock_that_goes_back_holds_no_event_up(setting: Setting) -> None:
    """After a time that was an hour ahead, events go on at the pace that they may."""
    take(setting, join_at(setting.wall + HOUR, -1))
    for number in range(50):
        take(setting, join_at(setting.wall + number * 10_000_000, number))
    assert len(setting.kept) == 51


def test_events_without_a_time_are_paced_by_the_hosts(setting: Setting) -> None:
    """A server that says none has the bound of those without a broker."""
    for number in range(100):
        take(setting, join_at(None, number))
    assert len(setting.kept) == 20
    assert set(timestamps(setting)) == {format_time(setting.wall + each) for each in range(20)}


def test_a_flood_of_devices_is_bounded_too(setting: Setting) -> None:
    """Whatever devices the frames name."""
    for number in range(5000):
        setting.accept(b'{"join":{"appeui":"a1","moteeui":"%x"}}' % number)
    assert len(setting.kept) == 1000
