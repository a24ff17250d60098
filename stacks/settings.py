"""Reads the settings once, from ``lora.toml`` and the CDK's context, with all that they name."""

import json
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from constructs import Node
from msgspec.structs import replace

from codec.digest import codecs_digest
from codec.mapping import load as load_codecs
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import IdentityKind
from contract.settings import (
    KEYS,
    SETTINGS_FILE,
    Declared,
    Environment,
    LogLevel,
    declare,
    load,
    require_known,
    stated_by_store,
)
from contract.silence import load_intervals

_CSR_HEADER = "-----BEGIN CERTIFICATE REQUEST-----"
_LONGEST_THING = 64
_FILE_KEY = "settings"
"""Key of the context that names another file than ``lora.toml``."""
_TABLES = {"bridges", "consumers", "applications", "basic_ingest", "senders"}
_OF_CLI = {"acknowledged-issue-numbers", "cli-telemetry"}
"""Keys that the CDK's command line writes (aws-cdk, ``cdk acknowledge`` and ``cli-telemetry``)."""
_FOREIGN = (":", "/", "@")
"""In the CDK's own keys: ``aws:…``, ``@aws-cdk/…``, and look-ups such as ``ssm:account=…``."""


class SettingsError(Exception):
    """The settings hold something the app cannot deploy."""


@dataclass(frozen=True)
class Identity:
    """One bridge or consumer: who it is and the CSRs (PEM text) made where its keys live.

    There is one CSR, or two while its certificate changes. A bridge publishes for its
    ``applications``, or for all if none is named; with ``basic_ingest`` also to the rule alone.
    A consumer may ask for downlinks to what it ``sends_to``, all if none is named, if not None.
    """

    name: str
    kind: IdentityKind
    csrs: tuple[str, ...]
    applications: tuple[str, ...] = ()
    basic_ingest: bool = False
    sends_to: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Decoding:
    """The folders of the codecs and of the libraries that run them; who gets the readings.

    For ``within`` seconds Lambda gathers uplinks to be decoded by one call.
    """

    codecs: Path
    libraries: Path
    published: bool
    within: int


@dataclass(frozen=True)
class Watching:
    """The SNS topic that alarms are told to, and after how many minutes without uplinks."""

    topic_arn: str | None
    quiet_minutes: int


@dataclass(frozen=True)
class Silence:
    """How people are told of silent devices, and what the function that does so is packed with.

    ``intervals`` is the file that says how often devices report, None where all is learnt.
    """

    topic_arn: str
    intervals: Path | None
    libraries: Path


@dataclass(frozen=True)
class Settings:
    """What is to be deployed.

    ``retention_days`` None keeps rows for ever; ``iot_logging`` None leaves AWS IoT's log alone.
    ``protected``: the store refuses to be deleted. ``kms_key``: the ARN of what encrypts it.
    ``silence`` None tells nobody of silent devices.
    ``stated`` is what the store says it was deployed with.
    """

    deployment: Deployment
    environment: Environment
    retention_days: int | None
    decoding: Decoding
    watching: Watching
    silence: Silence | None
    iot_logging: LogLevel | None
    identities: tuple[Identity, ...]
    protected: bool
    kms_key: str | None
    stated: Mapping[str, object]


def read_settings(node: Node, folder: Path) -> Settings:
    """Read ``lora.toml`` in ``folder``, and the context of ``node``, which counts more.

    Says on standard error what the context alone says: the next deploy may not have it.

    Raises:
        SettingsError: naming the file or the context, the key, and what it should be.

    """
    try:
        return _settings(_declared(node, folder))
    except BridgeError as error:
        raise SettingsError(str(error)) from None


def _declared(node: Node, folder: Path) -> Declared:
    context = cast("dict[str, object]", node.get_all_context())
    said = {key: value for key, value in context.items() if not _is_foreign(key)}
    for key in said:
        require_known(key, "context ", (*KEYS, _FILE_KEY))
    file = said.pop(_FILE_KEY, None)
    path = folder / str(file or SETTINGS_FILE)
    written = load(path) if file or path.exists() else Declared().below(folder)
    given = {key: _value(key, value) for key, value in said.items()}
    given_now = {key: value for key, value in given.items() if value not in (None, "")}
    overriding = declare(given_now, "context ", strict=False).below(folder)
    changes = {key: getattr(overriding, key) for key in given}
    declared = replace(written, **changes)
    fleeting = [key for key in given if getattr(declared, key) != getattr(written, key)]
    if fleeting:
        print(  # noqa: T201  # the CDK's command line passes it on
            f"{', '.join(fleeting)}: said by -c alone: gone on the next deploy without it, unless"
            f" {path.name} says it",
            file=sys.stderr,
        )
    return declared


