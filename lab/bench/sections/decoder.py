"""Section: what the decoder takes in a new instance of its package, and later."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import msgspec

from lab.aws.libraries import copy_libraries
from lab.bench.report import NOTHING, Setup, say, spread, table
from lab.bench.slow_store import slow_store
from lab.rig.errors import RigError
from stacks.decoder_code import pack
from stacks.settings import Decoding

_INSTANCE = Path(__file__).parents[1] / "decoder_instance.py"
_CODECS = Path(__file__).parents[1] / "codecs"
_FOR_LAMBDA = Path(__file__).parents[3] / "build" / "decoder"
_INSTANCES = 5  # a repeat
_HEADER = ("figure", "ratio to one in a new engine", "measured")
_NOTES = """
An instance is a new process that has the package, and boto3, as in Lambda; its clients are made,
but call nothing. An uplink whose codec was not seen before has a new engine, the others have one
that is kept. Figures are median (min-max) of instances, sizes those of what is deployed, for arm64,
with two codecs."""
_THREADS = (1, 10)
_BATCH = 100
_CALLS_HEADER = ("threads", "ratio to one thread", "uplinks/s", "ms for the call")
_CALLS_NOTES = """
One call with 100 uplinks of as many devices, which are decoded and stored, first on one thread and
then on several. The store is a server here that answers each request after 17 ms, without TLS. The
ratio is of the same instance; figures are median (min-max) of instances."""
FIGURES = {
    "start": "start of an instance: imports, codecs, clients, ms",
    "first": "its first uplink, ms",
    "second": "its second, for which an engine to be kept is made, ms",
    "small_new": "one alone, of a small codec, in a new engine, ms",
    **{
        f"{codec}_{what}": f"{shown}, of {name}, ms"
        for what, shown in (
            ("alone", "one alone"),
            ("batch", "a batch of 100"),
        )
        for codec, name in (
            ("small", "a small codec"),
            ("cayenne", "Cayenne LPP"),
            ("buffer", "a codec with Buffer"),
        )
    },
}
"""What an instance measures."""


def section(setup: Setup) -> str:
    """Measure new instances, one after the other; return the table."""
    say("decoder: packing …")
    with tempfile.TemporaryDirectory(dir=setup.folder) as name:
        folder = Path(name)
        libraries = copy_libraries(folder / "libraries")
        pack(Decoding(_CODECS, libraries, published=False, within=0), folder / "package")
        count = _INSTANCES * setup.repeats
        say(f"decoder: {count} instances …")
        instances = [_instance(folder / "package") for _ in range(count)]
        say(f"decoder: {setup.repeats} instances with a slow store …")
        with slow_store() as store:
            numbers = [*map(str, _THREADS)]
            calls = [_instance(folder / "package", *numbers, **store) for _ in range(setup.repeats)]
        sizes = _sizes(folder)
    first = table("The decoder", _HEADER, [*rows(instances), *sizes])
    second = table("A call of the decoder", _CALLS_HEADER, call_rows(calls))
    return f"{first}\n{_NOTES}\n\n{second}\n{_CALLS_NOTES}"


def rows(instances: list[dict[str, float]]) -> list[list[str]]:
    """Return the table's lines, of the times in milliseconds."""
    ones = [each["small_new"] for each in instances]
    lines = []
    for key, name in FIGURES.items():
        values = [each[key] for each in instances]
        ratios = [value / one for value, one in zip(values, ones, strict=True)]
        lines.append([name, spread(ratios, 1), spread(values, 2)])
    return lines


def call_rows(calls: list[dict[str, float]]) -> list[list[str]]:
    """Return the table's lines, of what a call took with each number of threads, in ms."""
    lines = []
    for number in map(str, _THREADS):
        values = [each[number] for each in calls]
        ratios = [each[str(_THREADS[0])] / each[number] for each in calls]
        rates = [1000 * _BATCH / value for value in values]
        lines.append([number, spread(ratios, 1), spread(rates, 0), spread(values, 0)])
    return lines


def _instance(package: Path, *arguments: str, **environment: str) -> dict[str, float]:
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "TABLE": "t", "DEVICES_TABLE": "d"}
    # -S: an editable installation of this project would find what the package lacks.
    paths = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{package}:{sysconfig.get_path('purelib')}"}
    done = subprocess.run(
        [sys.executable, "-P", "-S", str(_INSTANCE), *arguments],
        env={**paths, **settings, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RigError(f"an instance of the decoder failed: {done.stderr}")
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def _sizes(folder: Path) -> list[list[str]]:
    if not _FOR_LAMBDA.is_dir():
        raise RigError(f"{_FOR_LAMBDA} is missing: run 'make setup'")
    package = folder / "lambda"
    pack(Decoding(_CODECS, _FOR_LAMBDA, published=False, within=0), package)
    zipped = Path(shutil.make_archive(str(package), "zip", package)).stat().st_size
    unpacked = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    return [
        ["package, zipped, MB", NOTHING, f"{zipped / 1e6:.2f}"],
        ["package, unpacked, MB", NOTHING, f"{unpacked / 1e6:.2f}"],
    ]
