"""Tells what is broken from what AWS does not let one look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from console.check.chain import NotTriedError
from console.deployment import aws_errors
from contract.errors import BridgeError


@contextmanager
def looking() -> Iterator[None]:
    """Take an error of AWS for a link that could not be looked at."""
    try:
        with aws_errors():
            yield
    except BridgeError as error:
        raise NotTriedError(str(error)) from None
