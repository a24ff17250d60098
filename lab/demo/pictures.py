"""``python -m lab.demo.pictures``: pictures of the pages for the documents."""

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser

from console.simulate.frames import APPLICATION, device_eui
from lab.aws.cdk import PROJECT, CdkError
from lab.aws.server import LocalAwsError
from lab.demo.deployed import step
from lab.demo.past import WITH_GAPS
from lab.demo.site import demo_site
from lab.rig.browser import chromium, visit
from lab.rig.errors import RigError
from lab.rig.running_web import RunningWeb, running_web

_FOLDER = PROJECT / "docs" / "images"
_SIZE = (1280, 860)
_COLOURS = 256  # of a picture, by how far they are apart: few pixels are green or red
_LIMIT = 90_000  # milliseconds until a page has all that it shows
_DEVICE = f"/devices/{APPLICATION}/{device_eui(WITH_GAPS)}"


@dataclass(frozen=True)
class _Picture:
    """A picture of a page, taken when a function of its script says that all is there."""

    name: str
    path: str
    ready: str
    scheme: Literal["light", "dark"] = "light"


_WHOLE = "() => !/…|so far/.test(document.querySelector('main').innerText)"
_COUNTED = (
    "() => /^\\d+ devices, \\d+ silent(, \\d+ not known yet)?$/"
    ".test(document.getElementById('count').textContent)"
)
_DRAWN = "() => /uplinks$/.test(document.getElementById('shown').textContent)"
_PICTURES = (
    _Picture("path", "/", _WHOLE),
    _Picture("devices", "/devices", _COUNTED),
    _Picture("device", _DEVICE, _DRAWN),
    _Picture("device-dark", _DEVICE, _DRAWN, "dark"),
)


def main() -> int:
    """Deploy, fill, serve and take the pictures."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="lora-pictures-") as name,
            demo_site(Path(name)) as site,
            running_web(site.environment, site.folder, site.options) as web,
            chromium() as browser,
        ):
            _FOLDER.mkdir(exist_ok=True)
            for picture in _PICTURES:
                with step(f"docs/images/{picture.name}.png"):
                    path = _FOLDER / f"{picture.name}.png"
                    path.write_bytes(_take(browser, web, picture))
    except (LocalAwsError, CdkError, RigError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    return 0


def _take(browser: Browser, web: RunningWeb, picture: _Picture) -> bytes:
    with visit(browser, web.at(picture.path), _SIZE, picture.scheme) as visiting:
        visiting.page.wait_for_function(picture.ready, timeout=_LIMIT)
        content = visiting.page.screenshot(animations="disabled", caret="hide")
        if visiting.complaints:
            raise RigError(f"a page complained: {visiting.complaints}")
    smaller = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        few = image.convert("RGB").quantize(
            _COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        few.save(smaller, "PNG", optimize=True)
    return smaller.getvalue()


if __name__ == "__main__":
    sys.exit(main())
