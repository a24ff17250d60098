"""What an operator decides about a deployment: ``lora.toml``, or the CDK's context, checked."""

import difflib
import hashlib
from collections.abc import Collection, Mapping
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec.structs import fields, replace

from contract.deployment import NAME_PATTERN
from contract.errors import BridgeError
from contract.eui import is_eui, one_case
from contract.names import IdentityKind, check_identity_name
from contract.silence import intervals_digest

SETTINGS_FILE = "lora.toml"

_UNSTATED = {
    *("deployment", "decoder_libraries", "bridges", "consumers"),
    *("applications", "basic_ingest", "senders"),
}
"""What the store does not state: its name tells the first, the second is a folder of whoever
deploys, and identities are stacks of their own."""


class Environment(StrEnum):
    """Whether the data must outlive its stack."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


class LogLevel(StrEnum):
    """What AWS IoT logs."""

    ERROR = "ERROR"
    WARN = "WARN"
    INFO = "INFO"
    DEBUG = "DEBUG"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((each for each in cls if each == str(value).upper()), None)


def _words(text: str) -> msgspec.Meta:
    """Return what a mistake is told it should be: it goes with the type of every key."""
    return msgspec.Meta(description=text)


_Files = str | Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
# No pattern: in two such tables it makes msgspec 0.22 crash when Python ends (its issue 717).
_Euis = dict[str, str | tuple[str, ...]]
_Deployment = Annotated[str, msgspec.Meta(pattern=rf"^({NAME_PATTERN})?\Z")]
_Days = Annotated[int, msgspec.Meta(ge=1)]
_Topic = Annotated[
    str, msgspec.Meta(pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+\Z")
]
_Key = Annotated[
    str, msgspec.Meta(pattern=r"^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+\Z")
]
# CloudWatch looks back a day at most, and at five minutes at a time here.
_Minutes = Annotated[int, msgspec.Meta(ge=5, le=1440)]
# Lambda waits no longer for a batch (MaximumBatchingWindowInSeconds).
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=300)]
_Identities = Annotated[dict[str, _Files], _words('a table, such as network-host-1 = "a.csr"')]


class Declared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings as they are written, each with what holds where nothing is.

    ``retention_days`` None keeps rows for ever; ``iot_logging`` None leaves AWS IoT's log alone.
    """

    deployment: Annotated[_Deployment, _words("1 to 16 small letters or digits")] = ""
    environment: Annotated[Environment, _words(" or ".join(Environment))] = Environment.PRODUCTION
    protected: Annotated[bool, _words("true or false")] = False
    retention_days: Annotated[_Days | None, _words("a whole number of days")] = None
    codecs: Annotated[str, _words("a folder")] = "codecs"
    decoder_libraries: Annotated[str, _words("a folder")] = "build/decoder"
    decode_within: Annotated[_Seconds, _words("0 to 300 seconds")] = 1
    publish_decoded: Annotated[bool, _words("true or false")] = False
    alarm_topic: Annotated[_Topic | None, _words("the ARN of an SNS topic")] = None
    quiet_minutes: Annotated[_Minutes, _words("5 to 1440 minutes")] = 60
    silent_devices: Annotated[bool, _words("true or false")] = False
    intervals: Annotated[str | None, _words("a file")] = None
    iot_logging: Annotated[LogLevel | None, _words(" or ".join(LogLevel))] = None
    kms_key: Annotated[_Key | None, _words("the ARN of a KMS key, which ends in key/ID")] = None
    bridges: _Identities = {}
    consumers: _Identities = {}
    applications: Annotated[
        _Euis,
        _words('a table of bridges and their AppEUIs, such as network-host-1 = ["37817737f13"]'),
    ] = {}
    senders: Annotated[
        _Euis,
        _words('a table of consumers and AppEUIs, such as valves = ["37817737f13"]'),
    ] = {}

    basic_ingest: Annotated[
        tuple[str, ...], _words('a list of bridges, such as ["network-host-1"]')
    ] = ()

    def below(self, folder: Path) -> Self:
        """Return the same with whole paths, which were relative to ``folder``."""
        return replace(
            self,
            codecs=str(folder / self.codecs),
            decoder_libraries=str(folder / self.decoder_libraries),
            intervals=None if self.intervals is None else str(folder / self.intervals),
            bridges={name: _below(folder, files) for name, files in self.bridges.items()},
            consumers={name: _below(folder, files) for name, files in self.consumers.items()},
        )

    def csr_files(self, name: str) -> tuple[Path, ...]:
        """Return the CSR files of an identity: one, or two while its certificate changes."""
        return tuple(map(Path, _several((self.bridges | self.consumers)[name])))

    def euis(self, bridge: str) -> tuple[str, ...]:
        """Return the applications that a bridge is tied to, none if it may publish for all."""
        return tuple(map(one_case, _several(self.applications.get(bridge, ()))))

    def euis_to_send(self, consumer: str) -> tuple[str, ...] | None:
        """Return whose devices a consumer may ask for downlinks to, None for nobody's.

        None at all are all applications.
        """
        if consumer not in self.senders:
            return None
        return tuple(map(one_case, self.senders[consumer]))


