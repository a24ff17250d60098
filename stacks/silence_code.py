"""Packs the function that tells of silent devices: it, what it imports, the file of intervals."""

from functools import partial
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from contract.silence import INTERVALS_FILE
from stacks.packing import copy_code, copy_file, copy_folder, let_lambda_read, packed
from stacks.settings import Silence

_FUNCTION = "silence"
_LIBRARY = "msgspec"  # of those of the decoder


def silence_code(silence: Silence) -> lambda_.Code:
    """Return the package."""
    return packed(_FUNCTION, partial(pack, silence))


def pack(silence: Silence, folder: Path) -> None:
    """Copy all that the function needs to ``folder``."""
    copy_folder(silence.libraries / _LIBRARY, folder / _LIBRARY)
    copy_code(_FUNCTION, "contract", folder=folder)
    if silence.intervals is not None:
        copy_file(silence.intervals, folder / INTERVALS_FILE)
    let_lambda_read(folder)
