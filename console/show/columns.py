"""What of a row is shown, under which names. Does no I/O."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice

import msgspec

from contract.names import DECODE_ERROR, DECODE_WARNINGS, DECODED, PARTITION_KEY, SORT_KEY
from contract.rows import Row, Value, number, port_and_data

RECEIVED = ("seqno", "port", "freq", "datr", "gwrx", "rssi", "lsnr", "bytes")
"""The columns of every uplink, whatever its codec says."""
_KEYS = {PARTITION_KEY, SORT_KEY}  # shown with every row
_TAKEN = {*_KEYS, *RECEIVED, DECODE_ERROR, DECODE_WARNINGS}
LOOKED_AT = 200
"""Rows, the first, whose fields become columns, as wide as they are."""
_WIDEST = 40  # characters that a column is made wide for
_MANY = 20  # names at most in a remark
_COLUMNS = 1000  # that are made of decoded fields, at most

_encoder = msgspec.json.Encoder(decimal_format="number")

Cells = dict[str, Value]
"""The cells of a row by column; a list is the text of its JSON."""


def cells(row: Row) -> Cells:
    """Return all that can be shown of a row: ``RECEIVED``, and the decoded fields.

    ``gwrx`` is a count, ``rssi`` and ``lsnr`` are those of the gateway that heard the device best.
    A field within a map is named ``map.field``; one that is called like something else in a row
    is ``decoded.field``.
    """
    motetx = row.get("motetx")
    radio = motetx if isinstance(motetx, dict) else {}
    best, heard = _best(row.get("gwrx"))
    content = port_and_data(row)
    received: Cells = {
        "seqno": row.get("seqno"),
        "port": content[0] if content else None,
        "freq": radio.get("freq"),
        "datr": radio.get("datr"),
        "gwrx": heard,
        "rssi": best.get("rssi"),
        "lsnr": best.get("lsnr"),
        "bytes": content[1].hex() if content else None,
    }
    return received | _decoded(row)


@dataclass(eq=False)
class Columns:
    """The columns of an output, and remarks on them for when it is complete."""

    names: tuple[str, ...]
    asked: bool
    """Whether a person named them; if not, they are those that the first rows have."""
    widths: tuple[int, ...]
    """Characters that the values of the first rows take."""
    of: Callable[[Row], Cells] = cells
    """Gives the cells of a row."""
    left: frozenset[str] = frozenset({"bytes"})
    """The columns whose values begin below the name; those of others end there."""
    _filled: set[str] = field(default_factory=set)
    _others: dict[str, None] = field(default_factory=dict)

    def suited(self, row: Row) -> "Columns":
        """Return these, or more where nobody named them and the row has others."""
        others = self.of(row).keys() - set(self.names)
        if self.asked or not others:
            return self
        known = dict.fromkeys([*self.names[len(RECEIVED) - 1 : -1], *_decoded(row)])
        return _suited([row], _with_received(known))

    def values(self, row: Row) -> list[Value]:
        """Return the row's value of each column."""
        found = self.of(row)
        if self.asked:
            self._filled.update(name for name in self.names if found.get(name) is not None)
        elif len(self._others) <= _MANY:
            self._others.update(dict.fromkeys(found.keys() - set(self.names)))
        return [found.get(name) for name in self.names]

    def remarks(self) -> Iterator[str]:
        """Yield what the output does not tell."""
        if self.asked:
            for name in self.names:
                if name not in self._filled:
                    yield f"no row has {text(name)}"
        elif self._others:
            names = ",".join(map(text, islice(self._others, _MANY)))
            yield f"some rows also have {names}: name what to show with --fields"


def choose(rows: Iterable[Row], fields: Sequence[str] | None) -> tuple[Columns, Iterator[Row]]:
    """Return the columns for the rows, and the rows.

    They are the ``fields`` asked for, or else those of ``RECEIVED`` and the decoded ones.
    """
    ahead = iter(rows)
    first = list(islice(ahead, LOOKED_AT))
    if fields is None:
        names = _with_received(dict.fromkeys(name for row in first for name in _decoded(row)))
    else:
        names = tuple(dict.fromkeys(plain_name(name) for name in fields if name not in _KEYS))
    return _suited(first, names, asked=fields is not None), chain(first, ahead)


def columns_of_all(rows: Iterable[Row]) -> Columns:
    """Return columns for whatever the rows have, within reason; they are read for that alone."""
    names: dict[str, None] = {}
    for row in rows:
        for name in _decoded(row):
            if len(names) < _COLUMNS:
                names[name] = None
    return _suited([], _with_received(names))


def _with_received(decoded: Iterable[str]) -> tuple[str, ...]:
    return (*RECEIVED[:-1], *decoded, RECEIVED[-1])  # the bytes last: they may be long


def _suited(rows: list[Row], names: tuple[str, ...], *, asked: bool = False) -> Columns:
    """Return columns as wide as the values of the rows."""
    return Columns(names, asked, widths(map(cells, rows), names))


def widths(shown: Iterable[Cells], names: Sequence[str]) -> tuple[int, ...]:
    """Return how many characters the values take in each column, within reason."""
    rows = list(shown)
    found = (max((len(text(each.get(name))) for each in rows), default=0) for name in names)
    return tuple(min(width, _WIDEST) for width in found)


def plain(value: Value) -> str:
    """Return a value as a file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def text(value: Value) -> str:
    """Return a value as a terminal shows it: what would speak to the terminal is escaped."""
    shown = plain(value)
    return shown if shown.isprintable() else "".join(map(_escaped, shown))


def _escaped(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":  # a space of some width
        return character
    return character.encode("unicode_escape").decode()


def plain_name(name: str) -> str:
    """Return the column of a field that a person names, with ``decoded.`` before it or without."""
    plain = name.removeprefix(f"{DECODED}.")
    return name if plain in _TAKEN else plain


def _decoded(row: Row) -> Cells:
    found: Cells = {}
    _flatten(row.get(DECODED), "", found)
    error = row.get(DECODE_ERROR)
    if isinstance(error, dict):
        found[DECODE_ERROR] = f"{error.get('code')}: {error.get('message')}"
    warnings = row.get(DECODE_WARNINGS)
    if isinstance(warnings, list):
        found[DECODE_WARNINGS] = "; ".join(map(str, warnings))
    return found


def _flatten(value: Value, name: str, found: Cells) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _flatten(each, f"{name}.{key}" if name else key, found)
    elif name:
        shown = f"{DECODED}.{name}" if name in _TAKEN else name
        found[shown] = as_json(value) if isinstance(value, list) else value


def as_json(value: Value) -> str:
    """Return a list or map as text."""
    return _encoder.encode(value).decode()


def _best(gwrx: Value) -> tuple[dict[str, Value], int | None]:
    """Return what the gateway received that heard the device best, and how many heard it."""
    gateways = [each for each in gwrx if isinstance(each, dict)] if isinstance(gwrx, list) else []
    return max(gateways, key=_strength, default={}), len(gateways) or None


def _strength(reception: dict[str, Value]) -> Decimal:
    rssi = number(reception.get("rssi"))
    return Decimal("-Infinity") if rssi is None else Decimal(rssi)
