"""Packs a function of ``lambda/``, with the packages of ours that it imports, and libraries."""

import shutil
from collections.abc import Callable
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

_PROJECT = Path(__file__).resolve().parent.parent
_FUNCTIONS = _PROJECT / "lambda"
_JUNK = shutil.ignore_patterns("__pycache__", "*.dist-info", "bin")

Pack = Callable[[Path], None]
"""Fills a folder with all that a function needs."""


def packed(function: str, pack: Pack) -> lambda_.Code:
    """Return the package of a function. Its hash is that of its content.

    The CDK takes packages of one folder for the same, whatever packs them.
    """
    return lambda_.Code.from_asset(
        str(_FUNCTIONS / function),
        asset_hash_type=AssetHashType.OUTPUT,
        bundling=BundlingOptions(
            image=DockerImage.from_registry("scratch"),  # never used: packing is done here
            local=_Packing(pack),
        ),
    )


def copy_code(function: str, *packages: str, folder: Path) -> None:
    """Copy a function, and the packages of this project that it imports."""
    for source in (_FUNCTIONS / function, *(_PROJECT / package for package in packages)):
        copy_folder(source, folder / source.name)


def copy_folder(source: Path, target: Path) -> None:
    """Copy all that can be imported, into a folder that may be there."""
    shutil.copytree(source, target, ignore=_JUNK, dirs_exist_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, into a folder that may not be there yet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def let_lambda_read(folder: Path) -> None:
    """Open a package: Lambda reads it as another user, whatever umask and modes were here."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@jsii.implements(ILocalBundling)
class _Packing:
    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def try_bundle(self, output_dir: str, *_options: object, **_more: object) -> bool:
        self._pack(Path(output_dir))
        return True
