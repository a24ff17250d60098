"""Changes key and certificate of an identity, in three steps that may each be repeated.

Between them one deploys: with both CSRs, and then with the new one alone.
"""

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from console.identity.certificates import Deployed, deployed
from console.identity.key_files import Pairs
from console.identity.key_pair import private_key
from console.identity.keygen import make_key_and_csr
from contract.deployment import Deployment
from contract.errors import BridgeError

Prove = Callable[[Deployed, Path, Path], object]
"""Tries a key and its certificate; raises BridgeError where they do not work."""


def begin(name: str, folder: Path) -> Path:
    """Make a new key, and its CSR, beside the present one; return the path of the CSR.

    Raises:
        BridgeError: there is nothing to change, or the last change is not finished.

    """
    pairs = Pairs(name, folder)
    with _files(folder):
        if not pairs.certificate.exists():
            raise BridgeError(f"{pairs.certificate} is missing: enroll first")
        _require_owner(pairs.key)
        if not (pairs.next_key.exists() and pairs.next_csr.exists()):
            if pairs.next_csr.exists() or pairs.former():
                raise BridgeError(f"{name}: finish the last change: lora-bridge rotate finish")
            pairs.next_key.unlink(missing_ok=True)  # broken off before anyone could use it
            make_key_and_csr(name, folder, pairs.stem_of_next)
        return pairs.next_csr


def switch(deployment: Deployment, name: str, folder: Path, prove: Prove) -> Path:
    """Fetch the new certificate, prove that it works, and use it; return its path.

    Raises:
        BridgeError: there is none yet, or it does not work.

    """
    pairs = Pairs(name, folder)
    with _files(folder):
        if not pairs.next_key.exists():
            if pairs.former():
                return pairs.certificate
            raise BridgeError(f"{pairs.next_key} is missing: lora-bridge rotate begin")
        _require_owner(pairs.key)
        found = deployed(deployment, name)
        pem = found.certificate_of(private_key(pairs.next_key))
        if pem is None:
            raise BridgeError(
                f"no certificate for {pairs.next_csr.name} is deployed: name both CSR files of"
                f" {name} in lora.toml, and deploy"
            )
        pairs.keep_next(pem)
        prove(found, pairs.next_certificate, pairs.next_key)
        pairs.switch()
        return pairs.certificate


def finish(deployment: Deployment, name: str, folder: Path) -> list[str]:
    """Forget the former key; return the IDs of the certificates that are gone.

    Raises:
        BridgeError: the new pair is not in use yet, or the former certificate still deployed.

    """
    pairs = Pairs(name, folder)
    with _files(folder):
        if pairs.next_key.exists():
            raise BridgeError(f"{name} has not changed yet: lora-bridge rotate switch")
        former = pairs.former()
        present = deployed(deployment, name).certificates if former else {}
        left = former.keys() & present.keys()
        if left:
            raise BridgeError(
                f"the former certificate, {min(left)}, is still deployed: name"
                f" {pairs.next_csr.name} alone in lora.toml, and deploy"
            )
        for pair in former.values():
            pairs.forget(pair)
        return sorted(former)


def _require_owner(key: Path) -> None:
    """Refuse to make a key that the owner of the present one could not read."""
    owner = key.stat().st_uid
    if owner != os.geteuid():
        raise BridgeError(
            f"{key} belongs to another user, who could not read a new key of yours: run this as"
            f" that user: runuser -u {_user(owner)} -- lora-bridge rotate …"
        )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # one that is in no list of this host
        return f"'#{number}'"


@contextmanager
def _files(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BridgeError(f"{error.filename or folder}: {error.strerror}") from None
