"""Follows each uplink at debug level, from its frame to its PUBACK, by device and seqno."""

import logging
from collections.abc import Iterable
from typing import Protocol

from bridge.messages.message import seqno_of

_log = logging.getLogger(__name__)


class Traced(Protocol):
    """What is traced: a message, before it waits in the spool or while it does."""

    @property
    def device(self) -> str:
        """The device that it is about."""

    @property
    def payload(self) -> bytes:
        """Its JSON."""


def traced() -> bool:
    """Say whether the log shows the debug level."""
    return _log.isEnabledFor(logging.DEBUG)


def trace(messages: Iterable[Traced], step: str) -> None:
    """Log how far uplinks have come, at debug level."""
    if not traced():
        return
    for each in messages:
        device, seqno = each.device, seqno_of(each.payload)
        where = {"device": device, "seqno": seqno}
        _log.debug("uplink %s seqno=%s: %s", device, seqno, step, extra=where)
