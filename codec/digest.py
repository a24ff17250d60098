"""Tells the content of a folder of codecs from another, without running any."""

import hashlib
from pathlib import Path

import msgspec

from contract.errors import BridgeError

FILE = "codecs.toml"
"""Which codec is whose, in the folder of the codecs that it names."""


class _Entry(msgspec.Struct, frozen=True):
    file: str


class _File(msgspec.Struct, frozen=True):
    codec: tuple[_Entry, ...] = ()


def codecs_digest(folder: Path) -> str:
    """Return 16 hexadecimal digits of the mapping and the files that it names.

    Raises:
        BridgeError: the mapping cannot be read.

    """
    path = folder / FILE
    try:
        entries = msgspec.toml.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=_File)
        names = sorted({FILE, *(each.file for each in entries.codec)})
        parts = [(name, (folder / name).read_bytes()) for name in names if (folder / name).exists()]
    except OSError as error:
        raise BridgeError(f"{error.filename}: cannot read it: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise BridgeError(f"{path}: {error}") from None
    digest = hashlib.sha256()
    for name, content in parts:
        digest.update(b"%d %s %d " % (len(name), name.encode(), len(content)))
        digest.update(content)
    return digest.hexdigest()[:16]
