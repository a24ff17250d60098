"""What a scenario counted, and whether it is as promised."""

from collections.abc import Iterable
from dataclasses import dataclass

from lab.soak.fates import Ends
from lab.soak.frames import Delivered


@dataclass(frozen=True)
class Result:
    """The counts of one scenario.

    ``published`` are the messages that the broker took, repeated ones included; ``delivered`` the
    different frames among them. ``rows`` is None where no table is behind the broker. ``problems``
    are the broken promises: with none the scenario is a success. ``downlinks`` is None where none
    were requested. ``twice`` are the uplinks with two rows, None where a network server has no
    PUBACKs; where it has, ``sent`` are those that its broker has accepted.
    """

    sent: int
    committed: int
    published: int
    delivered: int
    lost: int
    out_of_order: int
    rows: int | None
    remarks: str
    problems: tuple[str, ...]
    downlinks: Ends | None = None
    twice: int | None = None


def result(  # noqa: PLR0913  # a line of the table
    *,
    sent: Iterable[int],
    committed: int,
    arrived: Delivered,
    rows: int | None = None,
    remarks: str,
    promises: Iterable[tuple[bool, str]],
    downlinks: Ends | None = None,
) -> Result:
    """Sum up. Each promise is whether it was kept, and what to say if not."""
    numbers = frozenset(sent)
    return Result(
        sent=len(numbers),
        committed=committed,
        published=arrived.total,
        delivered=len(arrived.numbers),
        lost=len(numbers - arrived.numbers),
        out_of_order=arrived.out_of_order,
        rows=rows,
        remarks=remarks,
        problems=broken(promises),
        downlinks=downlinks,
    )


def broken(promises: Iterable[tuple[bool, str]]) -> tuple[str, ...]:
    """Return the words of the promises that were not kept."""
    return tuple(words for kept, words in promises if not kept)
