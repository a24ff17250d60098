"""The reading that the network server's own codec made, which goes along as text. Does no I/O.

Nobody has checked it: the verdict is the same as on what a codec of ours answers.
"""

from typing import cast

import msgspec

from codec.engine import Decoded
from codec.errors import Code, CodecError
from codec.storable import Json, require_storable


def read(text: str) -> Decoded | CodecError:
    """Return the reading in a text, or why it is none."""
    if not text:
        return CodecError(Code.BAD_RESULT, "too large to go along with the uplink")
    try:
        data = cast("Json", msgspec.json.decode(text))
        if not isinstance(data, dict):
            return CodecError(Code.BAD_RESULT, "it is no object")
        require_storable(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return CodecError(Code.BAD_RESULT, f"it cannot be read: {error}")
    except CodecError as error:
        return error
    return Decoded(data)
