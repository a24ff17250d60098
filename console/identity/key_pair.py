"""A private key and its certificate: whether they are a pair, and what AWS IoT calls it."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from contract.errors import BridgeError


def private_key(path: Path) -> PrivateKeyTypes:
    """Read a private key.

    Raises:
        BridgeError: the file holds none that can be used.
        OSError: it cannot be read.

    """
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise BridgeError(f"{path}: not a private key without password") from None


def belong_together(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Whether the certificate is that of the key."""
    return _public(key.public_key()) == _public(certificate.public_key())


def certificate_id(certificate: x509.Certificate) -> str:
    """Return what AWS IoT calls a certificate: the SHA-256 of it, in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
