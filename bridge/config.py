"""Reads bridge.toml into typed settings. An unknown or ill-typed key is an error naming it."""

import re
from collections.abc import Callable
from enum import StrEnum
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
Eui = Annotated[str, msgspec.Meta(pattern=rf"^{EUI_PATTERN}\Z")]
Topic = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f+#]{1,256}\Z")]  # no filter


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
    application: Eui | None = None
    # A process may usually have 1024 files open.
    max_connections: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    max_frame: Annotated[int, msgspec.Meta(ge=256, le=1_048_576)] = 65_536

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        return f"{self.host}:{self.port}"


class Broker(_Table, frozen=True, kw_only=True):
    """How to reach a network server's MQTT broker.

    ``password_file`` holds the password in its first line. There is TLS where ``ca`` or a
    certificate is named; without ``ca`` it then trusts the system's certificates.
    """

    host: Host = "127.0.0.1"
    port: Port = 1883
    username: Text | None = None
    password_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key need each other")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs username")

    @property
    def secure(self) -> bool:
        """Whether there is TLS."""
        return self.ca is not None or self.certificate is not None

    @property
    def address(self) -> str:
        """Where it is, as ``host:port``."""
        return f"{self.host}:{self.port}"


class Kept(StrEnum):
    """What of a ChirpStack device may go along with its uplinks."""

    TAGS = "tags"
    PROFILE = "profile"


class ChirpStackApi(_Table, frozen=True, kw_only=True):
    """ChirpStack's gRPC API: where it is, and a file with an API key in its first line."""

    server: Annotated[str, msgspec.Meta(pattern=r"^(https?://)?[0-9A-Za-z.:_-]+:[0-9]{1,5}/?\Z")]
    token_file: Path


class ChirpStack(Broker, frozen=True, kw_only=True):
    """A ChirpStack v4 server, by the broker of its MQTT integration.

    ``event_topic`` and ``command_topic`` are as in ChirpStack's own configuration. The application
    of a device is what its tag ``application_tag`` holds, or else what ``applications`` has for
    ChirpStack's application id, or else that id. The broker is asked to keep events for
    ``session_expiry`` seconds for a bridge that is away. ``keep`` adds to uplinks.
    """

    event_topic: Topic = "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}"
    command_topic: Topic = "application/{{application_id}}/device/{{dev_eui}}/command/{{command}}"
    applications: dict[str, Eui] = {}
    application_tag: Text | None = None
    keep: tuple[Kept, ...] = ()
    session_expiry: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 604_800
    api: ChirpStackApi | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for topic, names in (
            (self.event_topic, ("event",)),
            (self.command_topic, ("application_id", "dev_eui", "command")),
        ):
            for name in names:
                if not re.search(rf"{{{{\s*{name}\s*}}}}", topic):
                    raise ValueError(f"{{{{{name}}}}} is missing in {topic}")


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

    expires_after: Annotated[int, msgspec.Meta(ge=1, le=2_678_400)] = 86_400
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
    """Everything that ``lora-bridge run`` needs.

    Without any network server in it, the bridge listens for Semtech's, as ``Listen`` says.
    """

    listen: Annotated[tuple[Listen, ...], msgspec.Meta(min_length=1)] = ()
    chirpstack: tuple[ChirpStack, ...] = ()
    aws: Aws
    spool: SpoolSettings
    http: Http | None = None
    downlinks: Downlinks | None = None
    events: Events = Events()

    def __post_init__(self) -> None:
        if not self.listen and not self.chirpstack:
            msgspec.structs.force_setattr(self, "listen", (Listen(),))


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
