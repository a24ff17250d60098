"""Topics are made and read by ChirpStack's own templates."""

import pytest

from bridge.config import ChirpStack
from bridge.sources.chirpstack.topics import EventTopic, Place, command_topic
from tests.bridge.sources.chirpstack.published import APPLICATION_ID, DEV_EUI, EVENTS, topic

DEFAULT = ChirpStack()


def test_the_default_is_chirpstacks_own() -> None:
    """All events of all devices are subscribed to, and each topic says whose event it is."""
    events = EventTopic(DEFAULT.event_topic)
    assert events.filter == "application/+/device/+/event/+"
    for each in EVENTS:
        place = events.place(each.topic)
        assert place is not None
        assert (place.event, place.application_id) == (each.kind, APPLICATION_ID)
        assert topic(place.event, APPLICATION_ID, place.dev_eui or "") == each.topic


@pytest.mark.parametrize(
    ("template", "topic_filter", "topic", "place"),
    [
        ("site/7/{{event}}", "site/7/+", "site/7/up", Place("up", None, None)),
        (
            "eu/app/{{ application_id }}/{{dev_eui }}/{{  event}}",
            "eu/app/+/+/+",
            "eu/app/a-1/d1/join",
            Place("join", "a-1", "d1"),
        ),
        (
            "x-{{application_id}}-{{dev_eui}}/on_{{event}}.json",
            "+/+",
            f"x-{APPLICATION_ID}-{DEV_EUI}/on_up.json",
            Place("up", APPLICATION_ID, DEV_EUI),
        ),
        ("a.b/{{event}}/{{dev_eui}}", "a.b/+/+", "a.b/up/d1", Place("up", None, "d1")),
        ("{{event}}/x/{{event}}", "+/x/+", "up/x/up", Place("up", None, None)),
        ("{{tenant_id}}/{{1st}}/{{event}}", "+/+/+", "//up", Place("up", None, None)),
        ("/{{event}}", "/+", "/up", Place("up", None, None)),
    ],
)
def test_templates_of_other_shapes(
    template: str, topic_filter: str, topic: str, place: Place
) -> None:
    """A prefix, parts of levels, spaces, names left out, repeated or unknown: all are read."""
    events = EventTopic(template)
    assert events.filter == topic_filter
    assert events.place(topic) == place


@pytest.mark.parametrize(
    "other",
    [
        "",
        topic() + "/more",
        "eu/" + topic(),
        topic("down").replace("event", "command"),
        topic(""),
        topic(dev_eui=""),
        topic(application_id=""),
        topic(application_id="a.b"),
        topic(dev_eui="a b"),
        topic().upper(),
    ],
)
def test_other_topics_are_nobodys(other: str) -> None:
    """A topic that the template cannot give is no event's."""
    assert EventTopic(DEFAULT.event_topic).place(other) is None


@pytest.mark.parametrize(
    ("template", "other"),
    [
        ("a.b/{{event}}", "aXb/up"),
        ("{{event}}/{{event}}", "up/join"),
        ("{{tenant_id}}/{{event}}", "farm/up"),
    ],
)
def test_a_template_means_what_it_says(template: str, other: str) -> None:
    """A dot is a dot, a name stands for one thing, and for nothing if ChirpStack has no such."""
    assert EventTopic(template).place(other) is None


def test_commands() -> None:
    """A command has its device's topic."""
    template = DEFAULT.command_topic
    assert command_topic(template, "a-1", "d1", "down") == "application/a-1/device/d1/command/down"


def test_a_template_of_commands_of_another_shape() -> None:
    """Spaces do not matter, and what ChirpStack has no value for is empty."""
    template = "eu/{{ application_id}}/{{tenant_id}}/{{dev_eui }}/x/{{ command }}"
    assert command_topic(template, "a-1", "d1", "down") == "eu/a-1//d1/x/down"
