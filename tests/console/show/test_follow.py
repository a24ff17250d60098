"""Lines that go on as uplinks come."""

from console.show.columns import choose
from console.show.follow import lines
from console.show.tables import Format
from contract.rows import Row


def row(number: int, **decoded: int) -> Row:
    """Return an uplink with a reading."""
    at = f"2026-11-22T10:00:00.{number:06}Z"
    return {"device": "a/d", "timestamp": at, **({"decoded": dict(decoded)} if decoded else {})}


def shown(form: Format, fields: list[str] | None, *news: Row) -> list[str]:
    """Return the lines after an uplink that has no reading, widths left out."""
    columns, rows = choose([row(0)], fields)
    return [" ".join(line.split()) for line in lines([*rows, *news], form, columns)]


def test_new_fields_get_columns() -> None:
    """The first reading with new fields comes below a new header, which the next ones share."""
    header = "timestamp seqno port freq datr gwrx rssi lsnr"
    assert shown(Format.TABLE, None, row(1, t=20), row(2, t=21), row(3), row(4, h=5)) == [
        f"{header} bytes",
        "2026-11-22T10:00:00.000000Z",
        f"{header} t bytes",
        "2026-11-22T10:00:00.000001Z 20",
        "2026-11-22T10:00:00.000002Z 21",
        "2026-11-22T10:00:00.000003Z",
        f"{header} t h bytes",
        "2026-11-22T10:00:00.000004Z 5",
    ]


def test_columns_that_were_asked_for_stay() -> None:
    """Who names fields gets those, below one header."""
    assert shown(Format.CSV, ["t"], row(1, t=20, h=5)) == [
        "device,timestamp,t",
        "a/d,2026-11-22T10:00:00.000000Z,",
        "a/d,2026-11-22T10:00:00.000001Z,20",
    ]


def test_json_stays_one_array() -> None:
    """JSON has no columns to grow."""
    found = shown(Format.JSON, None, row(1, t=20))
    assert (found[0], len(found), found[-1]) == ("[", 4, "]")
