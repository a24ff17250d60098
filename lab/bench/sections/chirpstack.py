"""Section: ChirpStack's events, those that waited and those that come."""

import statistics
import tempfile
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path

from lab.bench.chirpstack_latency import through_bridge, through_sdk, to_subscriber
from lab.bench.chirpstack_load import Events, numbered_events
from lab.bench.chirpstack_runs import measure_backlog, runner_of_events
from lab.bench.contenders import BRIDGE_OF_EVENTS, NODE_RED_OF_EVENTS, SDK_OF_EVENTS, Contender
from lab.bench.measure import Result
from lab.bench.report import NOTHING, Setup, say, spread, table
from lab.bench.sections import latency, steady
from lab.bench.turns import Runner

_CONTENDERS = (BRIDGE_OF_EVENTS, SDK_OF_EVENTS, NODE_RED_OF_EVENTS)
_HEADER = (
    "contender",
    "ratio to SDK",
    "ratio to Node-RED",
    "events/s",
    "lost",
    "CPU s per 100,000",
    "peak RSS, MB",
)
_NOTES = """
The events wait in the contender's own session at ChirpStack's broker, and then it starts. Events/s:
different uplinks delivered to a subscriber, from the first delivery to the last. Ratios: of runs of
the same round, the median; lost: the most; other figures: median (min-max). CPU and RSS: of the
contender's processes, for 100,000 delivered, without the CPU of a start at which nothing waits. The
bridge acknowledges an event when it is on disk, the SDK alone when AWS IoT has it. Node-RED does so
when it has read it, and what it holds is lost if it ends then. It drops what it reads before its
other connection is there: now and then the first 20. The SDK alone publishes the event as it is,
which is three times as long as the bridge's message. ChirpStack's broker is a second Mosquitto,
without TLS, with its default max_inflight_messages of 20. It keeps nothing on disk: saving all that
waits at each change would take longer than the rest."""
_NOTES_OF_STEADY = """
CPU of the contender's processes, user and system, while events come one by one, over the seconds in
which they come. All of them run, and each works for 3 s at a time while the others rest. Ratios: of
the same round, the median; lost: the most; other figures: median (min-max) of rounds; peak RSS at
the highest rate. The SDK alone parses nothing but the topic. It and Node-RED keep nothing on
disk."""
_NOTES_OF_LATENCY = """
From the publishing of an event at ChirpStack's broker, by another process, to the PUBACK of AWS
IoT's stand-in, by turns. Both PUBACKs are noted where the SDK calls back. Ratio: of runs of the
same round, the median; other figures: median (min-max) of rounds. Publish to read, read to commit
and read to PUBACK are stages of the bridge, in ms, the last two side by side. It has read an event
when it begins to parse it: where events come more often than each 30 ms, it lets them gather for 20
ms at most. A bare sync is that of one page in a file on the same disk."""
_NOTES_OF_SEEN = """
From the publishing of an event at ChirpStack's broker to its delivery to a subscriber, which looks
each 0.2 ms. Figures: median (min-max) of rounds."""

Results = dict[Contender, list[Result]]


def section(setup: Setup) -> str:
    """Measure backlogs, steady rates and latency, all in rounds; return a table of each."""
    say("chirpstack: making events …")
    waiting = setup.frames // 2
    events = numbered_events(max(waiting, steady.RATES[-1] * steady.SECONDS))
    tables = (
        _backlogs(setup, events[:waiting]),
        _steady(setup, events),
        _latency(setup, events),
        _to_subscriber(setup, events),
    )
    return "\n\n".join(tables)


def _backlogs(setup: Setup, events: Events) -> str:
    title = f"{len(events):,} events wait at ChirpStack's broker; rounds: {setup.repeats}"
    return table(title, _HEADER, backlogs(setup, events)) + "\n" + _NOTES


