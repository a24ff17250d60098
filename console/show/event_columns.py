"""What of an event is shown, under which names. Does no I/O."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from console.show.columns import LOOKED_AT, Cells, Columns, as_json, widths
from contract.names import EVENT_TYPE, EXPIRY_ATTRIBUTE, PARTITION_KEY, SORT_KEY
from contract.rows import Row

_OF_DOWNLINKS = ("id", "state", "attempt", "late", "reason")
_REST = "fields"
COLUMNS = (EVENT_TYPE, *_OF_DOWNLINKS, _REST)
_NOT_REST = {PARTITION_KEY, SORT_KEY, EXPIRY_ATTRIBUTE, "source", *COLUMNS}


def event_cells(row: Row) -> Cells:
    """Return what is shown of an event: those of downlinks by column, of others as one JSON."""
    rest = {name: value for name, value in row.items() if name not in _NOT_REST}
    shown = {name: row.get(name) for name in COLUMNS[:-1]}
    return {**shown, _REST: as_json(rest) if rest else None}


def choose_of_events(rows: Iterable[Row]) -> tuple[Columns, Iterator[Row]]:
    """Return the columns for events, and the events."""
    ahead = iter(rows)
    first = list(islice(ahead, LOOKED_AT))
    wide = widths(map(event_cells, first), COLUMNS)
    columns = Columns(COLUMNS, asked=False, widths=wide, of=event_cells, left=frozenset(COLUMNS))
    return columns, chain(first, ahead)
