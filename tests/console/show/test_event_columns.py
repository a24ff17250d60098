"""Events of all types share their columns."""

from console.show.event_columns import choose_of_events
from console.show.follow import lines
from console.show.tables import Format
from contract.rows import Row

JOIN: Row = {
    "device": "a/d",
    "timestamp": "2026-11-22T10:00:00.000000Z",
    "type": "join",
    "source": "semtech",
    "expires": 1_800_000_000,
    "nonce": 12,
}
FAILED: Row = {
    "device": "a/d",
    "timestamp": "2026-11-22T10:00:01.000000Z",
    "type": "downlink",
    "source": "semtech",
    "id": "open-17",
    "state": "failed",
    "attempt": 1,
    "reason": "no\x1broom",
}


def test_a_table() -> None:
    """What a type has beside the columns is JSON in the last; nothing speaks to the terminal."""
    columns, rows = choose_of_events([FAILED, JOIN])
    assert list(lines(rows, Format.TABLE, columns)) == [
        "timestamp                   type     id      state  attempt late reason     fields",
        "2026-11-22T10:00:01.000000Z downlink open-17 failed 1            no\\x1broom",
        '2026-11-22T10:00:00.000000Z join                                            {"nonce":12}',
    ]


def test_csv_and_json() -> None:
    """CSV has the same columns, and JSON what is stored; one that comes later adds none."""
    columns, _rows = choose_of_events([FAILED])
    assert list(lines([FAILED, JOIN], Format.CSV, columns)) == [
        "device,timestamp,type,id,state,attempt,late,reason,fields",
        "a/d,2026-11-22T10:00:01.000000Z,downlink,open-17,failed,1,,no\\x1broom,",
        'a/d,2026-11-22T10:00:00.000000Z,join,,,,,,"{""nonce"":12}"',
    ]
    found = list(lines([JOIN], Format.JSON, columns))
    assert '"nonce":12' in found[1]