def backlogs(setup: Setup, events: Events) -> list[list[str]]:
    """Let every contender take the events, in rounds; return the table's lines."""
    results: Results = {each: [] for each in _CONTENDERS if not each.missing()}
    for number in range(setup.repeats):
        for contender, found in results.items():
            say(f"events wait, round {number + 1} of {setup.repeats}: {contender.name} …")
            with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
                found.append(measure_backlog(contender, setup.broker, Path(folder), events))
            say(f"  {found[-1].rate:,.0f} events/s, lost {found[-1].lost:,}")
    return [_row(each, results) for each in _CONTENDERS]


def _row(contender: Contender, results: Results) -> list[str]:
    if contender not in results:
        return [contender.name, contender.missing(), *[NOTHING] * (len(_HEADER) - 2)]
    runs = results[contender]
    return [
        contender.name,
        _ratio(runs, results[SDK_OF_EVENTS]),
        _ratio(runs, results.get(NODE_RED_OF_EVENTS, [])),
        spread([run.rate for run in runs]),
        f"{max(run.lost for run in runs):,}",
        spread([run.cpu_each for run in runs], 2),
        spread([run.peak for run in runs]),
    ]


def _ratio(runs: list[Result], others: list[Result]) -> str:
    """Return the median ratio of the rates, or nothing where there are no others."""
    pairs = zip(runs, others, strict=False)
    ratios = [run.rate / other.rate for run, other in pairs if other.rate]
    return f"{statistics.median(ratios):.2f}" if ratios else NOTHING


def _steady(setup: Setup, events: Events) -> str:
    def start(contender: Contender, folder: Path, rate: int) -> AbstractContextManager[Runner]:
        return runner_of_events(
            setup.broker, events[: rate * steady.SECONDS], contender, folder, rate
        )

    title = f"Steady rates of events, for {steady.SECONDS} s each; rounds: {setup.repeats}"
    rows = steady.costs(setup, _CONTENDERS, NODE_RED_OF_EVENTS, start)
    return table(title, steady.HEADER, rows) + "\n" + _NOTES_OF_STEADY


def _latency(setup: Setup, events: Events) -> str:
    where = (setup.broker, setup.folder)
    rows = latency.latencies(
        setup,
        lambda rate: through_sdk(*where, events[: rate * latency.SECONDS], rate),
        lambda rate: through_bridge(*where, events[: rate * latency.SECONDS], rate),
    )
    title = f"Events to the PUBACK, {latency.SECONDS} s at each rate; rounds: {setup.repeats}"
    return table(title, latency.HEADER_OF_EVENTS, rows) + "\n" + _NOTES_OF_LATENCY


def _to_subscriber(setup: Setup, events: Events) -> str:
    title = f"Events to a subscriber, {latency.SECONDS} s at each rate; rounds: {setup.repeats}"
    figures = [f"{figure} at {rate:,}/s, ms" for rate in latency.RATES for figure in ("p50", "p99")]
    rows = seen(setup, events)
    return table(title, ("contender", *figures), rows) + "\n" + _NOTES_OF_SEEN


def seen(setup: Setup, events: Events, seconds: int = latency.SECONDS) -> list[list[str]]:
    """Let events go through every contender at every rate, in rounds; return the table's lines."""
    present = [each for each in _CONTENDERS if not each.missing()]
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for number in range(setup.repeats):
        for contender, rate in product(present, latency.RATES):
            say(f"to a subscriber, round {number + 1}: {contender.name}, {rate:,} events/s …")
            wanted = events[: rate * seconds]
            run = to_subscriber(contender, setup.broker, setup.folder, wanted, rate)
            found.setdefault((contender.name, rate), []).append(run)
    return [_seen_row(contender, found) for contender in _CONTENDERS]


def _seen_row(
    contender: Contender, found: dict[tuple[str, int], list[tuple[float, float]]]
) -> list[str]:
    if contender.missing():
        return [contender.name, contender.missing(), *[NOTHING] * (2 * len(latency.RATES) - 1)]
    runs = [found[contender.name, rate] for rate in latency.RATES]
    figures = [spread([run[which] for run in each], 2) for each in runs for which in (0, 1)]
    return [contender.name, *figures]
