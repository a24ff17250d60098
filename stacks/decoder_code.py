"""Packs the decoder: the function, the packages of ours that it imports, libraries, codecs."""

from functools import partial
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from codec.digest import FILE
from codec.mapping import load
from contract.names import CODECS_FOLDER
from stacks.packing import copy_code, copy_file, copy_folder, let_lambda_read, packed
from stacks.settings import Decoding

_FUNCTION = "decoder"


def decoder_code(decoding: Decoding) -> lambda_.Code:
    """Return the package."""
    return packed(_FUNCTION, partial(pack, decoding))


def pack(decoding: Decoding, folder: Path) -> None:
    """Copy all that the function needs to ``folder``."""
    copy_folder(decoding.libraries, folder)
    copy_code(_FUNCTION, "contract", "codec", folder=folder)
    for name in {FILE, *load(decoding.codecs).files}:
        copy_file(decoding.codecs / name, folder / CODECS_FOLDER / name)
    let_lambda_read(folder)