KEYS = tuple(each.name for each in fields(Declared))
_WORDS = {each.name: each.type.__metadata__[-1].description for each in fields(Declared)}


def load(path: Path) -> Declared:
    """Read a file of settings; paths in it are relative to it, and whole in what is returned.

    Raises:
        BridgeError: naming the file, the key, and what it should be.

    """
    try:
        values = msgspec.toml.decode(path.read_bytes(), type=dict[str, object])
    except OSError as error:
        raise BridgeError(f"{path}: cannot read the settings: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BridgeError(f"{path}: {error}") from None
    return declare(values, f"{path}: ").below(path.absolute().parent)


def declare(values: Mapping[str, object], where: str, *, strict: bool = True) -> Declared:
    """Check settings; without ``strict``, texts may stand for numbers and for true or false.

    Raises:
        BridgeError: beginning with ``where``, naming the key, and what it should be.

    """
    for key, value in values.items():
        require_known(key, where, KEYS)
        try:
            alone = msgspec.convert({key: value}, Declared, strict=strict)
        except msgspec.ValidationError:
            raise BridgeError(f"{where}{key}: {value!r} is not {_WORDS[key]}") from None
        euis = chain(*map(_several, [*alone.applications.values(), *alone.senders.values()]))
        if not all(map(is_eui, euis)):
            raise BridgeError(f"{where}{key}: {value!r} is not {_WORDS[key]}")
        for name in {**alone.bridges, **alone.consumers}:
            try:
                check_identity_name(name)
            except ValueError as error:
                raise BridgeError(f"{where}{key}: {error}") from None
    return msgspec.convert(values, Declared, strict=strict)


def require_known(key: str, where: str, known: Collection[str]) -> None:
    """Refuse a key that is none.

    Raises:
        BridgeError: beginning with ``where``, naming the key, and the most similar one.

    """
    if key not in known:
        near = difflib.get_close_matches(key, known, 1)
        meant = f": did you mean {near[0]}?" if near else f": the settings are {', '.join(known)}"
        raise BridgeError(f"{where}{key} is no setting{meant}")


def stated_by_store(declared: Declared, codecs: str) -> dict[str, object]:
    """Return what the store says it was deployed with, for which ``codecs`` is what is in them.

    Raises:
        BridgeError: the file of intervals cannot be read.

    """
    values = msgspec.to_builtins(declared)
    said = None if declared.intervals is None else intervals_digest(Path(declared.intervals))
    digests = {"codecs": codecs, "intervals": said}
    return {key: values[key] for key in KEYS if key not in _UNSTATED} | digests


def stated_by_identity(
    kind: IdentityKind,
    name: str,
    csrs: Collection[str],
    applications: Collection[str],
    *,
    basic_ingest: bool = False,
    sends_to: Collection[str] | None = None,
) -> dict[str, object]:
    """Return what an identity says it was deployed with; ``csrs`` are PEM texts."""
    stated: dict[str, object] = {f"{kind}s.{name}": sorted(map(csr_digest, csrs))}
    if applications:
        stated[f"applications.{name}"] = sorted(applications)
    if basic_ingest:
        stated[f"basic_ingest.{name}"] = True
    if sends_to is not None:
        stated[f"senders.{name}"] = sorted(sends_to)
    return stated


def csr_digest(csr: str) -> str:
    """Return what tells a CSR (PEM) from others."""
    return hashlib.sha256(csr.encode()).hexdigest()[:8]


def _several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _below(folder: Path, files: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(folder / each) for each in _several(files))
