"""The first links: the files on this host."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from bridge.config import Config, load
from console.check.chain import BrokenError
from console.identity.key_pair import belong_together, private_key
from contract.errors import BridgeError

_OTHERS = 0o077
_SOON = timedelta(days=30)
NEW_KEY = "make a new key with 'lora-bridge keygen', deploy its CSR, and enroll"
_CHANGE = "change key and certificate: lora-bridge rotate begin"
_FETCH = "fetch it with 'lora-bridge enroll'"
_CLOCK = "set this host's clock: timedatectl set-ntp true"


def configuration(path: Path) -> Config:
    """Read the configuration.

    Raises:
        BrokenError: it cannot be used.

    """
    try:
        return load(path)
    except BridgeError as error:
        raise BrokenError(
            str(error),
            "mend the file, which 'lora-bridge enroll' writes, or name another with --config",
        ) from None


def key(path: Path) -> str:
    """Check that the file is a private key, and that only its owner can read it.

    Raises:
        BrokenError: it is not.

    """
    try:
        private_key(path)
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise BrokenError(f"{path}: {error.strerror}", _readable(error, NEW_KEY)) from None
    except BridgeError as error:
        raise BrokenError(str(error), NEW_KEY) from None
    if mode & _OTHERS:
        raise BrokenError(f"{path}: mode {mode:04o}, others may read it", f"chmod 600 {path}")
    return f"{path}, mode {mode:04o}"


def certificate(path: Path, key_path: Path) -> x509.Certificate:
    """Read the certificate, and check that it belongs to the key.

    Raises:
        BrokenError: it is not.

    """
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise BrokenError(f"{path}: {error.strerror}", _readable(error, _FETCH)) from None
    except ValueError:
        raise BrokenError(f"{path}: not a certificate (PEM)", _FETCH) from None
    if not belong_together(private_key(key_path), found):
        raise BrokenError(f"{path}: not the certificate of {key_path}", _FETCH)
    return found


def _readable(error: OSError, remedy: str) -> str:
    """Return the remedy: another one if the file exists but belongs to somebody else."""
    if not isinstance(error, PermissionError):
        return remedy
    return (
        f"run this as the user of the bridge, who must own it: chown lora-bridge {error.filename}"
    )


def validity(found: x509.Certificate, now: datetime) -> str:
    """Look whether a certificate is valid now.

    Raises:
        BrokenError: it is not.

    """
    begin, end = found.not_valid_before_utc, found.not_valid_after_utc
    if now < begin:
        raise BrokenError(f"valid from {begin:%Y-%m-%d %H:%M} UTC on, not yet", _CLOCK)
    if now > end:
        raise BrokenError(f"expired on {end:%Y-%m-%d %H:%M} UTC", _CHANGE)
    soon = ", which is soon" if end - now < _SOON else ""
    return f"valid until {end:%Y-%m-%d}{soon}"
