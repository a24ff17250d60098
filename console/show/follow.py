"""Shows the newest rows of a device, and goes on with what comes, until Ctrl-C."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

import click

from console.identity.consumers import require_consumer
from console.identity.enroll import Endpoint, find_endpoint
from console.interrupt import interruptible
from console.show.columns import Columns
from console.show.tables import Format, render
from console.store.live import Making, ReadTable, live_rows
from console.store.shown import Shown
from console.store.subscription import Consumer
from contract.deployment import Deployment
from contract.names import command_client_id
from contract.rows import Row

_STORED = 10  # rows shown before those that come, unless another number is asked for


@dataclass(frozen=True)
class Followed:
    """What is followed: rows of one kind, of a device.

    ``newest`` gives so many that are stored, the newest first, and ``since`` those since a time.
    ``choose`` gives the columns of rows, and the rows.
    """

    making: Making
    newest: Callable[[int], Iterable[Row]]
    since: ReadTable
    choose: Callable[[Iterable[Row]], tuple[Columns, Iterator[Row]]]


def following(
    deployment: Deployment, name: str, folder: Path, host: str | None, port: int, ca: Path | None
) -> Consumer:
    """Return who follows: a consumer beside its own programs; without ``host`` AWS is asked.

    Raises:
        BridgeError: it is no consumer, or AWS refuses.

    """
    require_consumer(deployment, name)
    where = Endpoint(host or find_endpoint(), port, ca)
    client_id = command_client_id(deployment.thing(name), f"follow-{secrets.token_hex(4)}")
    return Consumer(deployment, name, client_id, folder, where)


def follow_rows(consumer: Consumer, followed: Followed, form: Format, limit: int | None) -> None:
    """Write the newest stored rows, oldest first, and each that comes, to the terminal.

    Raises:
        BridgeError: AWS refuses, or the consumer cannot connect.

    """
    wanted = limit or _STORED
    shown = Shown()
    with (
        interruptible() as ended,
        live_rows(consumer, followed.making, shown, followed.since, ended.is_set) as live,
    ):
        stored = list(followed.newest(wanted))[::-1]
        shown.begin(stored, cut=len(stored) == wanted)
        columns, rows = followed.choose(stored)
        for line in lines(chain(rows, live), form, columns):
            click.echo(line)


def lines(rows: Iterable[Row], form: Format, columns: Columns) -> Iterator[str]:
    """Yield lines as ``render`` does; rows with new fields get new columns, below a new header."""
    if form is Format.JSON:
        return render(rows, form, columns)
    parts = groupby(rows, key=_Growing(columns))
    return chain.from_iterable(render(part, form, suited) for suited, part in parts)


class _Growing:
    """The columns for each row in turn: those before it, or more."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __call__(self, row: Row) -> Columns:
        self._columns = self._columns.suited(row)
        return self._columns
