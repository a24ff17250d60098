"""Makes a private key and a certificate request where the key will be used."""

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.identity.key_pair import private_key
from console.whole_file import part_of
from contract.errors import BridgeError

_OWNER_ONLY = 0o600
_EVERYONE_READS = 0o644


def make_key_and_csr(name: str, folder: Path, stem: str | None = None) -> tuple[Path, Path]:
    """Write ``NAME.key`` (EC P-256, PKCS #8, mode 0600) and ``NAME.csr``; return their paths.

    Their files have the name of the identity, or another ``stem``. A key whose CSR was lost gets
    another CSR, which is as good.

    Raises:
        BridgeError: one of them exists already, or the folder cannot be written.

    """
    key_path, csr_path = (folder / f"{stem or name}.{suffix}" for suffix in ("key", "csr"))
    lost = key_path.exists() and not csr_path.exists()
    key = _present(key_path) if lost else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    csr = request.sign(key, hashes.SHA256())
    if csr_path.exists():
        existing = key_path if key_path.exists() else csr_path
        raise BridgeError(f"{existing} exists and is never overwritten: choose another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not lost:
            _write_new(key_path, _key_pem(key), _OWNER_ONLY)
        _write_new(csr_path, csr.public_bytes(serialization.Encoding.PEM), _EVERYONE_READS)
    except OSError as error:
        raise BridgeError(f"cannot write into {folder}: {error.strerror}") from None
    return key_path, csr_path


def _present(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = private_key(path)
    except OSError as error:
        raise BridgeError(f"{path}: {error.strerror}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BridgeError(f"{path}: not a key that lora-bridge made: choose another name")
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Create the file whole, or fail where it exists."""
    part = part_of(path, content, mode)
    os.link(part, path)
    part.unlink()
