"""The disk fills up, the spool's file is damaged, its version or owner is another, time jumps."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.rig.errors import RigError
from lab.rig.running_bridge import running_bridge
from lab.rig.spools import committed, set_version, waiting
from lab.soak.frames import frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import Site, site

_RATE = 2000  # frames a second
_FILLING_RATE = 5000  # frames a second
_DISK = "32m"  # some 35,000 frames beside what the bridge leaves free
_SAID_LIMIT = 60.0  # seconds
_DRAIN_LIMIT = 120.0  # seconds
PAGE = 4096  # bytes
_MAX_ON_A_PAGE = 40  # messages of these frames
_BACKLOG = 5000  # frames


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of _DISK in memory; only root may."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", disk],  # noqa: S607  # its own path
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        raise RigError(f"a small disk cannot be mounted, root is needed: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)  # noqa: S607


def full(folder: Path, say: Callable[[str], None]) -> Result:
    """Fill the disk twice: with frames while the link is down, and with a file of somebody else."""
    with (
        small_disk(folder) as disk,
        site(folder, {"spool": {"path": str(disk / "spool.db")}}) as place,
    ):
        place.link.close()
        with running_bridge(place.config) as bridge:
            bridge.says("listening")
            with Sender(place.port, _FILLING_RATE, frame) as sender:
                bridge.says("spool: full")
                say("the disk is full of frames")
                place.play(2)
                place.link.open()
                bridge.says("spool: room again")
                say("the link is back, and there is room again")
                other = disk / "other"
                fill(other)
                bridge.says("database or disk is full")
                say("the disk is full of something else")
                place.play(2)
                other.unlink()
            place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
            counts = bridge.stop()
        arrived = place.arrived()
        return result(
            sent=sender.sent_at,
            committed=committed(place.spool),
            arrived=arrived,
            remarks=f"left={counts['left']}",
            promises=[
                (arrived.numbers >= sender.sent_at.keys(), "frames were lost"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
            ],
        )


def fill(path: Path) -> None:
    """Write to a file until its disk has no room."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * PAGE):
            pass


def damaged(folder: Path, say: Callable[[str], None]) -> Result:
    """Write noise over a page of messages in a spool, and start the bridge again."""
    with site(folder) as place:
        place.link.close()
        with running_bridge(place.config) as bridge:
            bridge.says("listening")
            with Sender(place.port, _RATE, frame) as sender:
                place.wait_until(lambda: len(sender.sent_at) > _BACKLOG, _SAID_LIMIT, "a backlog")
            kept = bridge.stop()["left"]
        say("noise over a page")
        message = place.spool.read_bytes().index(b'"seqno":%d' % (_BACKLOG // 2))
        with place.spool.open("r+b") as file:
            file.seek(message - message % PAGE)
            file.write(b"\xff" * PAGE)
        noise = place.spool.read_bytes()
        place.link.open()
        with running_bridge(place.config) as bridge:
            bridge.says("messages saved from it")
            bridge.says("ready: ")
            place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        arrived = place.arrived()
        lost = kept - len(arrived.numbers)
        aside = place.spool.with_name("spool.db.damaged-1")
        return result(
            sent=sender.sent_at,
            committed=kept,
            arrived=arrived,
            remarks=f"{lost} were on the page",
            promises=[
                (lost <= _MAX_ON_A_PAGE, f"{lost} frames lost"),
                (aside.read_bytes() == noise, "the damaged file was not moved aside whole"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
            ],
        )


def refusals(folder: Path, say: Callable[[str], None]) -> Result:
    """Start bridges on a spool in use, by each way to it, and one on a spool of another version."""
    with site(folder) as place:
        with running_bridge(place.config) as bridge:
            bridge.says("ready: ")
            with Sender(place.port, _RATE, frame) as sender:
                second = _fails(place.config)
                others = [_fails(_elsewhere(place, link)) for link in (os.symlink, os.link)]
                place.spool.with_name(place.spool.name + ".lock").unlink()
                others.append(_fails(place.config))
                place.play(1)
            place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        say(second)
        set_version(place.spool, 99)
        version = _fails(place.config)
        say(version)
        arrived = place.arrived()
        return result(
            sent=sender.sent_at,
            committed=committed(place.spool),
            arrived=arrived,
            remarks="both end with one line",
            promises=[
                (arrived.numbers >= sender.sent_at.keys(), "frames were lost"),
                *(("in use by another lora-bridge" in each, each) for each in (second, *others)),
                ("spool version 99" in version, version),
                (max(second.count("\n"), version.count("\n")) == 1, "more than one line"),
            ],
        )


def clock_back(folder: Path, say: Callable[[str], None]) -> Result:
    """Set the host's clock back an hour while frames come."""
    with site(folder) as place:
        command = [sys.executable, "-m", "lab.soak.clock_back"]
        with running_bridge(place.config, command) as bridge:
            bridge.says("ready: ")
            with Sender(place.port, _RATE / 10, frame) as sender:
                bridge.says("check this host's clock")
                say("the clock went back an hour")
                place.play(2)
            place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        arrived = place.arrived()
        return result(
            sent=sender.sent_at,
            committed=committed(place.spool),
            arrived=arrived,
            remarks="said once, with what to check",
            promises=[
                (arrived.numbers >= sender.sent_at.keys(), "frames were lost"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
                (bridge.log.count("check this host's clock") == 1, "said more than once"),
            ],
        )


def _elsewhere(place: Site, link: Callable[[Path, Path], None]) -> Path:
    """Configure a bridge whose spool is another name of the same file."""
    path = place.spool.with_name(f"{link.__name__}.db")
    link(place.spool, path)
    config = place.config.with_name(f"{link.__name__}.toml")
    config.write_text(place.config.read_text().replace('"spool.db"', f'"{path.name}"'))
    return config


def _fails(config: Path) -> str:
    """Run a bridge that ends at once; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "console", "run", "--config", config],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SAID_LIMIT,
    )
    return done.stderr if done.returncode == 1 else f"status {done.returncode}"
