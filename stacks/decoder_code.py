"""Packs the decoder: the function, the packages of ours that it imports, libraries, codecs."""

import shutil
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from codec.digest import FILE
from codec.mapping import load
from contract.names import CODECS_FOLDER
from stacks.settings import Decoding

_PROJECT = Path(__file__).resolve().parent.parent
_FUNCTION = _PROJECT / "lambda"
_PACKAGES = ("contract", "codec")
"""What the function imports of this project."""
_JUNK = shutil.ignore_patterns("__pycache__", "*.dist-info", "bin")


def decoder_code(decoding: Decoding) -> lambda_.Code:
    """Return the package. Its hash is that of its content."""
    return lambda_.Code.from_asset(
        str(_FUNCTION),
        asset_hash_type=AssetHashType.OUTPUT,
        bundling=BundlingOptions(
            image=DockerImage.from_registry("scratch"),  # never used: packing is done here
            local=_Packing(decoding),
        ),
    )


def pack(decoding: Decoding, folder: Path) -> None:
    """Copy all that the function needs to ``folder``."""
    shutil.copytree(decoding.libraries, folder, ignore=_JUNK, dirs_exist_ok=True)
    shutil.copytree(_FUNCTION, folder, ignore=_JUNK, dirs_exist_ok=True)
    for package in _PACKAGES:
        shutil.copytree(_PROJECT / package, folder / package, ignore=_JUNK)
    for name in {FILE, *load(decoding.codecs).files}:
        _copy(decoding.codecs / name, folder / CODECS_FOLDER / name)
    # Lambda reads it as another user, whatever the umask and the modes were here.
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


@jsii.implements(ILocalBundling)
class _Packing:
    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding

    def try_bundle(self, output_dir: str, *_options: object, **_more: object) -> bool:
        pack(self._decoding, Path(output_dir))
        return True
