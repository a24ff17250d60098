"""What all clients are built with, whichever broker they are for."""

from collections.abc import Iterable
from pathlib import Path

from awscrt import io, mqtt5

from bridge.config import Broker
from contract.errors import BridgeError

KEEP_ALIVE = 30  # seconds: AWS IoT takes 30 to 1200
PING_TIMEOUT = 10  # seconds; a dead connection is noticed after at most their sum
MIN_RECONNECT = 500  # milliseconds
SEE_CONFIGURATION = "see bridge.toml, and the user who runs lora-bridge must be able to read it"


def require_readable(path: Path, remedy: str) -> None:
    """Check that a file can be read.

    Raises:
        BridgeError: naming the file, why it cannot, and what to do.

    """
    if path.exists() and not path.is_file():  # a pipe would be read for ever
        raise BridgeError(f"{path}: not a file: {remedy}")
    try:
        path.read_bytes()
    except FileNotFoundError:
        raise BridgeError(f"{path}: no such file: {remedy}") from None
    except OSError as error:
        raise BridgeError(
            f"{path}: {error.strerror}: the user who runs lora-bridge must be able to read it"
        ) from None


def unusable(paths: Iterable[Path | None], error: Exception) -> BridgeError:
    """Return the error of a certificate, key or CA that can be read but is not what it should be.

    ``paths`` are what was tried together; None stands for one that is not named.
    """
    named = ", ".join(str(path) for path in paths if path)
    return BridgeError(f"cannot use {named}: not PEM, or key and certificate differ: {error}")


def session(expiry: int) -> dict[str, object]:
    """Return what makes the broker keep the session, and the client come back to it."""
    if not expiry:
        return {}
    return {
        "session_behavior": mqtt5.ClientSessionBehaviorType.REJOIN_ALWAYS,
        "session_expiry_interval_sec": expiry,
    }


def socket_options(connect_timeout: int) -> io.SocketOptions:
    """Return the options of a socket that is given up after so many milliseconds."""
    options = io.SocketOptions()
    options.connect_timeout_ms = connect_timeout
    return options


def tls_versions() -> io.TlsCipherPref:
    """Return the preference for TLS 1.2 or newer, where the platform can choose at all."""
    wanted = io.TlsCipherPref.TLSv1_2_2025_07
    return wanted if wanted.is_supported() else io.TlsCipherPref.DEFAULT


def password(broker: Broker) -> str | None:
    """Return the first line of the password's file, None where there is none."""
    if broker.password_file is None:
        return None
    return broker.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
