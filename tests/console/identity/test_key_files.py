"""Key and certificate change both at once, wherever it is broken off."""

import errno
import os
import pwd
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import ParamSpec

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from console.check.new_pair import trial
from console.identity.certificates import Deployed
from console.identity.key_files import Pairs
from console.identity.key_pair import belong_together, certificate_id, private_key
from console.identity.keygen import make_key_and_csr
from console.identity.rotation import begin, finish, switch
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from contract.names import IdentityKind

NAME = "host-1"
_P = ParamSpec("_P")


class Killed(BaseException):
    """The process is killed."""


def certificate_for(key_path: Path) -> str:
    """Return a certificate for a key, as AWS IoT would make it."""
    key = private_key(key_path)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name, now = x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a key and its certificate, and the next key."""
    key, _ = make_key_and_csr(NAME, tmp_path)
    (tmp_path / f"{NAME}.pem").write_text(certificate_for(key))
    begin(NAME, tmp_path)
    Pairs(NAME, tmp_path).keep_next(certificate_for(tmp_path / f"{NAME}.next.key"))
    return tmp_path


def used(folder: Path) -> str:
    """Return the ID of the certificate in use, which belongs to the key in use."""
    certificate = x509.load_pem_x509_certificate((folder / f"{NAME}.pem").read_bytes())
    assert belong_together(private_key(folder / f"{NAME}.key"), certificate)
    return certificate_id(certificate)


def next_id(folder: Path) -> str:
    """Return the ID of the certificate to come."""
    pem = (folder / f"{NAME}.next.pem").read_bytes()
    return certificate_id(x509.load_pem_x509_certificate(pem))


def killed_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Let the process be killed before the change to the folder with that number."""
    left = call

    def counting(change: Callable[_P, object]) -> Callable[_P, object]:
        def counted(*given: _P.args, **named: _P.kwargs) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return change(*given, **named)

        return counted

    for change in ("mkdir", "link", "symlink", "replace", "unlink", "rmdir"):
        monkeypatch.setattr(os, change, counting(getattr(os, change)))


