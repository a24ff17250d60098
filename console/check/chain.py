"""A chain of links, looked at one after the other until one is broken. Does no I/O."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What was found of a link."""

    WHOLE = "whole"
    BROKEN = "broken"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Finding:
    """What was found of a link: ``detail`` is what was seen, or the reason.

    ``remedy`` is what to do about it, empty where there is nothing; ``seconds`` is what it took.
    """

    link: str
    state: State
    detail: str
    remedy: str
    seconds: float


class BrokenError(Exception):
    """A link is broken, for a reason, with a remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


class NotTriedError(Exception):
    """A link could not be looked at, which does not make it broken."""


QUIET = "nothing is published unless you ask for it"
"""Why a link that publishes is not looked at."""

Link = tuple[str, Callable[[], str]]
"""A name, and what looks at it and returns what it saw."""

_MARKS = {State.WHOLE: "✓", State.BROKEN: "✗", State.NOT_TRIED: "-"}


def walk(links: Iterable[Link], clock: Callable[[], float]) -> Iterator[Finding]:
    """Look at the links in their order, until one is broken; ``clock`` tells seconds."""
    for name, look in links:
        began = clock()
        state, detail, remedy = _look(look)
        yield Finding(name, state, detail, remedy, clock() - began)
        if state is State.BROKEN:
            break


def _look(look: Callable[[], str]) -> tuple[State, str, str]:
    try:
        return State.WHOLE, look(), ""
    except BrokenError as broken:
        return State.BROKEN, str(broken), broken.remedy
    except NotTriedError as error:
        return State.NOT_TRIED, str(error), ""


def line(finding: Finding) -> str:
    """Return a finding as a line for people."""
    not_tried = "not tried, " if finding.state is State.NOT_TRIED else ""
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    took = f" ({finding.seconds * 1000:.0f} ms)" if finding.state is State.WHOLE else ""
    return f"{_MARKS[finding.state]} {finding.link}: {not_tried}{finding.detail}{took}{remedy}"
