"""What docs/codecs.md teaches works as it is written."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from codec.mapping import load
from lab.aws.cdk import PROJECT
from tests.taught import taught

NOT_HERE = {
    "npx cdk deploy LoraStore",
    "lora-bridge redecode 37817737f13/9372163 --since 7d",
    "lora-bridge redecode 37817737f13",
    "lora-bridge history 37817737f13/9372163 --since 1d --plot temperature",
}
"""They need an AWS. Their like is rehearsed in the kept demo, which has one."""
ANSWERS = {
    """lora-bridge encode --codec sensor.js '{"interval":600}'""": r"^port=10 hex=010258 base64=AQ",
    "cp vendor/thermometer.js vendor/test_decode_thermometer.json codecs/": "",
    "lora-bridge codec-test codecs/": r"^codecs=1 examples=1 passed=1 failed=0$",
    r"""printf '[[codec]]\nfile = "thermometer.js"\napplication = "37817737f13"\n'"""
    " >> codecs/codecs.toml": "",
    "lora-bridge decode --codec sensor.js --port 2 52ff": r'"temperature": 21$',
    "lora-bridge decode --codec cayenne-lpp --port 1 03670110": r'"temperature_3": 27.2$',
}
CODEC = """
function decodeUplink(input) { return {data: {temperature: (input.bytes[0] - 40) / 2}} }
function encodeDownlink({data}) {
  return {fPort: 10, bytes: [1, data.interval >> 8, data.interval & 255]};
}
"""
EXAMPLES = "[{name: 'warm', input: {bytes: [82], fPort: 2}, expected: {data: {temperature: 21}}}]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the project's codecs, those of a vendor, and one of one's own."""
    (tmp_path / "vendor").mkdir()
    for name in ("sensor.js", "vendor/thermometer.js"):
        (tmp_path / name).write_text(CODEC)
    (tmp_path / "vendor" / "test_decode_thermometer.json").write_text(EXAMPLES)
    shutil.copytree(PROJECT / "codecs", tmp_path / "codecs")
    return tmp_path


def test_every_line_that_needs_no_aws(folder: Path) -> None:
    """One after the other, they succeed and answer what they should; the codec is in use then."""
    lines = taught("docs/codecs.md")
    assert {*ANSWERS, *NOT_HERE} == set(lines)
    for line in (line for line in lines if line not in NOT_HERE):
        shell = ["bash", "-c", line]
        done = subprocess.run(shell, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
        assert re.search(ANSWERS[line], done.stdout, re.MULTILINE), done
    assigned = load(folder / "codecs").find("37817737f13", "9372163", 1)
    assert assigned is not None
    assert assigned.codec.name == "thermometer.js"
