"""Packs the decoder: the function, the modules of this project it imports, libraries, codecs."""

import shutil
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from bridge.names import CODECS_FOLDER
from codec.mapping import FILE, load
from stacks.settings import Decoding

_PROJECT = Path(__file__).resolve().parent.parent
_FUNCTION = _PROJECT / "lambda"
_MODULES = (
    "bridge/__init__.py",
    "bridge/errors.py",
    "bridge/names.py",
    "bridge/reading/__init__.py",
    "bridge/reading/rows.py",
    "bridge/uplinks/__init__.py",
    "bridge/uplinks/rejection.py",
    "bridge/uplinks/timestamps.py",
    "bridge/uplinks/uplink.py",
    "codec/__init__.py",
    "codec/apart.py",
    "codec/buffer.js",
    "codec/call.js",
    "codec/cayenne_lpp.js",
    "codec/engine.py",
    "codec/errors.py",
    "codec/form.js",
    "codec/globals.js",
    "codec/harden.js",
    "codec/javascript.py",
    "codec/kept.py",
    "codec/mapping.py",
    "codec/strict.py",
)
"""What the function imports of this project, and what these read."""
_JUNK = shutil.ignore_patterns("__pycache__", "*.dist-info", "bin")


def decoder_code(decoding: Decoding) -> lambda_.Code:
    """Return the package, whose identity is what is in it."""
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
    for module in _MODULES:
        _copy(_PROJECT / module, folder / module)
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
