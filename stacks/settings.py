"""Reads the CDK context once into typed settings, with one clear line for each mistake."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import cast

import msgspec
from constructs import Node

from codec.mapping import load
from contract.errors import BridgeError
from contract.eui import EUI_PATTERN, one_case
from contract.names import IdentityKind, check_identity_name

_CSR_HEADER = "-----BEGIN CERTIFICATE REQUEST-----"


_QUIET_MINUTES = 60
_LEAST, _MOST = 5, 1440
"""CloudWatch looks back a day at most, and at five minutes at a time here."""
_WITHIN, _LONGEST = 1, 300
"""Seconds, and how many Lambda waits at most (MaximumBatchingWindowInSeconds)."""


class SettingsError(Exception):
    """The context holds something the app cannot deploy."""


class Environment(StrEnum):
    """Whether the data must outlive its stack."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


@dataclass(frozen=True)
class Identity:
    """One bridge or consumer: who it is and the CSRs (PEM text) made where its keys live.

    There is one CSR, or two while its certificate changes. A bridge publishes for its
    ``applications``, or for all if none is named; with ``basic_ingest`` also to the rule alone.
    """

    name: str
    kind: IdentityKind
    csrs: tuple[str, ...]
    applications: tuple[str, ...] = ()
    basic_ingest: bool = False


@dataclass(frozen=True)
class Decoding:
    """The folders of the codecs and of the libraries that run them; who gets the readings.

    For ``within`` seconds Lambda gathers uplinks to be decoded by one call.
    """

    codecs: Path
    libraries: Path
    published: bool
    within: int


class LogLevel(StrEnum):
    """What AWS IoT logs."""

    ERROR = "ERROR"
    WARN = "WARN"
    INFO = "INFO"
    DEBUG = "DEBUG"


@dataclass(frozen=True)
class Watching:
    """The SNS topic that alarms are told to, and after how many minutes without uplinks."""

    topic_arn: str | None
    quiet_minutes: int


@dataclass(frozen=True)
class Settings:
    """What the context asks for.

    ``retention_days`` None keeps rows for ever; ``iot_logging`` None leaves AWS IoT's log alone.
    """

    environment: Environment
    retention_days: int | None
    decoding: Decoding
    watching: Watching
    iot_logging: LogLevel | None
    identities: tuple[Identity, ...]


def read_settings(node: Node, folder: Path) -> Settings:
    """Read the context of ``node``; files are relative to ``folder``.

    Raises:
        SettingsError: naming the context key, the value and what it should be.

    """
    bridges = _with_applications(
        _identities(node, "bridges", IdentityKind.BRIDGE, folder),
        _mapping("applications", _context(node, "applications")),
    )
    bridges = _with_basic_ingest(bridges, _names("basic_ingest", _context(node, "basic_ingest")))
    consumers = _identities(node, "consumers", IdentityKind.CONSUMER, folder)
    twice = {bridge.name for bridge in bridges} & {consumer.name for consumer in consumers}
    if twice:
        raise SettingsError(f"context: {min(twice)} is both a bridge and a consumer: rename one")
    return Settings(
        environment=_environment(_context(node, "environment")),
        retention_days=_retention_days(_context(node, "retention_days")),
        decoding=_decoding(node, folder),
        watching=Watching(
            _topic(_context(node, "alarm_topic")), _quiet_minutes(_context(node, "quiet_minutes"))
        ),
        iot_logging=_iot_logging(_context(node, "iot_logging")),
        identities=bridges + consumers,
    )


def _context(node: Node, key: str) -> object:
    return cast("object", node.try_get_context(key))


def _environment(value: object) -> Environment:
    try:
        return Environment(str(value or Environment.PRODUCTION))
    except ValueError:
        choices = " or ".join(Environment)
        raise SettingsError(f"context environment: {value!r} is not {choices}") from None


def _retention_days(value: object) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"context retention_days: {value!r} is not a whole number of days")
    return int(text)


