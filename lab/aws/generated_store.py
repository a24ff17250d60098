"""A DynamoDB of any size that keeps nothing: it makes the rows of a query when it is asked.

The real SDK asks it, and it answers what a store's tables and stack would: the uplinks of devices
that report for ever, one after the other, as the rule stores them and the decoder completes them.
The local AWS takes half an hour and 4 GB to be filled with a million rows.
"""

import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import msgspec

from contract.deployment import UNNAMED
from contract.device_list import KIND_KEY, KINDS, LAST_SEEN, SEEN_EVERY, kind_of
from contract.names import DEVICES_OUTPUT, PARTITION_KEY, SORT_KEY, TABLE_OUTPUT
from contract.times import format_time

DELAY = 0.017
"""Seconds; what docs/performance.md assumes of the real one."""
UPLINKS_EACH = 100
"""Rows of a device: older ones have expired."""
_MINUTE, _DAY = 60_000_000, 86_400_000_000  # microseconds
_APPLICATIONS = 10
_GATEWAYS = 40
_SILENT, _WITH_GAPS = 50, 10  # one of so many devices
_FIRST_DEVICE = 0xA840_4100_0000_0000
_PERIOD = 48  # uplinks after which a reading is much the same again
_UPLINKS, _DEVICES = "uplinks", "devices"  # names of tables
_CONDITION = re.compile(r"(#\w+) = (:\w+) AND (#\w+) BETWEEN (:\w+) AND (:\w+)")
_STACKS = """\
<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<DescribeStacksResult><Stacks><member><StackName>{stack}</StackName>
<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>
<Outputs>{outputs}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""
_OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"

Item = dict[str, object]
"""A row as DynamoDB sends it."""


class _Query(msgspec.Struct, frozen=True, rename="pascal"):
    """What of a query is understood."""

    table_name: str
    key_condition_expression: str
    expression_attribute_names: dict[str, str]
    expression_attribute_values: dict[str, dict[str, str]]
    scan_index_forward: bool = True
    limit: int | None = None
    projection_expression: str | None = None
    exclusive_start_key: dict[str, dict[str, str]] | None = None


@dataclass(frozen=True)
class Network:
    """A network of so many devices, each of which has ``UPLINKS_EACH`` rows at any time.

    They report every 10, 15 or 60 minutes; one of 50 has been silent for days, and one of 10
    misses a frame now and then. Times are in microseconds since 1970.
    """

    devices: int
    started: int

    def device(self, number: int) -> str:
        """Return ``APPEUI/MOTEEUI`` of a device, counted from 0."""
        return f"70b3d57ed00000{number % _APPLICATIONS:02x}/{_FIRST_DEVICE + number:x}"

    def number(self, device: str) -> int | None:
        """Return the number of ``APPEUI/MOTEEUI``, None if it is none of these."""
        _, _, eui = device.partition("/")
        try:
            number = int(eui, 16) - _FIRST_DEVICE
        except ValueError:
            return None
        there = 0 <= number < self.devices and self.device(number) == device
        return number if there else None

    def interval(self, number: int) -> int:
        """Return how often a device reports."""
        return (10, 15, 60)[number % 3] * _MINUTE

    def is_silent(self, number: int) -> bool:
        """Say whether a device has reported for the last time."""
        return number % _SILENT == _SILENT // 2

    def newest(self, number: int, now: int) -> int:
        """Return how many uplinks a device has sent since 1970."""
        end = self.started - (1 + number % 20) * _DAY if self.is_silent(number) else now
        return (end - self._phase(number)) // self.interval(number)

    def sent(self, number: int, uplink: int) -> int:
        """Return when a device has sent an uplink."""
        return self._phase(number) + uplink * self.interval(number)

    def _phase(self, number: int) -> int:
        return number * 2_654_435_761 % self.interval(number)

    def row(self, number: int, uplink: int) -> Item:
        """Return an uplink of a device."""
        wave = math.sin(2 * math.pi * (uplink / _PERIOD + number / 7))
        temperature = round(15 + 8 * wave + (uplink * 7919 + number) % 100 / 200, 2)
        humidity = round(60 - 25 * wave)
        gaps = uplink // 40 if number % _WITH_GAPS == 0 else 0
        named = {"name": {"S": f"Meter {number:05}"}} if number % 2 else {}
        return {
            PARTITION_KEY: {"S": self.device(number)},
            SORT_KEY: {"S": format_time(self.sent(number, uplink))},
            **named,
            "port1_bytes": {"L": [{"N": str(each)} for each in (6, uplink % 256, humidity)]},
            "seqno": {"N": str((uplink + gaps) % 65_536)},
            "motetx": {"M": {"freq": {"N": "868.1"}, "datr": {"S": "SF7BW125"}}},
            "gwrx": {
                "L": [self._reception(number, uplink, each) for each in range(1 + uplink % 2)]
            },
            "decoded": {
                "M": {
                    "temperature": {"N": str(temperature)},
                    "humidity": {"N": str(humidity)},
                    "battery": {"N": str(round(3.6 - uplink % 1000 / 5000, 2))},
                }
            },
            "decoded_by": {"S": "climate.js 0123456789abcdef"},
        }

    def _reception(self, number: int, uplink: int, which: int) -> Item:
        gateway = 0xB827_EBFF_FE00_0000 + (number + which) % _GATEWAYS
        rssi = -60 - (number * 13 + uplink * 7 + which * 11) % 55
        return {
            "M": {
                "eui": {"S": f"{gateway:x}"},
                "rssi": {"N": str(rssi)},
                "lsnr": {"N": str(round(10 - (uplink * 3 + number) % 150 / 10, 1))},
            }
        }

    def uplinks(self, device: str, since: str, until: str, *, forward: bool) -> Iterator[Item]:
        """Yield the rows of a device between two timestamps."""
        number = self.number(device)
        if number is None:
            return
        newest = self.newest(number, time.time_ns() // 1000)
        kept = range(newest - UPLINKS_EACH + 1, newest + 1)
        for uplink in kept if forward else reversed(kept):
            if since <= format_time(self.sent(number, uplink)) <= until:
                yield self.row(number, uplink)

    @cached_property
    def _partitions(self) -> dict[str, list[tuple[str, int]]]:
        """The devices of each partition of the list, by name, with their numbers."""
        found: dict[str, list[tuple[str, int]]] = {kind: [] for kind in KINDS}
        for device, number in sorted((self.device(each), each) for each in range(self.devices)):
            found[kind_of(device)].append((device, number))
        return found

    def listed(self, kind: str, first: str, last: str) -> Iterator[Item]:
        """Yield the devices of a partition of the list."""
        now = time.time_ns() // 1000
        for device, number in self._partitions[kind]:
            if first <= device <= last:
                seen = self.sent(number, self.newest(number, now))
                seen -= seen % SEEN_EVERY
                yield {
                    KIND_KEY: {"S": kind},
                    PARTITION_KEY: {"S": device},
                    LAST_SEEN: {"S": format_time(seen)},
                }


@contextmanager
def generated_store(devices: int) -> Iterator[dict[str, str]]:
    """Answer for so many devices; give the environment that leads the SDK there."""
    network = Network(devices, time.time_ns() // 1000)

    class Handler(_Handler):
        """Answers for this network."""

        made_by = network

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    made_by: Network
    protocol_version = "HTTP/1.1"  # connections are kept
    disable_nagle_algorithm = True

    def do_POST(self) -> None:  # the name that http.server calls
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(DELAY)
        if self.headers.get("X-Amz-Target") == "DynamoDB_20120810.Query":
            query = msgspec.json.decode(body, type=_Query)
            self._answer(HTTPStatus.OK, msgspec.json.encode(answer(self.made_by, query)))
        elif parse_qs(body.decode()).get("Action") == ["DescribeStacks"]:
            outputs = {TABLE_OUTPUT: _UPLINKS, DEVICES_OUTPUT: _DEVICES}.items()
            told = "".join(_OUTPUT.format(*each) for each in outputs)
            stacks = _STACKS.format(stack=UNNAMED.store_stack, outputs=told)
            self._answer(HTTPStatus.OK, stacks.encode())
        else:
            refused = {"__type": "AccessDeniedException", "message": "this has tables alone"}
            self._answer(HTTPStatus.BAD_REQUEST, msgspec.json.encode(refused))

    def _answer(self, status: HTTPStatus, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_told: object) -> None:
        """Say nothing."""


def answer(network: Network, query: _Query) -> dict[str, object]:
    """Return what DynamoDB would answer; a page is never cut but by the query's own limit.

    Raises:
        ValueError: the query is of another form than those of the operator's tools.

    """
    condition = _CONDITION.fullmatch(query.key_condition_expression)
    if condition is None:
        raise ValueError(f"not understood: {query.key_condition_expression}")
    values = query.expression_attribute_values
    partition, first, last = (values[condition[each]]["S"] for each in (2, 4, 5))
    if query.table_name == _DEVICES:
        found = network.listed(partition, first, last)
    else:
        found = network.uplinks(partition, first, last, forward=query.scan_index_forward)
    items: list[Item] = []
    start = query.exclusive_start_key
    for item in found:
        if start is not None:
            start = None if item == {**item, **start} else start
            continue
        items.append(item)
        if len(items) == query.limit:
            keys = {name: items[-1][name] for name in _keys(query)}
            return {"Items": _projected(items, query), "LastEvaluatedKey": keys}
    return {"Items": _projected(items, query)}


def _keys(query: _Query) -> tuple[str, str]:
    uplinks = query.table_name == _UPLINKS
    return (PARTITION_KEY, SORT_KEY) if uplinks else (KIND_KEY, PARTITION_KEY)


def _projected(items: list[Item], query: _Query) -> list[Item]:
    """Return of each item what the query asks for."""
    if query.projection_expression is None:
        return items
    named: Mapping[str, str] = query.expression_attribute_names
    wanted = [named.get(each, each) for each in query.projection_expression.split(", ")]
    return [{name: item[name] for name in wanted if name in item} for item in items]
