"""How long the bridge waits for what. Tests have less time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """All in seconds."""

    ack: int = 30
    """Whole seconds for AWS IoT to acknowledge a publish."""
    first_pause: float = 1.0
    """After a publish that was throttled; doubled each time."""
    probe_every: float = 10.0
    """Between two tries of refused messages."""
    look_for_retries: float = 1.0
    """Between two looks for rejected frames that are to be read again."""
    write_rejected: float = 0.25
    """A rejected frame waits so long for others to be written with it."""
    drain: float = 10.0
    """At the end, to publish what waits."""
    disconnect: float = 5.0
    """At the end, to part from AWS IoT."""
    settle: float = 0.2
    """From the PUBACK of a request that bridges share to its writing to a network server."""
    ask_first: float = 15.0
    """After a downlink was submitted, until its network server is asked whether it still has it."""
    ask_again: float = 60.0
    """From one question about a downlink to the next."""
    ask_twice: float = 10.0
    """From the first answer that it is not there to the second: what became of it may be told."""
