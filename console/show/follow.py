"""Shows the newest uplinks of a device, and goes on with what comes, until Ctrl-C."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, groupby

import click

from console.interrupt import interruptible
from console.show.columns import Columns, choose
from console.show.output import Output
from console.show.tables import Format, render
from console.store.history import stored_since, uplinks
from console.store.live import live_uplinks
from console.store.shown import Shown
from console.store.subscription import Consumer
from contract.rows import Row

_STORED = 10  # uplinks shown before those that come, unless another number is asked for


def follow_device(
    consumer: Consumer, table: str, device: str, output: Output, limit: int | None
) -> None:
    """Write the newest stored uplinks, oldest first, and each that comes, to the terminal.

    Raises:
        BridgeError: AWS refuses, or the consumer cannot connect.

    """
    wanted = limit or _STORED
    shown, read = Shown(), partial(stored_since, table, device)
    with (
        interruptible() as ended,
        live_uplinks(consumer, device, shown, read, ended.is_set) as live,
    ):
        stored = list(uplinks(table, device, limit=wanted))[::-1]
        shown.begin(stored, cut=len(stored) == wanted)
        columns, rows = choose(stored, output.fields)
        for line in lines(chain(rows, live), Format(output.form), columns):
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
