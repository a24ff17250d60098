"""Whether a reading can be stored in DynamoDB. Does no I/O.

The limits are those of DynamoDB ("Constraints in Amazon DynamoDB", "Data types"). They are checked
wherever a codec runs, so that a laptop says what AWS says.
"""

import math

from codec.errors import Code, CodecError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_DEEPEST = 31  # levels of lists and maps in an attribute; an item has 32 at most
_LEAST, _BEYOND = 1e-130, 1e126  # of the magnitude of a number that is not 0
_BEYOND_WHOLE = 10**38  # whole numbers have 38 digits; others have 17 at most


def require_storable(value: Json, levels: int = _DEEPEST) -> None:
    """Check a reading.

    Raises:
        CodecError: with code ``bad_result``, and what cannot be stored.

    """
    match value:
        case list() | dict() if levels == 0:
            raise CodecError(Code.BAD_RESULT, f"nested deeper than {_DEEPEST} levels")
        case bool() | str() | None:
            pass
        case int() | float():
            if value and not _is_storable(value):
                raise CodecError(Code.BAD_RESULT, f"the number {value!r} cannot be stored")
        case list():
            for each in value:
                require_storable(each, levels - 1)
        case dict():
            if "" in value:
                raise CodecError(Code.BAD_RESULT, "a field without a name")
            for each in value.values():
                require_storable(each, levels - 1)


def _is_storable(value: float) -> bool:
    if isinstance(value, int):
        return abs(value) < _BEYOND_WHOLE
    return math.isfinite(value) and _LEAST <= abs(value) < _BEYOND