def _is_foreign(key: str) -> bool:
    return key in _OF_CLI or any(each in key for each in _FOREIGN)


def _value(key: str, value: object) -> object:
    """Return what the context says of a key; a table may be JSON text there."""
    if key not in _TABLES or not isinstance(value, str) or not value:
        return value
    try:
        return cast("object", json.loads(value))
    except json.JSONDecodeError:
        raise BridgeError(f"context {key}: {value!r} is not JSON") from None


def _settings(declared: Declared) -> Settings:
    twice = declared.bridges.keys() & declared.consumers.keys()
    if twice:
        raise SettingsError(f"settings: {min(twice)} is both a bridge and a consumer: rename one")
    _require_named("applications", declared.applications, "bridges", declared.bridges)
    _require_named("basic_ingest", declared.basic_ingest, "bridges", declared.bridges)
    _require_named("senders", declared.senders, "consumers", declared.consumers)
    deployment = Deployment(declared.deployment)
    kinds = {
        IdentityKind.BRIDGE: sorted(declared.bridges),
        IdentityKind.CONSUMER: sorted(declared.consumers),
    }
    decoding = _decoding(declared)
    return Settings(
        deployment=deployment,
        environment=declared.environment,
        retention_days=declared.retention_days,
        decoding=decoding,
        watching=Watching(declared.alarm_topic, declared.quiet_minutes),
        silence=_silence(declared),
        iot_logging=declared.iot_logging,
        identities=tuple(
            _identity(declared, deployment, name, kind)
            for kind, names in kinds.items()
            for name in names
        ),
        protected=declared.protected,
        kms_key=declared.kms_key,
        stated=stated_by_store(declared, codecs_digest(decoding.codecs)),
    )


def _require_named(
    key: str, named: Collection[str], kind: str, identities: Collection[str]
) -> None:
    if others := {*named} - {*identities}:
        raise SettingsError(f"settings: {key}: {min(others)} is none of the {kind}")


def _decoding(declared: Declared) -> Decoding:
    codecs, libraries = Path(declared.codecs), Path(declared.decoder_libraries)
    if not libraries.is_dir():
        raise SettingsError(f"{libraries}: the decoder's libraries are missing: run 'make setup'")
    try:
        load_codecs(codecs)
    except BridgeError as error:
        raise SettingsError(f"settings: codecs: {error}") from None
    return Decoding(codecs, libraries, declared.publish_decoded, declared.decode_within)


def _silence(declared: Declared) -> Silence | None:
    intervals = None if declared.intervals is None else Path(declared.intervals)
    if intervals is not None:
        try:
            load_intervals(intervals)
        except BridgeError as error:
            raise SettingsError(f"settings: intervals: {error}") from None
    if not declared.silent_devices:
        return None
    if declared.alarm_topic is None:
        raise SettingsError(
            "settings: silent_devices: there is nobody to tell: set alarm_topic, the ARN of an SNS"
            " topic"
        )
    return Silence(declared.alarm_topic, intervals, Path(declared.decoder_libraries))


def _identity(
    declared: Declared, deployment: Deployment, name: str, kind: IdentityKind
) -> Identity:
    thing = deployment.thing(name)
    if len(thing) > _LONGEST_THING:  # as an EUI, which the device of check's test uplinks has
        raise SettingsError(f"settings: {thing} is longer than {_LONGEST_THING} characters")
    csrs = tuple(dict.fromkeys(_csr(name, path) for path in declared.csr_files(name)))
    return Identity(
        name,
        kind,
        csrs,
        applications=declared.euis(name),
        basic_ingest=name in declared.basic_ingest,
        sends_to=declared.euis_to_send(name),
    )


def _csr(name: str, path: Path) -> str:
    try:
        csr = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            f"settings: {name}: cannot read {path}: make it with 'lora-bridge keygen --name {name}'"
        ) from None
    if not csr.startswith(_CSR_HEADER):
        raise SettingsError(f"settings: {name}: {path} is not a PEM certificate request")
    return csr
