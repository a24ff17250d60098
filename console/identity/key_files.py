"""Key and certificate of an identity in their folder, changed both at once.

``NAME.key`` and ``NAME.pem`` are files until they change for the first time. From then on they lead
through the link ``NAME.current`` to a folder that has both: replacing that link changes both at
once, so that a bridge that starts at any time finds a pair.
"""

from pathlib import Path

from cryptography import x509

from console.identity.key_pair import certificate_id
from console.whole_file import part_of
from contract.errors import BridgeError

_OWNER_ONLY = 0o700
_EVERYONE_READS = 0o644
_SUFFIXES = ("key", "pem")


class Pairs:
    """The files of one identity; ``key``, ``csr`` and ``pem`` of the next pair are beside it.

    Its methods raise OSError where the folder cannot be read or written, BridgeError where a
    certificate is none, and may be repeated after they were broken off.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        self._current = folder / f"{name}.current"
        self.stem_of_next = f"{name}.next"
        self.csr = folder / f"{name}.csr"
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        self.next_key, self.next_csr, self.next_certificate = (
            folder / f"{self.stem_of_next}.{suffix}" for suffix in ("key", "csr", "pem")
        )

    def keep_next(self, certificate: str) -> None:
        """Write the next certificate (PEM), whole or not at all."""
        part = part_of(self.next_certificate, certificate.encode(), _EVERYONE_READS)
        part.replace(self.next_certificate)

    def switch(self) -> None:
        """Put the next pair in the place of the present one, which is kept."""
        self._gather()
        pair = self._pair(self.next_certificate)
        pair.mkdir(_OWNER_ONLY, exist_ok=True)
        for suffix, path in zip(_SUFFIXES, (self.next_key, self.next_certificate), strict=True):
            _copy(path, pair / f"{self._name}.{suffix}")
        _point(self._current, pair.name)
        self.next_certificate.unlink()
        self.next_key.unlink()  # last: as long as it is there, this is not done

    def former(self) -> dict[str, Path]:
        """Return the pairs that were used before: the ID of the certificate, and the folder."""
        present = self._current.resolve() if self._current.is_symlink() else None
        return {
            _id(certificate): certificate.parent
            for certificate in self._folder.glob(f"{self._name}.pair-*/{self._name}.pem")
            if certificate.parent.resolve() != present
        }

    def forget(self, pair: Path) -> None:
        """Remove a former pair; the CSR of the present one takes the place of its own."""
        if self.next_csr.exists():
            self.next_csr.replace(self.csr)
        for path in (self.key, self.certificate):  # the key first: a pair is found by the other
            (pair / path.name).unlink(missing_ok=True)
        pair.rmdir()

    def _gather(self) -> None:
        """Lead from the files to the folder that has both, if they are files yet."""
        if self._current.is_symlink() and self.certificate.is_symlink():
            return
        pair = self._pair(self.certificate)
        pair.mkdir(_OWNER_ONLY, exist_ok=True)
        for suffix in _SUFFIXES:
            _copy(self._folder / f"{self._name}.{suffix}", pair / f"{self._name}.{suffix}")
        _point(self._current, pair.name)
        for suffix in _SUFFIXES:
            file = f"{self._name}.{suffix}"
            _point(self._folder / file, f"{self._current.name}/{file}")

    def _pair(self, certificate: Path) -> Path:
        return self._folder / f"{self._name}.pair-{_id(certificate)[:16]}"


def _id(certificate: Path) -> str:
    try:
        return certificate_id(x509.load_pem_x509_certificate(certificate.read_bytes()))
    except ValueError:
        raise BridgeError(f"{certificate}: not a certificate (PEM)") from None


def _copy(source: Path, target: Path) -> None:
    """Copy a file, which may be another user's: of such, Linux allows no second name."""
    if not target.exists():
        part_of(target, source.read_bytes(), source.stat().st_mode & 0o777).replace(target)


def _point(link: Path, target: str) -> None:
    """Make a symbolic link, in the place of whatever has its name."""
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
