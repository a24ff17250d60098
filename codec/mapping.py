"""Which codec is whose: ``codecs.toml``, in the folder of the codecs that it names."""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec

from codec.digest import FILE
from codec.engine import CAYENNE_LPP, Codec, check
from codec.errors import CodecError
from codec.source import read_source
from contract.errors import BridgeError
from contract.eui import EUI_PATTERN

_Eui = Annotated[str, msgspec.Meta(pattern=rf"^{EUI_PATTERN}\Z")]
_Port = Annotated[int, msgspec.Meta(ge=0, le=255)]
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*codec[ \t]*\]\]", re.MULTILINE)


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file. A key that it leaves out matches everything."""

    file: str
    application: _Eui | None = None
    device: _Eui | None = None
    device_prefix: _Eui | None = None
    ports: Annotated[tuple[_Port, ...], msgspec.Meta(min_length=1)] | None = None
    variables: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    codec: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Assigned:
    """A codec, and the variables it is given."""

    codec: Codec
    variables: dict[str, str]

    @property
    def version(self) -> str:
        """Return ``FILE@DIGEST``, which changes with the codec's source and its variables."""
        return _version(self.codec, tuple(sorted(self.variables.items())))


@dataclass(frozen=True, slots=True)
class Mapping:
    """The entries of the file, in its order."""

    entries: tuple[tuple[_Entry, Codec], ...] = ()

    @property
    def files(self) -> set[str]:
        """The files of the folder that the entries name."""
        return {entry.file for entry, codec in self.entries if codec is not CAYENNE_LPP}

    def find(self, application: str, device: str, port: int) -> Assigned | None:
        """Return what the first entry that fits assigns; None where none fits.

        EUIs are the same in capitals and small letters.
        """
        for entry, codec in self.entries:
            if _fits(entry, application, device, port):
                return Assigned(codec, entry.variables)
        return None


def load(folder: Path) -> Mapping:
    """Read the mapping of a folder, and check every codec that it names.

    Raises:
        BridgeError: naming the file, the line of the entry and what is wrong with it.

    """
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors mark it
        tables = msgspec.toml.decode(text, type=_File).codec
    except OSError as error:
        raise BridgeError(f"{path}: cannot read it: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BridgeError(f"{path}: {str(error).replace('`$.', '`')}") from None
    entries = []
    for table, place in zip(tables, _places(text, len(tables)), strict=True):
        try:
            entry = msgspec.convert(table, _Entry)
            entries.append((entry, _codec(folder, entry)))
        except (msgspec.ValidationError, OSError, ValueError) as error:
            raise BridgeError(f"{path}:{place}: {str(error).replace('`$.', '`')}") from None
    return Mapping(tuple(entries))


@lru_cache(1000)  # the same codec decodes every uplink of a device
def _version(codec: Codec, variables: tuple[tuple[str, str], ...]) -> str:
    digest = sha256(msgspec.json.encode((codec.source, variables))).hexdigest()
    return f"{codec.name}@{digest[:8]}"


def _places(text: str, count: int) -> list[str]:
    """Return the line of each entry's header, or its number where it is written another way."""
    headers = list(_HEADER.finditer(text))
    if len(headers) != count:
        return [f" codec {number}" for number in range(1, count + 1)]
    return [str(text.count("\n", 0, each.end()) + 1) for each in headers]


def _codec(folder: Path, entry: _Entry) -> Codec:
    if entry.device is not None and entry.device_prefix is not None:
        raise ValueError("both device and device_prefix: leave one out")
    if entry.file == CAYENNE_LPP.name:
        return CAYENNE_LPP
    if Path(entry.file).is_absolute() or ".." in Path(entry.file).parts:
        raise ValueError(f"{entry.file}: not in the folder of {FILE}, with which it is packed")
    try:
        codec = Codec(entry.file, read_source(folder / entry.file))
        check(codec)
    except CodecError as error:
        raise ValueError(f"{entry.file}: {error}") from None
    return codec


def _fits(entry: _Entry, application: str, device: str, port: int) -> bool:
    return (
        (entry.application or application).lower() == application.lower()
        and (entry.device or device).lower() == device.lower()
        and device.lower().startswith((entry.device_prefix or "").lower())
        and (entry.ports is None or port in entry.ports)
    )