def _topic(value: object) -> str | None:
    if value is None or value == "":
        return None
    text = str(value)
    if not re.fullmatch(r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+", text):
        raise SettingsError(f"context alarm_topic: {value!r} is not the ARN of an SNS topic")
    return text


def _quiet_minutes(value: object) -> int:
    text = str(value or _QUIET_MINUTES)
    if not (text.isascii() and text.isdigit() and _LEAST <= int(text) <= _MOST):
        raise SettingsError(f"context quiet_minutes: {value!r} is not {_LEAST} to {_MOST} minutes")
    return int(text)


def _iot_logging(value: object) -> LogLevel | None:
    if value is None or value == "":
        return None
    try:
        return LogLevel(str(value).upper())
    except ValueError:
        choices = " or ".join(LogLevel)
        raise SettingsError(f"context iot_logging: {value!r} is not {choices}") from None


def _decoding(node: Node, folder: Path) -> Decoding:
    codecs = folder / str(_context(node, "codecs") or "codecs")
    libraries = folder / str(_context(node, "decoder_libraries") or "build/decoder")
    if not libraries.is_dir():
        raise SettingsError(f"{libraries}: the decoder's libraries are missing: run 'make setup'")
    try:
        load(codecs)
    except BridgeError as error:
        raise SettingsError(f"context codecs: {error}") from None
    return Decoding(
        codecs,
        libraries,
        published=_flag("publish_decoded", _context(node, "publish_decoded")),
        within=_decode_within(_context(node, "decode_within")),
    )


def _decode_within(value: object) -> int:
    text = str(_WITHIN if value is None or value == "" else value)
    if not (text.isascii() and text.isdigit() and int(text) <= _LONGEST):
        raise SettingsError(f"context decode_within: {value!r} is not 0 to {_LONGEST} seconds")
    return int(text)


def _flag(key: str, value: object) -> bool:
    flags = {"": False, "none": False, "false": False, "true": True}
    try:
        return flags[str(value).lower()]
    except KeyError:
        raise SettingsError(f"context {key}: {value!r} is not true or false") from None


def _identities(node: Node, key: str, kind: IdentityKind, folder: Path) -> tuple[Identity, ...]:
    return tuple(
        _identity(key, name, file, kind, folder)
        for name, file in sorted(_mapping(key, _context(node, key)).items())
    )


def _with_applications(
    bridges: tuple[Identity, ...], applications: Mapping[str, object]
) -> tuple[Identity, ...]:
    """Tie bridges to the applications that they may publish for."""
    others = applications.keys() - {each.name for each in bridges}
    if others:
        raise SettingsError(f"context applications: {min(others)} is none of the bridges")
    return tuple(
        replace(each, applications=_euis(each.name, applications.get(each.name)))
        for each in bridges
    )


def _with_basic_ingest(bridges: tuple[Identity, ...], names: set[str]) -> tuple[Identity, ...]:
    """Let bridges publish to the rule alone."""
    others = names - {each.name for each in bridges}
    if others:
        raise SettingsError(f"context basic_ingest: {min(others)} is none of the bridges")
    return tuple(replace(each, basic_ingest=each.name in names) for each in bridges)


def _names(key: str, value: object) -> set[str]:
    """Accept a list from cdk.json, or the same as JSON text from ``cdk -c``."""
    try:
        names = msgspec.json.decode(value) if isinstance(value, str) and value else value
        return msgspec.convert(names or [], set[str])
    except msgspec.DecodeError:
        raise SettingsError(f'context {key}: expected ["NAME"], got {value!r}') from None


def _euis(name: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    euis = cast("list[object]", value) if isinstance(value, list) else [value]
    for each in euis:
        if not (isinstance(each, str) and re.fullmatch(EUI_PATTERN, each)):
            raise SettingsError(f"context applications: {name}: {each!r} is no AppEUI")
    return tuple(one_case(str(each)) for each in euis)


def _mapping(key: str, value: object) -> Mapping[str, object]:
    """Accept an object from cdk.json, or the same as JSON text from ``cdk -c``."""
    if isinstance(value, str):
        try:
            value = cast("object", json.loads(value))
        except json.JSONDecodeError:
            raise SettingsError(f"context {key}: {value!r} is not JSON") from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SettingsError(f'context {key}: expected {{"NAME": "NAME.csr"}}, got {value!r}')
    return value


def _identity(key: str, name: str, file: object, kind: IdentityKind, folder: Path) -> Identity:
    try:
        check_identity_name(name)
    except ValueError as error:
        raise SettingsError(f"context {key}: {error}") from None
    files = cast("list[object]", file) if isinstance(file, list) else [file]
    csrs = tuple(dict.fromkeys(_csr(key, name, folder / str(each)) for each in files))
    if not csrs:
        raise SettingsError(f"context {key}: {name}: names no CSR file")
    return Identity(name, kind, csrs)


def _csr(key: str, name: str, path: Path) -> str:
    try:
        csr = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            f"context {key}: {name}: cannot read {path}: "
            f"make it with 'lora-bridge keygen --name {name}'"
        ) from None
    if not csr.startswith(_CSR_HEADER):
        raise SettingsError(f"context {key}: {name}: {path} is not a PEM certificate request")
    return csr
