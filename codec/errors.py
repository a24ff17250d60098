"""Why a codec did not do what it was asked."""

from enum import StrEnum

_LONGEST = 1000  # characters of an error's message


class Code(StrEnum):
    """The kinds of reasons."""

    TIMEOUT = "timeout"
    MEMORY = "memory"
    EXCEPTION = "exception"  # the codec threw it, or is not JavaScript
    ERRORS = "errors"  # the codec's own answer
    NO_DECODER = "no_decoder"  # it has none of the known functions
    NO_ENCODER = "no_encoder"  # the same, for a downlink
    BAD_RESULT = "bad_result"  # no object, or one that cannot be kept or sent
    INTERNAL = "internal"  # the decoder's own fault, not the codec's


class CodecError(Exception):
    """An uplink that a codec did not decode, or a downlink that it did not encode."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code}: {message[:_LONGEST]}")
        self.code = code
        self.message = message[:_LONGEST]
