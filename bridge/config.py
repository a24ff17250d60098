"""Reads bridge.toml into typed settings. An unknown or ill-typed key is an error naming it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from contract.deployment import NAME_PATTERN, Deployment
from contract.errors import BridgeError
from contract.eui import EUI_PATTERN

Text = Annotated[str, msgspec.Meta(min_length=1, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Host = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z.:_-]+\Z")]  # a name or address alone
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Rule = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_]{1,128}\Z")]  # API TopicRule, ruleName
Count = Annotated[int, msgspec.Meta(ge=1)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every table of the file has in common: its keys are known and of their type."""


class Listen(_Table, frozen=True, kw_only=True):
    """Where a network server connects.

    ``port`` 0 takes a free one. ``application`` is the AppEUI of a server that leaves appeui out.
    Frames that have not come whole take at most ``max_connections`` times ``max_frame`` bytes of
    memory.
    """

    host: Host = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 6500
    application: Annotated[str, msgspec.Meta(pattern=rf"^{EUI_PATTERN}\Z")] | None = None
    # A process may usually have 1024 files open.
    max_connections: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    max_frame: Annotated[int, msgspec.Meta(ge=256, le=1_048_576)] = 65_536

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        return f"{self.host}:{self.port}"


class Aws(_Table, frozen=True, kw_only=True):
    """How to reach AWS IoT, as whom, and which deployment there.

    With ``basic_ingest`` messages go to that rule alone, and not to those who subscribe.
    """

    endpoint: Host
    port: Port = 8883
    client_id: Text
    certificate: Path
    private_key: Path
    root_ca: Path | None = None
    connections: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    respect_quotas: bool = True
    # MQTT 5 counts unacknowledged publishes in 16 bits (receive maximum).
    max_inflight: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 100
    max_backoff: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 10  # seconds
    basic_ingest: Rule | None = None
    deployment_name: Annotated[str, msgspec.Meta(pattern=rf"^({NAME_PATTERN})?\Z")] = msgspec.field(
        default="", name="deployment"
    )

    @property
    def deployment(self) -> Deployment:
        """The deployment that it is for, from which the topics follow."""
        return Deployment(self.deployment_name)


class SpoolSettings(_Table, frozen=True, kw_only=True):
    """Where frames wait, and how many bytes they may take on disk.

    ``max_bytes`` is for messages to be published, ``max_refused`` for those that AWS IoT refused.
    ``max_rejected`` is for the rejected frames of each reason; 0 keeps none. It may be no
    larger, because looking through more would make network servers wait.
    """

    path: Path
    max_bytes: Count = 1_073_741_824
    max_refused: Count = 268_435_456
    max_rejected: Annotated[int, msgspec.Meta(ge=0, le=67_108_864)] = 4_194_304


class Downlinks(_Table, frozen=True, kw_only=True):
    """How requests for downlinks are taken from AWS IoT.

    A request that does not say when it expires does so ``expires_after`` seconds after it came. For
    ``answers_within`` seconds after that, a network server may still tell what became of one that
    it has. AWS IoT keeps requests for ``session_expiry`` seconds for a bridge that is away: an hour
    at most, unless the account's quota was raised. Bridges with one ``share`` name divide requests
    among them. With ``in_order``, a device's next downlink waits until the one before has left.
    """

    expires_after: Annotated[int, msgspec.Meta(ge=1, le=31_536_000)] = 86_400
    answers_within: Annotated[int, msgspec.Meta(ge=1, le=31_536_000)] = 3_600
    session_expiry: Annotated[int, msgspec.Meta(ge=60, le=604_800)] = 3_600
    share: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,64}\Z")] | None = None
    in_order: bool = True


class Events(_Table, frozen=True, kw_only=True):
    """What is told of devices; ``other`` adds frames of kinds that are not known, whole."""

    other: bool = False


class Http(_Table, frozen=True, kw_only=True):
    """Where health and metrics are served; there is no authentication. ``port`` 0 takes any."""

    host: Host = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class Config(_Table, frozen=True, kw_only=True):
    """Everything that ``lora-bridge run`` needs."""

    listen: Annotated[tuple[Listen, ...], msgspec.Meta(min_length=1)] = (Listen(),)
    aws: Aws
    spool: SpoolSettings
    http: Http | None = None
    downlinks: Downlinks | None = None
    events: Events = Events()


def load(path: Path) -> Config:
    """Read a configuration file; paths in it are relative to it.

    Raises:
        BridgeError: naming the file, the key and what is wrong with it.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"{path}: cannot read the configuration: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BridgeError(f"{path}: {error}") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """Check the text of the configuration file at ``path``, which need not exist.

    Raises:
        BridgeError: as ``load`` does.

    """
    try:
        return msgspec.toml.decode(text, type=Config, dec_hook=_paths_relative_to(path.parent))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # msgspec writes the key as `$.aws.port`; the file's reader knows it as `aws.port`.
        raise BridgeError(f"{path}: {str(error).replace('`$.', '`')}") from None


def _paths_relative_to(folder: Path) -> Callable[[type, object], object]:
    def convert(kind: type, value: object) -> object:
        if kind is Path and isinstance(value, str) and value:
            return folder / value
        raise ValueError(f"Expected a path, got {value!r}")

    return convert
