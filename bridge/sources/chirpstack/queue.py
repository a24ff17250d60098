"""Asks ChirpStack's gRPC API for the queue of a device.

Imported only where ``[chirpstack.api]`` is configured: others need not install the libraries.
"""

import logging
import math
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import grpc.aio
from chirpstack_api import api

from bridge.config import ChirpStackApi
from bridge.log_limit import LimitedLogger
from contract.errors import BridgeError

_log = logging.getLogger(__name__)
_TIMEOUT = 5.0  # seconds
_REST = 30.0  # seconds, after an answer that did not come in time
_SHOWN = 300  # characters of a reason
# The broker is reached without a proxy, too.
_OPTIONS = (("grpc.enable_http_proxy", 0),)
_KEY = "check that token_file has an API key which may see this device"
_REMEDIES = {
    grpc.StatusCode.UNAUTHENTICATED: _KEY,
    grpc.StatusCode.PERMISSION_DENIED: _KEY,
    grpc.StatusCode.UNAVAILABLE: "check server, whether it has TLS, and that ChirpStack runs",
    grpc.StatusCode.DEADLINE_EXCEEDED: f"it has not answered in {_TIMEOUT:.0f} s",
    grpc.StatusCode.UNIMPLEMENTED: "check that server is the address of ChirpStack's own API",
}


class ApiQueue:
    """The ``Queue`` of a server, by its API.

    ``hearing`` says whether all events come. Of what has left the queue while they do not, an event
    may still tell. ``now`` tells seconds of a clock that never goes back.

    Raises:
        BridgeError: the token cannot be used.

    """

    def __init__(
        self,
        settings: ChirpStackApi,
        hearing: Callable[[], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = settings.server
        self._hearing = hearing
        self._now = now
        self._metadata = (("authorization", f"Bearer {_token(settings.token_file)}"),)
        self._channel = _channel(settings.server)
        self._stub = api.DeviceServiceStub(self._channel)
        self._rest_until = 0.0
        self._limited = LimitedLogger(_log, now=now)

    async def has(self, dev_eui: str, item: str) -> bool | None:
        """Say whether an item is in a device's queue; None where the API does not tell."""
        if self._now() < self._rest_until:
            return None
        wanted = api.GetDeviceQueueItemsRequest(dev_eui=dev_eui)
        try:
            queue = await self._stub.GetQueue(wanted, timeout=_TIMEOUT, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            self._on_failure(error)
            return None
        if any(each.id == item for each in queue.result):  # what is pending is among them
            return True
        return False if self._hearing() else None

    async def stop(self) -> None:
        """Ask nothing more; who is asking is cancelled."""
        self._rest_until = math.inf
        await self._channel.close()

    def _on_failure(self, error: grpc.aio.AioRpcError) -> None:
        code = error.code()
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            self._rest_until = self._now() + _REST
        self._limited.log(
            logging.WARNING,
            code.name,
            "ChirpStack's API %s does not tell of its queue: %s: %s: %s",
            *(self._server, code.name, str(error.details())[:_SHOWN]),
            _REMEDIES.get(code, "see ChirpStack's log"),
        )


def _channel(server: str) -> grpc.aio.Channel:
    """Return a channel, with TLS where the server's address begins with https."""
    scheme, _, rest = server.rpartition("://")
    target = rest.removesuffix("/")
    if scheme != "https":
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(_system_roots())
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)


def _system_roots() -> bytes | None:
    """Return the system's CA certificates, None where there are none: gRPC has some of its own."""
    paths = ssl.get_default_verify_paths()
    places = [paths.cafile, f"{paths.capath}/ca-certificates.crt"]  # the second is Debian's
    bundles = [Path(place) for place in places if place and Path(place).is_file()]
    return bundles[0].read_bytes() if bundles else None


def _token(path: Path) -> str:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise BridgeError(
            f"{path}: {error.strerror}: see token_file in bridge.toml, and the user who runs"
            " lora-bridge must be able to read it"
        ) from None
    except UnicodeDecodeError:
        raise BridgeError(f"{path}: not an API key: it has other characters than ASCII") from None
    token = lines[0].strip() if lines else ""
    if not token.isprintable() or not token:
        raise BridgeError(f"{path}: the first line must be an API key of ChirpStack")
    return token
