"""Of downlinks in a damaged spool none is handed over twice, and none is without an end."""

from pathlib import Path

import msgspec

from bridge.config import Downlinks
from bridge.messages.message import Message
from bridge.spool import downlinks
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Waiting
from tests.bridge.downlinks.setting import Server, Setting, request, setting


async def test_a_damaged_spool_hands_nothing_over_twice(path: Path) -> None:
    """What waited in it may have been written: it ends as unknown."""
    async with setting(path, Server(open=False)) as made:
        made.ask(request())
        await made.until("accepted")
        more = [Waiting.of(n, Message("lora/a2/d1", b"{}" + b" " * 400)) for n in range(9, 999)]
        made.spool.commit(Batch(more))
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 4096)
    server = Server()
    with Spool(path) as spool:
        spool.placements()
        spool.count_waiting()
        spool.read(0, 10**9, Share(0, 1))
        assert spool.mendings == 1
        made = Setting(spool, server, Downlinks())
        made.spooler.commit()
        assert made.missed == ["the spool was damaged"]
        assert [each for each in made.events() if each[0] == "a"] == [
            *(("a", "accepted"), ("a", "unknown")),
        ]
        made.spooler.close()
    assert server.given == []


def _damage_page_with(path: Path, content: bytes) -> None:
    place = path.read_bytes().index(content) // 4096 * 4096
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 4096)


async def test_a_damaged_page_of_downlinks_leaves_none_without_an_end(path: Path) -> None:
    """What was open is unknown, and all of it is known when it comes again."""
    names = [f"n{number}" for number in range(100)]
    async with setting(path, Server(open=False)) as made:
        made.ask(request("over", expires=1))
        for number, name in enumerate(names):
            made.ask(request(name), f"lora/a1/{number:x}/down")
        await made.until("accepted", "expired", *["accepted"] * len(names))
        rows = made.spool.look(downlinks.still_open)
    _damage_page_with(path, msgspec.msgpack.encode(rows[len(rows) // 2]))
    server = Server()
    async with setting(path, server) as made:
        assert made.spool.mendings == 1
        made.spooler.commit()
        assert {name for name, state in made.events() if state == "unknown"} == {*names}
        made.ask(request("over"))
        for number, name in enumerate(names):
            made.ask(request(name), f"lora/a1/{number:x}/down")
        assert made.counts.downlinks["repeated"] == len(names) + 1
    assert server.given == []
