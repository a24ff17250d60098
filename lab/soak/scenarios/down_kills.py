"""The bridge kills itself between any two steps of a downlink, over and over."""

import random
from collections.abc import Callable
from pathlib import Path

from lab.rig.disk_pauses import disk_pauses
from lab.rig.running_bridge import running_bridge
from lab.soak import dying_bridge
from lab.soak.death import Death, dies
from lab.soak.result import Result
from lab.soak.way_back import READY, Exempt, way_back

_PASSAGES = 8  # of a step before the kill, at most


def down_kills(folder: Path, say: Callable[[str], None], *, count: int) -> Result:
    """Have ``count`` bridges in turn kill themselves, and let the last one finish."""
    rng = random.Random(1)  # noqa: S311  # the same steps every time
    deaths = list[Death]()
    with way_back(folder) as way, disk_pauses(folder) as pauses:
        with running_bridge(way.place.config) as bridge:
            bridge.says(READY)  # from here on the broker keeps what is asked for
            bridge.stop()
        with way.asking:
            for number in range(count):
                step = dying_bridge.STEPS[number % len(dying_bridge.STEPS)]
                say(f"kill {number + 1} of {count}: {step}")
                deaths.append(dies(way.place.config, step, rng.randint(1, _PASSAGES), pauses))
                way.place.look()
            with running_bridge(way.place.config) as bridge:
                bridge.says(READY)
                way.finish()
        steps = [each.step for each in deaths if each.step]
        return way.result(
            f"{len(steps)} kills at {len(set(steps))} different steps",
            [(2 * len(steps) > count, "few bridges came to the step where they were to end")],
            Exempt(deaths),
        )