def test_the_pair_is_a_pair_wherever_a_switch_ends(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed before any of its changes it leaves the old pair or the new one, and then goes on."""
    old, new = used(folder), next_id(folder)
    pem = (folder / f"{NAME}.next.pem").read_text()
    seen = []
    for call in count(1):
        copy = tmp_path_factory.mktemp("copy") / "keys"
        shutil.copytree(folder, copy, symlinks=True)
        done = switches(copy, call)
        seen.append(used(copy))
        if done:
            break
        if (copy / f"{NAME}.next.key").exists():
            Pairs(NAME, copy).keep_next(pem)
            Pairs(NAME, copy).switch()
        assert used(copy) == new
        assert list(Pairs(NAME, copy).former()) == [old]
    assert seen == sorted(seen, key=[old, new].index)
    assert (seen.count(old) > 5, seen.count(new) > 2) == (True, True)


def test_a_former_key_is_found_wherever_its_removal_ends(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed before any of its changes it has removed the key, or will when it is repeated."""
    old = used(folder)
    Pairs(NAME, folder).switch()
    for call in count(1):
        copy = tmp_path_factory.mktemp("copy") / "keys"
        shutil.copytree(folder, copy, symlinks=True)
        pairs = Pairs(NAME, copy)
        pair = pairs.former()[old]
        done = survives(partial(pairs.forget, pair), call)
        assert pairs.former() or not (pair / f"{NAME}.key").exists()
        if done:
            break
    assert call > 3


def switches(folder: Path, call: int) -> bool:
    """Switch; say whether that was done before the change to the folder with that number."""
    return survives(Pairs(NAME, folder).switch, call)


def survives(work: Callable[[], object], call: int) -> bool:
    """Work; say whether that was done before the change to the folder with that number."""
    with pytest.MonkeyPatch.context() as patch:
        killed_at(patch, call)
        try:
            work()
        except Killed:
            return False
    return True


def test_a_second_change_is_like_the_first(folder: Path) -> None:
    """After one change is finished, the next begins, is switched to, and is finished."""
    for _ in range(2):
        pairs, old = Pairs(NAME, folder), used(folder)
        if not pairs.next_key.exists():
            begin(NAME, folder)
            pairs.keep_next(certificate_for(pairs.next_key))
        new = next_id(folder)
        pairs.switch()
        assert used(folder) == new
        pairs.forget(pairs.former()[old])
        assert pairs.former() == {}
        csr = x509.load_pem_x509_csr((folder / f"{NAME}.csr").read_bytes())
        assert csr.public_key() == private_key(folder / f"{NAME}.key").public_key()
    assert len([*folder.iterdir()]) == 5  # key, pem, csr, the link, and the pair


def test_keys_stay_their_owners(folder: Path) -> None:
    """Wherever the keys are led to, they keep their mode, in a folder of their owner's alone."""
    Pairs(NAME, folder).switch()
    for pair in folder.glob("*.pair-*"):
        assert pair.stat().st_mode & 0o777 == 0o700
        assert (pair / f"{NAME}.key").stat().st_mode & 0o777 == 0o600


def test_a_certificate_of_another_user(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that root has fetched is no hindrance, though it gets no second name."""

    def denied(*_paths: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", denied)
    new = next_id(folder)
    Pairs(NAME, folder).switch()
    assert used(folder) == new


def test_beginning_again_changes_nothing(folder: Path) -> None:
    """A key that a CSR was made with stays; one without a CSR was of no use to anyone."""
    key = (folder / f"{NAME}.next.key").read_bytes()
    begin(NAME, folder)
    assert (folder / f"{NAME}.next.key").read_bytes() == key
    (folder / f"{NAME}.next.csr").unlink()
    csr = x509.load_pem_x509_csr(begin(NAME, folder).read_bytes())
    assert csr.public_key() == private_key(folder / f"{NAME}.next.key").public_key()


def test_nobody_makes_a_key_for_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not own the present key, and may read it, is told who is to do it."""
    owner = (folder / f"{NAME}.key").stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    named = rf"runuser -u {pwd.getpwuid(owner).pw_name} -- "
    with pytest.raises(BridgeError, match=named):
        begin(NAME, folder)
    with pytest.raises(BridgeError, match=named):
        switch(UNNAMED, NAME, folder, lambda _found, _certificate, _key: None)


def test_a_next_key_has_its_request_wherever_a_beginning_ends(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed before any of its changes and repeated, it leaves a request for the next key."""
    for suffix in ("key", "csr", "pem"):
        (folder / f"{NAME}.next.{suffix}").unlink()
    for call in count(1):
        copy = tmp_path_factory.mktemp("copy") / "keys"
        shutil.copytree(folder, copy)
        done = survives(partial(begin, NAME, copy), call)
        csr = x509.load_pem_x509_csr(begin(NAME, copy).read_bytes())
        assert csr.public_key() == private_key(copy / f"{NAME}.next.key").public_key()
        if done:
            break
    assert call > 4


def test_a_certificate_that_is_none_is_one_line(folder: Path) -> None:
    """Where the present certificate is damaged, it is named."""
    (folder / f"{NAME}.pem").write_text("junk")
    with pytest.raises(BridgeError, match=rf"{NAME}.pem: not a certificate"):
        Pairs(NAME, folder).switch()


def test_a_bridge_that_uses_other_files_is_not_switched(folder: Path) -> None:
    """Its configuration must name key and certificate that change."""
    os.link(folder / f"{NAME}.pem", folder / "other.pem")
    (folder / "bridge.toml").write_text(
        f'[aws]\nendpoint = "localhost"\nclient_id = "{NAME}"\ncertificate = "other.pem"\n'
        f'private_key = "{NAME}.key"\n[spool]\npath = "spool.db"\n'
    )
    pairs = Pairs(NAME, folder)
    prove = trial(UNNAMED, NAME, folder)
    with pytest.raises(BridgeError, match=r"certificate is .*other.pem, but must be .*host-1.pem"):
        prove(Deployed(IdentityKind.BRIDGE, {}), pairs.next_certificate, pairs.next_key)


def test_steps_out_of_order_say_which_comes_first(tmp_path: Path, folder: Path) -> None:
    """Each step that comes too early names the one before it."""
    with pytest.raises(BridgeError, match="lora-bridge rotate switch"):
        finish(UNNAMED, NAME, folder)
    Pairs(NAME, folder).switch()
    with pytest.raises(BridgeError, match="lora-bridge rotate finish"):
        begin(NAME, folder)
    with pytest.raises(BridgeError, match="enroll first"):
        begin("other", tmp_path)
    with pytest.raises(BridgeError, match="lora-bridge rotate begin"):
        switch(UNNAMED, "other", tmp_path, lambda _found, _certificate, _key: None)
