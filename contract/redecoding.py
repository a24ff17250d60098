"""What ``lora-bridge redecode`` asks of the decoder, and what it is told."""

from enum import StrEnum
from typing import Final

REQUEST: Final = "redecode"
ANSWER: Final = "outcomes"
"""Keys of the event, a list of items as DynamoDB has them, and of the answer, a list as long.

The answer has an outcome for each item, and the version of the codec that decodes it, if any.
"""


class Outcome(StrEnum):
    """What became of an uplink that was to be decoded again."""

    DECODED = "decoded"
    ERROR = "error"  # it has a decode_error now
    UNCHANGED = "unchanged"  # the row has what the codec says
    NO_CODEC = "no codec"  # or no bytes; the row stays as it is
    GONE = "gone"
    LEFT = "left"  # AWS did not do it
