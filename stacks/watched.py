"""What alarms and the dashboard are about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Watched:
    """The names of the rule, the table of uplinks, the decoder, and the two queues."""

    rule: str
    uplinks: str
    decoder: str
    errors: str
    undecoded: str
