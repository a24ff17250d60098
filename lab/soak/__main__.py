"""``python -m lab.soak``: every scenario in turn, with a table of what was counted at the end."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

from console.store.history import table_name
from contract.deployment import UNNAMED
from contract.downlinks import State
from lab.aws.cdk import CdkError, deploy, write_settings
from lab.aws.host import Host
from lab.aws.server import LocalAwsError, local_aws
from lab.rig.errors import RigError
from lab.rig.machine import machine
from lab.soak.backend import Backend
from lab.soak.fates import Ends
from lab.soak.result import Result
from lab.soak.scenarios.answers import crowded, hung_up, refused, withheld
from lab.soak.scenarios.chirp_away import (
    chirp_away,
    chirp_backlog,
    chirp_dropped,
    chirp_spool_full,
)
from lab.soak.scenarios.chirp_disk import chirp_clock_back, chirp_disk_full
from lab.soak.scenarios.chirp_kills import chirp_both, chirp_broker, chirp_kills
from lab.soak.scenarios.disk import clock_back, damaged, full, refusals
from lab.soak.scenarios.down_broker import down_pair, down_repeats
from lab.soak.scenarios.down_disk import down_clock_back, down_damaged, down_disk_full
from lab.soak.scenarios.down_kills import down_kills
from lab.soak.scenarios.down_outages import down_outages, down_server
from lab.soak.scenarios.hostile import hostile
from lab.soak.scenarios.kills import kills
from lab.soak.scenarios.long_run import long_run
from lab.soak.scenarios.outages import outages
from lab.soak.scenarios.pair import pair
from lab.soak.scenarios.quotas import quotas
from lab.soak.scenarios.spool_file import damaged_log, emptied, removed
from lab.soak.scenarios.unread import unread

Say = Callable[[str], None]
_BRIDGES, _CONSUMER = ("network-host-1", "network-host-2"), "reader"
# Unlike /tmp, never in memory: the spool must be on a disk.
_ON_DISK = "/var/tmp"  # noqa: S108  # in it, folders of unpredictable names

_ALONE: dict[str, Callable[[Path, Say], Result]] = {
    "outages": partial(outages, seconds=120),
    "withheld": withheld,
    "refused": partial(refused, seconds=20),
    "crowded": partial(crowded, seconds=10),
    "hung-up": hung_up,
    "disk-full": full,
    "damaged": damaged,
    "damaged-log": damaged_log,
    "emptied": emptied,
    "removed": removed,
    "refusals": refusals,
    "clock-back": clock_back,
    "unread": unread,
    "hostile": partial(hostile, connections=1000, seconds=20),
    "quotas": partial(quotas, seconds=60),
    "down-kills": partial(down_kills, count=65),
    "down-outages": partial(down_outages, count=20),
    "down-server": partial(down_server, count=20),
    "down-repeats": partial(down_repeats, seconds=45),
    "down-pair": partial(down_pair, count=39),
    "down-clock-back": down_clock_back,
    "down-disk-full": partial(down_disk_full, count=5),
    "down-damaged": down_damaged,
    "chirp-kills": partial(chirp_kills, count=40),
    "chirp-broker": partial(chirp_broker, count=30),
    "chirp-both": partial(chirp_both, count=40),
    "chirp-away": partial(chirp_away, seconds=30),
    "chirp-spool-full": partial(chirp_spool_full, seconds=20),
    "chirp-backlog": partial(chirp_backlog, count=100_000),
    "chirp-disk-full": chirp_disk_full,
    "chirp-clock-back": chirp_clock_back,
    "chirp-dropped": chirp_dropped,
}
"""Before a broker of their own."""
_WITH_TABLE: dict[str, Callable[[Backend, Path, Say], Result]] = {
    "kills": partial(kills, count=50),
    "pair": partial(pair, seconds=30),
}
"""Before the local AWS."""
_LONG = "long-run"

_HEADER = (
    *("scenario", "sent", "committed", "published", "delivered"),
    *("lost", "out of order", "rows", ""),
)
_ENDS = (State.SENT, State.ACKNOWLEDGED, State.EXPIRED, State.UNKNOWN, State.FAILED)
_HEADER_OF_DOWNLINKS = (
    *("scenario", "requested", "accepted", "written", *_ENDS),
    *("written twice", "written late", "no end", "two ends", "uplinks", "lost", ""),
)
_HEADER_OF_CHIRPSTACK = (
    *("scenario", "accepted", "published", "arrived"),
    *("lost", "rows", "twice", ""),
)


def main() -> int:
    """Play the scenarios; return 0 when every promise was kept."""
    names = [*_WITH_TABLE, *_ALONE, _LONG]
    parser = argparse.ArgumentParser(prog="python -m lab.soak", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--minutes", type=float, default=10, help="that the long run takes")
    options = parser.parse_args()
    if unknown := set(options.scenario) - set(names):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    wanted = [name for name in names if name in (options.scenario or names)]
    try:
        with tempfile.TemporaryDirectory(prefix="lora-soak-", dir=_ON_DISK) as folder:
            results = _play(Path(folder), wanted, options.minutes)
    except (RigError, CdkError, LocalAwsError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"{machine()}\n\n{_tables(results)}")
    return 1 if any(each.problems for each in results.values()) else 0


def _play(folder: Path, names: list[str], minutes: float) -> dict[str, Result]:
    results = {}
    with ExitStack() as stack:
        backend = None
        for number, name in enumerate(names, start=1):
            own = folder / name
            own.mkdir()
            say = partial(_say, f"{number}/{len(names)} {name}", time.monotonic())
            if name in _WITH_TABLE:
                backend = backend or _backend(stack, folder, say)
                # An application of its own: the table is the same for all.
                done = _WITH_TABLE[name](replace(backend, application=f"a{number}"), own, say)
            elif name in _ALONE:
                done = _ALONE[name](own, say)
            else:
                done = long_run(own, say, minutes=minutes)
            say("; ".join(done.problems) or "as promised")
            results[name] = done
    return results


def _backend(stack: ExitStack, folder: Path, say: Say) -> Backend:
    """Start the local AWS, deploy the stacks and enroll everyone."""
    say("the local AWS")
    own = folder / "aws"
    own.mkdir()
    aws = stack.enter_context(local_aws(own))
    os.environ.update(aws.environment())
    host = Host(aws, own)
    settings: dict[str, object] = {
        "environment": "development",
        "bridges": {name: str(host.keygen(name)) for name in _BRIDGES},
        "consumers": {_CONSUMER: str(host.keygen(_CONSUMER))},
    }
    deploy(os.environ, own / "cdk.out", write_settings(own, settings))
    for name in (*_BRIDGES, _CONSUMER):
        host.enroll(name)
    return Backend(host, table_name(UNNAMED), _BRIDGES, _CONSUMER, "37817737f13")


def _tables(results: dict[str, Result]) -> str:
    """Return a table of the scenarios of each kind."""
    of_uplinks, of_downlinks, of_chirpstack = (
        list[list[str]](),
        list[list[str]](),
        list[list[str]](),
    )
    for name, done in results.items():
        if done.downlinks is not None:
            of_downlinks.append(_row_of_downlinks(name, done, done.downlinks))
        elif done.twice is not None:
            of_chirpstack.append(_row_of_chirpstack(name, done, done.twice))
        else:
            of_uplinks.append(_row(name, done))
    tables = (
        (_HEADER, of_uplinks),
        (_HEADER_OF_DOWNLINKS, of_downlinks),
        (_HEADER_OF_CHIRPSTACK, of_chirpstack),
    )
    return "\n\n".join(_table(header, rows) for header, rows in tables if rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ("---", *["---:"] * (len(header) - 2), "---")
    return "\n".join(
        f"| {' | '.join(row)} |".replace("|  |", "| |") for row in (header, rule, *rows)
    )


def _row(name: str, done: Result) -> list[str]:
    counts = (done.sent, done.committed, done.published, done.delivered, done.lost)
    figures = [f"{count:,}" for count in (*counts, done.out_of_order)]
    return [name, *figures, "-" if done.rows is None else f"{done.rows:,}", _remarks(done)]


def _row_of_downlinks(name: str, done: Result, ends: Ends) -> list[str]:
    counts = (
        *(ends.requested, ends.accepted, ends.written),
        *(ends.by_state.get(state, 0) for state in _ENDS),
        *(ends.twice, ends.overdue, ends.endless, ends.contradicted, done.sent, done.lost),
    )
    return [name, *(f"{count:,}" for count in counts), _remarks(done)]


def _row_of_chirpstack(name: str, done: Result, twice: int) -> list[str]:
    counts = (done.sent, done.published, done.delivered, done.lost, done.rows or 0, twice)
    return [name, *(f"{count:,}" for count in counts), _remarks(done)]


def _remarks(done: Result) -> str:
    return done.remarks + (f" **{'; '.join(done.problems)}**" if done.problems else "")


def _say(what: str, began: float, words: str) -> None:
    print(f"{what}, {time.monotonic() - began:.0f} s: {words.strip()}", file=sys.stderr, flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End on SIGTERM or SIGHUP as on Ctrl-C: nothing is left running."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
