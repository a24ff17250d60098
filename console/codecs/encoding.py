"""Makes the bytes of a downlink from JSON, with a codec's file."""

from pathlib import Path
from typing import cast

import msgspec

from codec.encoding import Command, Encoded, encode
from codec.engine import Codec
from codec.errors import CodecError
from codec.source import read_source
from codec.storable import Json
from contract.errors import BridgeError

_SHOWN = 60  # characters of what is none


def encode_json(path: Path, text: str, port: int | None, variables: dict[str, str]) -> Encoded:
    """Return the downlink that a codec makes of a JSON object.

    Raises:
        BridgeError: it is none, the codec cannot be read, or it did not encode it.

    """
    try:
        data = msgspec.json.decode(text, type=dict[str, object])
    except (ValueError, RecursionError) as error:
        raise BridgeError(f"{text[:_SHOWN]} is not a JSON object: {error}") from None
    try:
        codec = Codec(str(path), read_source(path))
        return encode(codec, Command(cast("dict[str, Json]", data), port, variables))
    except CodecError as error:
        raise BridgeError(f"{path}: {error}") from None
    except OSError as error:
        raise BridgeError(f"{path}: cannot read the codec: {error}") from None
