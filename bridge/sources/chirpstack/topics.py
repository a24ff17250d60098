"""The topics of ChirpStack's MQTT integration, made of its templates. Does no I/O.

They have handlebars such as ``{{dev_eui}}`` (chirpstack.io, "Configuration", integration.mqtt).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SAID = {"application_id": r"[\w-]+", "dev_eui": r"[\w.:-]+?", "event": "[^/]+"}


@dataclass(frozen=True, slots=True)
class Place:
    """What the topic of an event says; None where the template leaves it out."""

    event: str
    application_id: str | None
    dev_eui: str | None


class EventTopic:
    """The topic of events: ``filter`` is what to subscribe to for all of them."""

    def __init__(self, template: str) -> None:
        levels = template.split("/")
        self.filter = "/".join("+" if _PLACEHOLDER.search(each) else each for each in levels)
        self._pattern = re.compile(_pattern(template))

    def place(self, topic: str) -> Place | None:
        """Return what a topic says, None if it is no event's."""
        found = self._pattern.fullmatch(topic)
        if found is None:
            return None
        said = found.groupdict()
        return Place(said["event"], said.get("application_id"), said.get("dev_eui"))


def command_topic(template: str, application_id: str, dev_eui: str, command: str) -> str:
    """Return the topic of a command to a device."""
    values = {"application_id": application_id, "dev_eui": dev_eui, "command": command}
    return _rendered(template, values)


def event_topic(template: str, application_id: str, dev_eui: str, event: str) -> str:
    """Return the topic of an event of a device."""
    values = {"application_id": application_id, "dev_eui": dev_eui, "event": event}
    return _rendered(template, values)


def _rendered(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its values; nothing stands for other names, as in ChirpStack."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), template)


def _pattern(template: str) -> str:
    """Return the pattern of topics; a name that comes a second time stands for the same."""
    *before, last = _PLACEHOLDER.split(template)
    pattern = ""
    groups = dict(_SAID)
    for text, name in zip(before[::2], before[1::2], strict=True):
        again = f"(?P={name})" if name in _SAID else ""
        group = f"(?P<{name}>{groups.pop(name)})" if name in groups else again
        pattern += re.escape(text) + group
    return pattern + re.escape(last)
