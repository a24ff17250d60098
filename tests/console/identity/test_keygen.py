"""A key is made where it is used, for its owner alone, and never overwritten."""

import os
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from console.cli import cli
from console.identity.keygen import make_key_and_csr
from contract.errors import BridgeError
from contract.settings import declare


def test_key_and_request_belong_together(tmp_path: Path) -> None:
    """The request is for the key beside it, a P-256 key, and carries the name."""
    key_path, csr_path = make_key_and_csr("host-1", tmp_path)
    key = load_pem_private_key(key_path.read_bytes(), None)
    csr = x509.load_pem_x509_csr(csr_path.read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    assert csr.is_signature_valid
    assert csr.public_key() == key.public_key()
    (name,) = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "host-1"


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    """The key has mode 0600, whatever the umask."""
    before = os.umask(0)
    try:
        key_path, _ = make_key_and_csr("host-1", tmp_path)
    finally:
        os.umask(before)
    assert key_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("existing", "said"),
    [
        ("host-1.csr", "host-1.csr exists and is never overwritten"),
        ("host-1.key", "host-1.key: not a private key"),
    ],
)
def test_nothing_is_overwritten(tmp_path: Path, existing: str, said: str) -> None:
    """Where a file of somebody's has the name of either, neither is written."""
    (tmp_path / existing).write_text("precious")
    with pytest.raises(BridgeError, match=said):
        make_key_and_csr("host-1", tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "precious"


def test_a_pair_is_not_overwritten(tmp_path: Path) -> None:
    """What is complete is left as it is."""
    make_key_and_csr("host-1", tmp_path)
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(BridgeError, match=r"host-1\.key exists and is never overwritten"):
        make_key_and_csr("host-1", tmp_path)
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_lost_csr_is_made_again(tmp_path: Path) -> None:
    """It is for the key that is there, which stays."""
    key_path, csr_path = make_key_and_csr("host-1", tmp_path)
    key = key_path.read_bytes()
    first = x509.load_pem_x509_csr(csr_path.read_bytes())
    csr_path.unlink()
    make_key_and_csr("host-1", tmp_path)
    again = x509.load_pem_x509_csr(csr_path.read_bytes())
    assert key_path.read_bytes() == key
    assert (again.subject, again.public_key()) == (first.subject, first.public_key())


def test_folder_is_made(tmp_path: Path) -> None:
    """A folder that does not exist yet is made."""
    key_path, _ = make_key_and_csr("host-1", tmp_path / "new" / "folder")
    assert key_path.is_file()


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the folder's place is one clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BridgeError, match=r"cannot write into .*file: "):
        make_key_and_csr("host-1", tmp_path / "file")


def test_the_command_says_what_lora_toml_needs(tmp_path: Path) -> None:
    """It prints the line to add, and below what."""
    done = CliRunner().invoke(cli, ["keygen", "--name", "host-1", "--dir", str(tmp_path)])
    assert done.exit_code == 0
    line = next(each for each in done.output.splitlines() if "[bridges]" in each)
    added = line.rpartition(": ")[2]
    assert declare(tomllib.loads(f"[bridges]\n{added}"), "").bridges == {"host-1": "host-1.csr"}
