"""Shows the newest uplinks of a device, and goes on with what comes, until Ctrl-C."""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby

import click

from console.interrupt import interruptible
from console.show.columns import Columns, choose
from console.show.output import Output
from console.show.tables import Format, render
from console.store.history import uplinks
from console.store.live import Consumer, live_uplinks
from contract.names import SORT_KEY
from contract.rows import Row

_STORED = 10  # uplinks shown before those that come, unless another number is asked for


def follow_device(
    consumer: Consumer, table: str, device: str, output: Output, limit: int | None
) -> None:
    """Write the newest stored uplinks, oldest first, and each that comes, to the terminal.

    Raises:
        BridgeError: AWS refuses, or the consumer cannot connect.

    """
    with interruptible() as ended, live_uplinks(consumer, device, ended.is_set) as live:
        # Read when subscribed already, so that nothing falls between.
        stored = list(uplinks(table, device, limit=limit or _STORED))[::-1]
        times = {row[SORT_KEY] for row in stored}
        news = (row for row in live if row[SORT_KEY] not in times)
        columns, rows = choose(stored, output.fields)
        for line in lines(chain(rows, news), Format(output.form), columns):
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
